"""The world in a real InfluxDB: readings over the wire format, the rest by the jobs."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from seatwatt.api.device_health import device_health, health_points
from seatwatt.api.jobs.completeness import write_completeness
from seatwatt.api.jobs.happenings import event_at, write_happenings
from seatwatt.api.jobs.intervals import write_intervals
from seatwatt.api.jobs.live import live_points, write_live
from seatwatt.api.jobs.months import write_months
from seatwatt.api.services import Services
from seatwatt.contract.derived import DERIVED
from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import QuarantinedMessage, Series, SeriesBook
from seatwatt.contract.rules import Rule
from seatwatt.contract.senml import decode
from seatwatt.contract.topics import Topic
from seatwatt.ledger.papers import add_paper
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.settings import StoreSettings
from seatwatt.simulators.messages import by_device, packs
from seatwatt.store.ports import DerivedPoint, LastReading
from tests.grafana.world import MINUTES, TARIFFS, Incident, World
from tests.servers import Server
from tests.services.api_worlds import declare, services_on

SILENT_S = 300.0


@dataclass(frozen=True)
class Seeded:
    """Where the world rests."""

    world: World
    port: int
    database: str


def seed(server: Server, folder: Path) -> Seeded:
    """Fill a database of the server."""
    world, database = World(), "seatwatt"
    store = StoreSettings(store_url=f"http://127.0.0.1:{server.port}/{database}")
    with services_on(store, folder, now_ms=world.now_ms) as services:
        _send(world, services)
        declare(services, world.site)
        for tariff in TARIFFS:
            add_paper(services.ledger, "one", "tariff", tariff, "test", world.now_ms)
        _refuse(world, services)
        services.writer.write_derived([event_at(
            "one", "maintenance", "site", "Board B off", "Board B off",
            world.at_ms(2000), world.at_ms(2060))])
        _minutes(world, services)
        for job in (write_intervals, write_completeness, write_happenings, write_months,
                    write_live):
            outcome = job(services, {})
            assert "one: " not in outcome.detail or "expected" not in outcome.detail, outcome
    return Seeded(world, server.port, database)


def _send(world: World, services: Services) -> None:
    """Encode, decode and store, as gateway and ingest do."""
    book = SeriesBook()
    for batch in world.batches():
        for received_ms, topic, payload in packs(by_device(batch), "one", 20_000):
            decoded = decode(payload, Topic.parse(topic), received_ms, book)
            assert not decoded.refusals
            services.writer.write(decoded.batch)


def _refuse(world: World, services: Services) -> None:
    Quarantine(services.ledger).put([QuarantinedMessage(
        "seatwatt/v1/one/seat/hall-a/001", b"{", world.now_ms, Rule.T01, "no JSON")])


def _minutes(world: World, services: Services) -> None:
    """What is written each minute: health, the load of the moment, the pipeline's figures."""
    heard = world.devices()
    power = quantity("meter", "power")
    grid, generator = (Device("meter", "plant", name) for name in ("grid", "generator"))
    for minute in range(0, MINUTES, 2):
        now_ms = world.at_ms(minute)
        last = [_last(device, now_ms, times) for device, times in heard.items()]
        row = minute + 20
        loads = [LastReading(Series("one", device, power), now_ms, float(world.powers[device][row]))
                 for device in (grid, generator)]
        services.writer.write_derived([
            *health_points("one", device_health(last, (), now_ms, SILENT_S), now_ms),
            *live_points(world.site, loads, now_ms, SILENT_S), _pipeline(minute, now_ms)])


def _last(device: Device, now_ms: int, times: NDArray[np.int64]) -> LastReading:
    at = int(times[np.searchsorted(times, now_ms, side="right") - 1])
    name = {"meter": "power", "seat": "power", "room": "people", "ups": "load"}.get(
        device.kind, "up")
    return LastReading(Series("one", device, quantity(device.kind, name)), at, 0.0)


def _pipeline(minute: int, now_ms: int) -> DerivedPoint:
    """Ingest's own fields, as its metrics name them; they begin anew when it does."""
    late = Incident.LATE.start <= minute < Incident.LATE.stop
    refused = max(0, min(minute, Incident.LATE.stop) - Incident.LATE.start) * 2
    if minute >= Incident.RESTART_AT:
        refused = 0
    ran = minute - Incident.RESTART_AT * (minute >= Incident.RESTART_AT)
    figures = dict.fromkeys(DERIVED["pipeline"].fields, 0.0) | {
        "broker_dropped_total": refused / 2,
        "received_total": 40.0 * ran, "stored_total": 40.0 * ran - refused,
        "readings_total": 400.0 * ran, "quarantined_total": float(refused),
        "journalled": 500.0 * late, "journal_fill_pct": 5.0 * late,
        "oldest_unacknowledged_s": 0.4 + 300.0 * late, "connected": 1.0, "store_open": 1.0,
        "balanced": 1.0 - late}
    return DerivedPoint("pipeline", (("stage", "ingest"), ("worker", "ingest-1")),
                        tuple(figures.items()), now_ms)

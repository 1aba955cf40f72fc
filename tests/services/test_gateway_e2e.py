"""From simulated devices, through gateway, mosquitto and ingest into InfluxDB, to energy per seat:
the world's own truth. Devices and gateway share a clock that runs faster than ours."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from seatwatt.contract.intervals import IntervalGrid
from seatwatt.gateway.config import Broker
from seatwatt.gateway.config_file import load_gateway
from seatwatt.gateway.opening import open_devices
from seatwatt.gateway.runtime import Clocks, Gateway
from seatwatt.metering.energy import Quality
from seatwatt.metering.site import site_energy
from seatwatt.settings import BrokerSettings, GatewaySettings, StoreSettings
from seatwatt.settlement.readings import read_period
from seatwatt.simulators.devices.serving import Site as Devices
from seatwatt.simulators.devices.truth import Truth
from seatwatt.simulators.publisher import Publisher
from seatwatt.simulators.world import World
from seatwatt.store.open import open_reader
from seatwatt.store.sitefiles import load_site
from tests.servers import Server
from tests.services.ingest_kit import IngestProcess, influx_url, until

SPEED = 30
START_MS = 1_791_270_000_000  # 2026-10-06 12:00 in Karachi: everybody is at work
END_MS = START_MS + 20 * 60_000
LEAD_MS = 70_000
EVERY_S = 10
SITE = """\
site: fast
time_zone: Asia/Karachi
currency: PKR
interval: 5min
zones:
  hall-a: {kind: hall, seats: 7}
  hall-b: {kind: hall, seats: 5}
meters:
  plant/grid:   {source: grid, max_power_w: 50000}
  hall-a/board: {parent: supply}
  hall-b/board: {parent: supply}
seat_meters: {parent: "{zone}/board", max_power_w: 2300}
tenants: {alpha: {name: Alpha}}
leases:
  - {tenant: alpha, zones: [hall-a, hall-b], from: 2026-10-01,
     shift: {days: mon-sun, start: "08:00", end: "20:00"}}
"""


@dataclass
class FastClock:
    """The simulated site's time."""

    begun_s: float

    def now_ms(self) -> int:
        return START_MS - LEAD_MS + round((time.monotonic() - self.begun_s) * 1000 * SPEED)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds / SPEED)


@asynccontextmanager
async def served(devices: Devices, clock: FastClock) -> AsyncIterator[None]:
    """The devices' servers, and their publishers at the site's own pace."""

    async def publish() -> None:
        while True:
            await clock.sleep(EVERY_S - clock.now_ms() % (EVERY_S * 1000) / 1000 + 0.01)
            for topic, payload in devices.messages():
                devices.publisher.publish(topic, payload)

    await devices.start()
    publishing = asyncio.create_task(publish())
    try:
        yield
    finally:
        publishing.cancel()
        with suppress(asyncio.CancelledError):
            await publishing
        await devices.stop()


async def live_through(devices: Devices, clock: FastClock, port: int, folder: Path) -> None:
    """A gateway reads the devices until the period is over and everything is receipted."""
    settings = GatewaySettings(mqtt_port=port, gateway_spool=folder / "spool.db",
                               gateway_disk_reserve_bytes=0)
    async with served(devices, clock):
        (folder / "gateway.yaml").write_text(devices.config("plant", ("127.0.0.1", port)))
        told = load_gateway(folder / "gateway.yaml")
        assert told.problems == ()
        gateway = Gateway(settings, told.site, told.own,
                          Clocks(clock.now_ms, clock.now_ms, "boot"))
        opened = open_devices(told, Broker(host="127.0.0.1", port=port), clock.now_ms,
                              gateway.sink, gateway.report)
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(opened, stop, sleep=clock.sleep))
        while clock.now_ms() < END_MS + 90_000:
            assert not running.done()
            await asyncio.sleep(0.2)
        stop.set()
        await running
        assert gateway.spool.dropped == 0


def test_energy_per_seat_is_the_worlds_truth(broker: Server, influx: Server, tmp_path: Path,
                                             capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "site.yaml").write_text(SITE)
    site = load_site(tmp_path / "site.yaml")
    world = World(site, seed=7, since=date(2026, 10, 6))
    ingest = IngestProcess(tmp_path / "ingest", broker.port, influx_url(influx)).start().connected()
    with Publisher(BrokerSettings(mqtt_port=broker.port)) as publisher:
        clock = FastClock(time.monotonic())
        devices = Devices(truth=Truth(world, clock.now_ms), folder=tmp_path / "devices",
                          publisher=publisher, seats_every_s=EVERY_S)
        asyncio.run(live_through(devices, clock, broker.port, tmp_path))
    until(lambda: ingest.metric("in_flight") == 0, "ingest is done")
    ingest.end()

    grid = IntervalGrid.between(START_MS, END_MS, 300, site.time_zone)
    reader = open_reader(StoreSettings(store_url=influx_url(influx)))
    found = site_energy(site, grid, read_period(site.id, reader, grid, False).registers)
    reader.close()
    truth = world.energy(START_MS, END_MS, 300)

    coarse = {part.device: part.resolution_wh for part in devices.parts if part.resolution_wh}
    errors_wh: dict[str, float] = {}
    for device, resolution_wh in coarse.items():
        name = "energy" if device.kind == "seat" else "energy_import"
        energy = found[device]
        assert np.all(energy.quality == Quality.MEASURED), device
        off_wh = abs(int(energy.energy_milliwh.sum()) - int(truth[device, name].sum())) / 1000
        errors_wh[str(device)] = off_wh
        assert off_wh <= max(1.0, resolution_wh), f"{device}: {off_wh} Wh off the truth"
    fine = [device for device, resolution_wh in coarse.items()
            if resolution_wh <= 1 and device.kind == "seat"]
    assert len(fine) >= 10
    assert sum(truth[device, "energy"].sum() > 10_000 for device in fine) >= 5
    with capsys.disabled():
        print("\n20 minutes of energy off the truth, Wh: " + ", ".join(
            f"{name} {off_wh:.2f}" for name, off_wh in sorted(errors_wh.items())))

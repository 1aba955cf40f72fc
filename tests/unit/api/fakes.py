"""Fakes of our own ports, in memory, with a clock that stands where the test puts it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from seatwatt.api.access import Keys, OpenAccess
from seatwatt.api.app import create_app
from seatwatt.api.declarations import LedgerDeclarations
from seatwatt.api.energy_table import EnergyTable
from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import StoreUnavailable
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.quantities import Quantity, quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.site import Node, SeatMeters, Site, Tenant, Zone
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.sites import save_site
from seatwatt.metering.energy import Quality
from seatwatt.settings import ApiSettings, LedgerSettings
from seatwatt.store.ports import Column, DerivedPoint, LastReading, Reader, Sums

KARACHI = ZoneInfo("Asia/Karachi")
NOW_MS = 1_790_000_000_000


def small_site() -> Site:
    """Two seats, one board, one source, two tenants."""
    return Site(
        id="small", name="Small, Peshawar", time_zone=KARACHI, currency="PKR",
        zones=(Zone(name="hall-a", seats=("001", "002")),),
        nodes=(Node(device=Device("meter", "plant", "grid"), source="grid"),
               Node(device=Device("meter", "hall-a", "board"))),
        seat_meters=SeatMeters(),
        tenants=(Tenant(id="alpha", name="Alpha"), Tenant(id="beta", name="Beta")))


def other_site() -> Site:
    """A second site, whose tenant must stay unseen from the first."""
    return replace(small_site(), id="other", name="Other",
                   tenants=(Tenant(id="omega", name="Omega"),))


@dataclass
class FakeStore:
    """Reader and Writer at once; `down` makes every call fail as an unreachable store does."""

    last_readings: list[LastReading] = field(default_factory=list)
    derived_points: list[DerivedPoint] = field(default_factory=list)
    down: bool = False

    def hear(self, site: str, kind_zone_name: str, name: str, value: float | str,
             taken_at_ms: int) -> None:
        device = Device.parse(kind_zone_name)
        series = _BOOK.get(site, device, quantity(device.kind, name))
        self.last_readings.append(LastReading(series, taken_at_ms, value))

    def ping(self) -> None:
        if self.down:
            raise StoreUnavailable("the store at 127.0.0.1:1 does not answer", retry_after_s=7)

    def sites(self) -> list[str]:
        self.ping()
        return sorted({reading.series.site for reading in self.last_readings})

    def devices(self, site: str) -> list[Device]:
        return sorted({r.series.device for r in self.last_readings if r.series.site == site})

    def last(self, site: str, kinds: Sequence[str] = ()) -> list[LastReading]:
        self.ping()
        return [reading for reading in self.last_readings if reading.series.site == site
                and (not kinds or reading.series.device.kind in kinds)]

    def columns(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                devices: Sequence[Device] | None = None) -> dict[Device, Column]:
        return {}

    def sums(self, site: str, quantity: Quantity, devices: Sequence[Device], start_ms: int,
             end_ms: int, step_ms: int) -> dict[Device, Sums]:
        return {}

    def texts(self, site: str, quantity: Quantity, start_ms: int,
              end_ms: int) -> dict[Device, list[tuple[int, str]]]:
        return {}

    def registers(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                  margin_ms: int) -> dict[Device, Column]:
        return {}

    def derived(self, measurement: str, tags: Sequence[tuple[str, str]], start_ms: int,
                end_ms: int) -> list[DerivedPoint]:
        return [point for point in self.derived_points if point.measurement == measurement
                and set(tags) <= set(point.tags) and start_ms <= point.time_ms < end_ms]

    def write(self, batch: ReadingBatch) -> None:
        raise AssertionError("only ingest writes readings")

    def first_ms(self, site: str, quantity: Quantity) -> int | None:
        return None

    def forget(self, site: str, quantity: Quantity, before_ms: int) -> None:
        raise AssertionError("it holds nobody's seat")

    def write_derived(self, points: Sequence[DerivedPoint]) -> None:
        self.ping()
        self.derived_points += points

    def close(self) -> None:
        self.down = True


_BOOK = SeriesBook()


@dataclass(frozen=True)
class FakeSettled:
    """1.25 Wh for alpha and 2.001 Wh for the operator in each interval."""

    grid: IntervalGrid

    def energy(self, by: str) -> EnergyTable:
        ids = {"tenant": ("alpha", "operator"), "meter": ("meter/plant/grid",)}.get(by, ())
        energy = np.array([[1250] * len(self.grid), [2001] * len(self.grid)],
                          dtype=np.int64)[:len(ids)]
        quality = np.full_like(energy, Quality.MEASURED, dtype=np.uint8)
        quality[:, -1:] = Quality.ESTIMATED
        return EnergyTable(ids, self.grid.boundaries_ms, energy, quality)

    def document(self) -> dict[str, object]:
        return {"site": "small", "balanced": True}

    def explain(self, party: str) -> dict[str, object] | None:
        return {"party": party} if party in ("alpha", "beta", "operator") else None

    def seats_of(self, party: str) -> EnergyTable:
        return EnergyTable(("seat/hall-a/001",), (self.grid.start_ms, self.grid.end_ms),
                           np.array([[7]], dtype=np.int64), np.array([[0]], dtype=np.uint8))


@dataclass
class FakeSettle:
    """Counts how often billing was asked."""

    calls: int = 0
    error: Exception | None = None

    def __call__(self, site: Site, reader: Reader, start_ms: int, end_ms: int) -> FakeSettled:
        self.calls += 1
        if self.error is not None:
            raise self.error
        return FakeSettled(IntervalGrid.between(start_ms, end_ms, site.interval_s,
                                                site.time_zone))


@dataclass
class World:
    """The app over fakes, and the fakes to turn the screws of."""

    store: FakeStore
    settle: FakeSettle
    settings: ApiSettings
    ledger: Engine
    now_ms: int = NOW_MS
    published: list[tuple[str, bytes]] = field(default_factory=list)

    def services(self) -> Services:
        return Services(reader=self.store, writer=self.store, ledger=self.ledger,
                        declarations=LedgerDeclarations(self.ledger),
                        settle=self.settle, publish=self.published.extend,
                        clock=lambda: self.now_ms, settings=self.settings)

    def app(self, keys: Keys | None = None) -> FastAPI:
        return create_app(self.services(), keys or OpenAccess())

    @contextmanager
    def client(self, keys: Keys | None = None) -> Iterator[TestClient]:
        with TestClient(self.app(keys), raise_server_exceptions=False) as client:
            yield client


def make_ledger(folder: Path) -> Path:
    """A ledger file that declares the small site, to be copied: migrating takes a while."""
    file = folder / "ledger.db"
    engine = open_engine(LedgerSettings(ledger_url=f"sqlite:///{file}"))
    save_site(engine, small_site(), "test", NOW_MS)
    engine.dispose()
    return file


def make_world(ledger_file: Path, **settings: object) -> World:
    """The app over a ledger file of its own, jobs off unless asked for."""
    ledger = open_engine(LedgerSettings(ledger_url=f"sqlite:///{ledger_file}"))
    return World(FakeStore(), FakeSettle(),
                 ApiSettings.load(**{"api_access": "open", "api_jobs": False, **settings}), ledger)

"""The site, month and readings that `seatwatt bench api` asks for."""

import itertools
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from zoneinfo import ZoneInfo

from seatwatt.api.access import Role
from seatwatt.api.keys import make_key
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.sites import save_site
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.store.open import open_writer

SITE, TENANTS, HALL_SEATS = "bench", 8, 25
ZONE = ZoneInfo("Asia/Karachi")
HOUR_MS = 3_600_000
_WATTS = {"seat": 80, "board": 2100, "grid": 30_000}
_LATE_S, _LIVE_S = 3.0, 1.0
# The product's own writer, but no mark stays: as if another program filled the file.
_NO_MARKS = ("CREATE TRIGGER unmarked BEFORE INSERT ON derived WHEN NEW.measurement = 'written' "
             "BEGIN SELECT RAISE(IGNORE); END")


class Arriving(StrEnum):
    """What is written to the store meanwhile."""

    NOTHING = "nothing"
    LATE = "late"
    LIVE = "live"


@dataclass(frozen=True, slots=True)
class Month:
    """A store and a ledger in `folder`, of a site with so many seats whose registers are read each
    so many minutes; the month is over, or the present one where readings arrive live."""

    folder: Path
    seats: int
    minutes: int
    marks: bool
    arriving: Arriving

    @property
    def store(self) -> str:
        """The store's address."""
        return f"sqlite:///{self.folder.resolve()}/readings.db"

    @property
    def ledger(self) -> str:
        """The ledger's address."""
        return f"sqlite:///{self.folder.resolve()}/ledger.db"

    @property
    def path(self) -> str:
        """What is asked for: the caller's month by intervals."""
        from_, to = self._days()
        return f"/v1/sites/{SITE}/energy?by=tenant&step=interval&from={from_}&to={to}"

    def fill(self) -> int:
        """Registers that rise evenly: what they hold does not change what an answer costs."""
        writer = open_writer(StoreSettings.load(store_url=self.store))
        if not self.marks:
            with sqlite3.connect(self.folder / "readings.db") as connection:
                connection.execute(_NO_MARKS)
            connection.close()
        times, count = list(self._times()), 0
        for device in self._devices():
            writer.write(_readings(device, times, times[0]))
            count += len(times)
        writer.close()
        return count

    def declare(self) -> str:
        """The secret of a tenant's key."""
        engine = open_engine(LedgerSettings.load(ledger_url=self.ledger))
        save_site(engine, self._site(), "bench", _now_ms())
        made = make_key(engine, name="bench", role=Role.TENANT, site=SITE, tenant="tenant-0",
                        created_by="bench", now_ms=_now_ms(), expires_at_ms=None)
        engine.dispose()
        return made.secret

    @contextmanager
    def written_to(self) -> Iterator[None]:
        """While the block runs readings arrive: of every register each second, or of one some days
        ago each three seconds."""
        if self.arriving is Arriving.NOTHING:
            yield
            return
        ended = threading.Event()
        thread = threading.Thread(target=self._write, args=(ended.wait,))
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def _write(self, ended: Callable[[float], bool]) -> None:
        writer, devices = open_writer(StoreSettings.load(store_url=self.store)), self._devices()
        first_ms = self._times()[0]
        for turn in itertools.count():
            if self.arriving is Arriving.LIVE:
                late, at_ms = devices, _now_ms()
            else:
                late, at_ms = devices[turn % len(devices)::len(devices)], first_ms + (
                    1 + 7 * turn % 500) * HOUR_MS + 60_000
            batch = ReadingBatch()
            for device in late:
                batch.extend(_readings(device, [at_ms], first_ms))
            writer.write(batch)
            if ended(_LIVE_S if self.arriving is Arriving.LIVE else _LATE_S):
                break
        writer.close()

    def _days(self) -> tuple[date, date]:
        if self.arriving is Arriving.LIVE:
            first = datetime.fromtimestamp(_now_ms() / 1000, UTC).astimezone(ZONE
                                                                             ).date().replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1)
        return date(2026, 9, 1), date(2026, 10, 1)

    def _times(self) -> range:
        start_ms, end_ms = (local_midnight_ms(day, ZONE) for day in self._days())
        return range(start_ms - HOUR_MS, min(end_ms + HOUR_MS, _now_ms()), self.minutes * 60_000)

    def _devices(self) -> list[Device]:
        site = self._site()
        return [*(Device("seat", zone.name, seat) for zone in site.zones for seat in zone.seats),
                *(node.device for node in site.nodes)]

    def _site(self) -> Site:
        halls = -(-self.seats // HALL_SEATS)
        zones = {f"hall-{n}": {"seats": min(HALL_SEATS, self.seats - n * HALL_SEATS)}
                 for n in range(halls)}
        return parse_site({
            "site": SITE, "time_zone": ZONE.key, "currency": "PKR", "zones": zones,
            "meters": {"plant/grid": {"source": "grid"},
                       **{f"{zone}/board": {"parent": "supply", "share": "seats"}
                          for zone in zones}},
            "seat_meters": {"parent": "{zone}/board"},
            "tenants": {f"tenant-{n}": {} for n in range(TENANTS)},
            "leases": [{"tenant": f"tenant-{n % TENANTS}", "zones": [zone], "from": "2026-01-01"}
                       for n, zone in enumerate(zones)]})


_BOOK = SeriesBook()


def _readings(device: Device, times_ms: list[int], first_ms: int) -> ReadingBatch:
    watts = _WATTS["seat" if device.kind == "seat" else device.name]
    name = "energy" if device.kind == "seat" else "energy_import"
    values: list[float | str] = [(at_ms - first_ms) * watts / HOUR_MS for at_ms in times_ms]
    series = _BOOK.get(SITE, device, quantity(device.kind, name))
    return ReadingBatch([series] * len(times_ms), times_ms, values)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

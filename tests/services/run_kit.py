"""A small site whose readings, declarations and bills the tests of runs change at will."""

from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np
from sqlalchemy import Engine

from seatwatt.billing.bill import Period
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.quantities import Quantity
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.runs import Mark
from seatwatt.ledger.sites import save_site
from seatwatt.settlement.papers import declare_paper
from seatwatt.store.ports import Column, DerivedPoint, LastReading, Sums

HOUR_MS = 3_600_000
GRID = Device("meter", "plant", "grid")
SEATS = [Device("seat", "hall", name) for name in ("001", "002")]
SEPTEMBER = Period(from_=date(2026, 9, 1), to=date(2026, 9, 3))
OCTOBER = Period(from_=date(2026, 9, 3), to=date(2026, 9, 5))
"""Two short months that follow one another."""


def a_site(**changed: Any) -> Site:
    return parse_site({
        "site": "s", "time_zone": "Asia/Karachi", "currency": "PKR", "interval": "30min",
        "max_gap": "2h", "zones": {"hall": {"seats": 2}},
        "meters": {"plant/grid": {"source": "grid", "max_power_w": 5000}},
        "seat_meters": {"parent": "supply", "max_power_w": 1000},
        "tenants": {"alpha": {"name": "Alpha"}, "beta": {"name": "Beta"}},
        "leases": [{"tenant": "alpha", "seats": ["hall/001"], "from": "2026-01-01"},
                   {"tenant": "beta", "seats": ["hall/002"], "from": "2026-01-01"}],
        **changed})


def a_bill(period: Period = SEPTEMBER, amount: str = "100.00", **changed: Any) -> dict[str, Any]:
    return {"bill": f"pesco-{period.from_}", "supplier": "PESCO", "source": "grid",
            "period": {"from": str(period.from_), "to": str(period.to)}, "currency": "PKR",
            "lines": [{"id": "energy", "amount": amount, "share_by": "energy"}], **changed}


class Registers:
    """A reader of hourly registers: seats at 100 and 300 W, the grid at their sum."""

    def __init__(self) -> None:
        start_ms = local_midnight_ms(date(2026, 8, 30), a_site().time_zone)
        times = start_ms + HOUR_MS * np.arange(24 * 8, dtype=np.int64)
        hours = np.arange(len(times), dtype=np.float64)
        self.columns_of = {SEATS[0]: Column(times, 100 * hours),
                           SEATS[1]: Column(times, 300 * hours),
                           GRID: Column(times, 400 * hours)}
        self.occupied: dict[Device, Column] = {}

    def lose(self, device: Device, start_ms: int, end_ms: int = 1 << 60) -> None:
        """Forget the readings in [start_ms, end_ms)."""
        column = self.columns_of[device]
        kept = (column.times_ms < start_ms) | (column.times_ms >= end_ms)
        self.columns_of[device] = Column(column.times_ms[kept], column.values[kept])

    def registers(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                  margin_ms: int) -> dict[Device, Column]:
        return self.columns(site, quantity, start_ms - margin_ms, end_ms + margin_ms)

    def columns(self, site: str, quantity: Quantity, start_ms: int, end_ms: int,
                devices: Sequence[Device] | None = None) -> dict[Device, Column]:
        if quantity.name == "occupied":
            return self.occupied
        wanted = self.columns_of if devices is None else devices
        found = {device: self.columns_of[device] for device in wanted
                 if (device.kind, quantity.name) in (("meter", "energy_import"),
                                                     ("seat", "energy"))}
        inside = {device: (column.times_ms >= start_ms) & (column.times_ms < end_ms)
                  for device, column in found.items()}
        return {device: Column(column.times_ms[inside[device]], column.values[inside[device]])
                for device, column in found.items() if inside[device].any()}

    def first_ms(self, site: str, quantity: Quantity) -> int | None:
        return None

    def sites(self) -> list[str]:
        return ["s"]

    def devices(self, site: str) -> list[Device]:
        return sorted(self.columns_of)

    def last(self, site: str, kinds: Sequence[str] = ()) -> list[LastReading]:
        return []

    def sums(self, site: str, quantity: Quantity, devices: Sequence[Device], start_ms: int,
             end_ms: int, step_ms: int) -> dict[Device, Sums]:
        found: dict[Device, Sums] = {}
        for at_ms in range(start_ms, end_ms, step_ms):
            for device, column in self.columns(site, quantity, at_ms, at_ms + step_ms,
                                               devices).items():
                found.setdefault(device, {})[at_ms] = (len(column.values),
                                                       float(column.values.sum()))
        return found

    def texts(self, site: str, quantity: Quantity, start_ms: int, end_ms: int
              ) -> dict[Device, list[tuple[int, str]]]:
        return {}

    def derived(self, measurement: str, tags: Sequence[tuple[str, str]], start_ms: int,
                end_ms: int) -> list[DerivedPoint]:
        return []

    def ping(self) -> None:
        """It always answers."""

    def close(self) -> None:
        """It holds nothing."""


def at(day: int, who: str = "bina") -> Mark:
    """Somebody at the local midnight of a day of September."""
    return Mark(at_ms=local_midnight_ms(date(2026, 9, day), a_site().time_zone), who=who)


def declare(engine: Engine, *papers: dict[str, Any], **changed: Any) -> None:
    """The site, and its bills."""
    save_site(engine, a_site(**changed), "amir", 1)
    for paper in papers:
        declare_paper(engine, "s", paper, "amir", 1)

"""Small apportionments and bills for the tests of money."""

import inspect
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import ArrayLike

from seatwatt.billing.bill import Bill, BillLine, Period
from seatwatt.billing.exact import Ints
from seatwatt.billing.result import Apportionment, SeatTable
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms

KARACHI = ZoneInfo("Asia/Karachi")
DAY = Period(from_=date(2026, 9, 1), to=date(2026, 9, 2))
PARTIES = ("alpha", "beta", "operator")


def apportionment(energy: dict[str, ArrayLike], period: Period = DAY,
                  parties: tuple[str, ...] = PARTIES, interval_s: int = 3600,
                  **changed: Any) -> Apportionment:
    """`energy`: source -> milliwatt-hours [some intervals, parties]; the rest of the period is 0.

    Even intervals are peak. Everybody held one seat throughout, unless `changed` says otherwise.
    """
    grid = IntervalGrid.between(local_midnight_ms(period.from_, KARACHI),
                                local_midnight_ms(period.to, KARACHI), interval_s, KARACHI)
    shape = len(grid), len(parties)
    by_source = np.array([padded(rows, shape) for rows in energy.values()], dtype=np.int64)
    total = by_source.sum(axis=0)
    nothing = np.zeros(shape, dtype=np.int64)
    seats = SeatTable(**{name: np.zeros((0, 0), dtype=np.int64)  # type: ignore[arg-type]
                         for name in inspect.signature(SeatTable).parameters})
    fields: dict[str, Any] = dict.fromkeys(inspect.signature(Apportionment).parameters, ())
    fields |= {
        "site": "s", "grid": grid, "parties": parties, "sources": tuple(energy),
        "bands": ("offpeak", "peak"), "band_of": (np.arange(len(grid)) + 1) % 2,
        "supply_milliwh": by_source.sum(axis=2),
        "supply_measured": np.ones(by_source.shape[:2], dtype=np.bool_),
        "direct_milliwh": total, "shared_milliwh": nothing, "unaccounted_milliwh": nothing,
        "estimated_milliwh": nothing, "by_source_milliwh": by_source,
        "held_ms": np.full(shape, interval_s * 1000), "occupied_ms": nothing,
        "booked_ms": nothing, "seats": seats}
    return Apportionment(**{**fields, **changed})


def padded(rows: ArrayLike, shape: tuple[int, int]) -> Ints:
    """`rows` [some, parties] with rows of zeros behind it."""
    found = np.zeros(shape, dtype=np.int64)
    given = np.array(rows, dtype=np.int64)
    found[:len(given)] = given
    return found


def a_line(name: str = "energy", amount: int = 1000, share_by: str = "energy",
           **more: Any) -> BillLine:
    return BillLine(id=name, amount_minor=amount, share_by=share_by, **more)


def a_bill(*lines: BillLine, **more: Any) -> Bill:
    fields: dict[str, Any] = {"id": "b", "supplier": "PESCO", "period": DAY, "currency": "PKR",
                              "lines": lines or (a_line(),)}
    return Bill(**{**fields, **more})

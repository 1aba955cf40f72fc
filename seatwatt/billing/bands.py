"""Tariff bands: which band an interval lies in."""

from datetime import datetime, time, timedelta

import numpy as np

from seatwatt.billing.exact import Ints
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import OFFPEAK, BandRule

_SLOTS_A_DAY = 48

Slot = tuple[int, int, int]
"""Month, weekday and half hour of a local day; half hours from 48 on lie in the next day."""


def bands_of(grid: IntervalGrid, rules: tuple[BandRule, ...]) -> tuple[tuple[str, ...], Ints]:
    """Names of all bands, sorted, and for each interval the index of its band.

    Local wall-clock time decides, so both passes of an hour that the clock repeats are alike.
    InputError when the edge of a band would lie inside an interval.
    """
    for rule in rules:
        _check_edges(rule, grid.interval_s)
    names = tuple(sorted({OFFPEAK, *(rule.band for rule in rules)}))
    claimed = {slot: names.index(rule.band) for rule in rules for slot in _slots(rule)}
    offpeak = names.index(OFFPEAK)
    index = [_band_at(at_ms, grid, claimed, offpeak) for at_ms in grid.boundaries_ms[:-1]]
    return names, np.array(index, dtype=np.int64)


def _band_at(at_ms: int, grid: IntervalGrid, claimed: dict[Slot, int], offpeak: int) -> int:
    local = datetime.fromtimestamp(at_ms / 1000, grid.zone)
    slot = local.hour * 2 + local.minute // 30
    found = claimed.get((local.month, local.weekday(), slot))
    if found is not None:
        return found
    eve = local - timedelta(days=1)
    return claimed.get((eve.month, eve.weekday(), slot + _SLOTS_A_DAY), offpeak)


def _slots(rule: BandRule) -> list[Slot]:
    start, end = _minute(rule.start) // 30, _minute(rule.end) // 30
    last = end if end > start else end + _SLOTS_A_DAY
    return [(month, day, slot) for month in rule.months for day in rule.days
            for slot in range(start, last)]


def _check_edges(rule: BandRule, interval_s: int) -> None:
    for edge in (rule.start, rule.end):
        if _minute(edge) * 60 % interval_s:
            raise InputError("interval", f"{interval_s // 60}min has the edge {edge:%H:%M} of band "
                             f"{rule.band} inside an interval", "5, 10, 15 or 30min")


def _minute(at: time) -> int:
    return at.hour * 60 + at.minute

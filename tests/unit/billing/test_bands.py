"""Bands by month, weekday and local half hour."""

from datetime import date, time
from zoneinfo import ZoneInfo

import pytest

from seatwatt.billing.bands import bands_of
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import BandRule

ALL, DAYS = tuple(range(1, 13)), tuple(range(7))


def rule(start: str, end: str, months: tuple[int, ...] = ALL, days: tuple[int, ...] = DAYS,
         band: str = "peak") -> BandRule:
    return BandRule(band=band, months=months, days=days, start=time.fromisoformat(start),
                    end=time.fromisoformat(end))


def peak(day: date, *rules: BandRule, minutes: int = 30, zone: str = "Asia/Karachi") -> list[int]:
    """Which intervals of a local day are peak."""
    place = ZoneInfo(zone)
    over = IntervalGrid.between(local_midnight_ms(day, place),
                                local_midnight_ms(date.fromordinal(day.toordinal() + 1), place),
                                minutes * 60, place)
    names, index = bands_of(over, rules)
    return [at for at, band in enumerate(index.tolist()) if names[band] == "peak"]


@pytest.mark.parametrize(("day", "rules", "slots"), [
    (date(2026, 10, 7), [rule("18:30", "22:30")], range(37, 45)),
    (date(2026, 10, 7), [rule("18:30", "22:30", months=(11,))], []),
    (date(2026, 10, 7), [rule("18:30", "22:30", days=(2,))], range(37, 45)),  # a Wednesday
    (date(2026, 10, 7), [rule("18:30", "22:30", days=(3,))], []),
    (date(2026, 10, 7), [rule("22:00", "02:00")], [0, 1, 2, 3, 44, 45, 46, 47]),
    (date(2026, 10, 7), [rule("22:00", "02:00", days=(1,))], [0, 1, 2, 3]),   # since Tuesday
    (date(2026, 10, 1), [rule("22:00", "02:00", months=(9,))], [0, 1, 2, 3]),  # since September
    (date(2026, 10, 7), [rule("06:00", "06:00", days=(2,))], range(12, 48)),
    (date(2026, 10, 7), [], []),
])
def test_half_hours(day: date, rules: list[BandRule], slots: range) -> None:
    assert peak(day, *rules) == list(slots)


def test_days_of_23_and_25_hours() -> None:
    night = rule("02:00", "03:00")
    assert peak(date(2026, 3, 29), night, zone="Europe/Amsterdam") == []
    assert peak(date(2026, 10, 25), night, zone="Europe/Amsterdam") == [4, 5, 6, 7]


def test_names_are_sorted_and_offpeak_is_always_there() -> None:
    place = ZoneInfo("Asia/Karachi")
    start = local_midnight_ms(date(2026, 10, 7), place)
    over = IntervalGrid.between(start, start + 3_600_000, 1800, place)
    names, _ = bands_of(over, (rule("17:00", "18:00", band="peak"),
                               rule("00:00", "05:00", band="night")))
    assert names == ("night", "offpeak", "peak")


def test_an_edge_inside_an_interval_is_refused() -> None:
    with pytest.raises(InputError, match="60min has the edge 18:30 of band peak inside"):
        peak(date(2026, 10, 7), rule("18:30", "22:30"), minutes=60)
    with pytest.raises(InputError, match="20min has the edge 22:30"):
        peak(date(2026, 10, 7), rule("18:00", "22:30"), minutes=20)

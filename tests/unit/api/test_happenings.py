"""Outages from the grid's power, months in local days, and the load of the moment."""

from datetime import date

import numpy as np
import pytest

from seatwatt.api.jobs.happenings import exchange_events, outages, ups_days
from seatwatt.api.jobs.live import live_points
from seatwatt.api.jobs.months import months
from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import Series
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site
from seatwatt.store.ports import Column, LastReading

GRID, SECOND = Device("meter", "plant", "grid"), Device("meter", "plant", "grid-2")


def column(*pairs: tuple[int, float]) -> Column:
    return Column(np.array([at for at, _ in pairs], dtype=np.int64),
                  np.array([value for _, value in pairs]))


@pytest.mark.parametrize(("readings", "expected"), [
    ([(0, 500.0), (10, 0.0), (20, 0.0), (30, 480.0), (40, 510.0)], [(10, 30)]),
    ([(0, 500.0), (10, 0.0), (20, 0.0)], [(10, 20)]),
    ([(0, 500.0), (10, 0.0)], []),
    ([(0, 500.0), (10, -700.0)], []),
    ([(0, 0.0), (10, 3.0), (20, 0.5), (30, 9.0)], [(0, 10), (20, 30)]),
])
def test_an_outage_lasts_from_no_power_to_power(readings: list[tuple[int, float]],
                                                expected: list[tuple[int, int]]) -> None:
    assert outages({GRID: column(*readings)}) == expected


def test_one_feeder_left_is_no_outage() -> None:
    assert outages({GRID: column((0, 9.0), (10, 0.0), (20, 0.0), (30, 9.0)),
                    SECOND: column((5, 9.0), (25, 0.0), (35, 9.0))}) == [(25, 30)]


def test_no_readings_tell_of_no_outage() -> None:
    assert outages({}) == []


@pytest.mark.parametrize(("today", "expected"), [
    (date(2026, 1, 1), [(date(2025, 12, 1), date(2026, 1, 1)),
                        (date(2026, 1, 1), date(2026, 1, 2))]),
    (date(2026, 3, 31), [(date(2026, 2, 1), date(2026, 3, 1)),
                         (date(2026, 3, 1), date(2026, 4, 1))]),
])
def test_a_month_ends_with_today(today: date, expected: list[tuple[date, date]]) -> None:
    assert months(today) == expected


def small(**more: object) -> Site:
    return parse_site({"site": "one", "time_zone": "Asia/Karachi", "currency": "PKR",
                       "zones": {"plant": {"kind": "plant"}},
                       "meters": {"plant/grid": {"source": "grid"},
                                  "plant/generator": {"source": "generator"}}, **more})


def heard(name: str, power_w: float, at_ms: int) -> LastReading:
    series = Series("one", Device("meter", "plant", name), quantity("meter", "power"))
    return LastReading(series, at_ms, power_w)


def test_the_load_is_the_sum_of_the_sources_that_are_heard() -> None:
    last = [heard("grid", 0.0, 900_000), heard("generator", 4000.0, 995_000)]
    [point] = live_points(small(sanctioned_load_w=10_000), last, 1_000_000, 300)
    assert dict(point.fields) == {"load_w": 4000.0, "grid_w": 0.0, "generator_w": 4000.0,
                                  "grid_on": 0.0, "generator_on": 1.0, "load_pct": 40.0}
    [alone] = live_points(small(), last, 1_250_000, 300)
    assert dict(alone.fields) == {"load_w": 4000.0, "generator_w": 4000.0, "generator_on": 1.0}
    assert live_points(small(), last, 2_000_000, 300) == []


def test_no_load_is_told_while_the_source_that_carries_it_is_silent() -> None:
    last = [heard("grid", 9000.0, 100_000), heard("generator", 0.4, 995_000)]
    [point] = live_points(small(sanctioned_load_w=10_000), last, 1_000_000, 300)
    assert dict(point.fields) == {"generator_w": 0.4, "generator_on": 0.0}
    # A generator whose own meter is dead while it stands still hides nothing.
    last = [heard("grid", 9000.0, 995_000), heard("generator", 0.0, 100_000)]
    [point] = live_points(small(), last, 1_000_000, 300)
    assert dict(point.fields)["load_w"] == 9000.0
    [dark] = live_points(small(), [heard("grid", 0.0, 995_000), heard("generator", 0.0, 995_000)],
                         1_000_000, 300)
    assert dict(dark.fields)["load_w"] == 0.0


def test_a_declared_exchange_is_an_event() -> None:
    site = small(exchanges=[{"meter": "plant/grid", "at": "2026-10-07T11:00:00+05:00",
                             "final_wh": 1200, "initial_wh": 0}])
    [event] = exchange_events(site)
    fields = dict(event.fields)
    assert fields["title"] == "Meter exchanged: meter/plant/grid"
    assert event.time_ms == fields["end_ms"] == 1_791_352_800_000


def test_a_ups_day_counts_transfers_and_time_on_battery() -> None:
    # Midnight of Karachi lies between the two spells on battery.
    midnight = 1_791_313_200_000
    times = [midnight - 120_000, midnight - 60_000, midnight, midnight + 60_000, midnight + 90_000,
             midnight + 150_000]
    flags = column(*zip(times, [0.0, 1.0, 0.0, 1.0, 1.0, 0.0], strict=True))
    first, second = ups_days(small(), Device("ups", "plant", "ups-1"), flags)
    assert dict(first.fields) == {"transfers": 1.0, "battery_s": 60.0}
    assert dict(second.fields) == {"transfers": 1.0, "battery_s": 90.0}
    assert second.time_ms == midnight == first.time_ms + 86_400_000

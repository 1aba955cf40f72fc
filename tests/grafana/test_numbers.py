"""Golden numbers: kilowatt-hours of local days across a reset and local midnight, and what else
an engineer would add up by hand."""

import pytest

from seatwatt.contract.devices import Device
from tests.grafana.files import targets
from tests.grafana.influx import Frame
from tests.grafana.seeding import Seeded
from tests.grafana.test_queries import ALL, frames
from tests.grafana.world import DAY

TO_ZONE = "sw-electricity: Daily energy by zone A"


def shown(seeded: Seeded, where: str, hours: int = 720) -> list[Frame]:
    target = next(each for each in targets() if each.where == where)
    return frames(seeded, target.query, hours, ALL, target.panel["interval"])


def test_daily_kwh_by_zone_across_a_reset_and_midnight(seeded: Seeded) -> None:
    world = seeded.world
    by_zone = {frame.tags["zone"]: dict(frame.pairs()) for frame in shown(seeded, TO_ZONE)}
    for zone in ("hall-a", "hall-b"):
        board = Device("meter", zone, "board")
        for day in (0, 1):
            # What was lost in the reset's own minute and by rounding is far below 10 Wh.
            assert by_zone[zone][world.at_ms(day * DAY)] == pytest.approx(
                world.true_kwh(board, day), abs=0.01), (zone, day)


def test_daily_kwh_by_tenant_adds_up_to_the_supply(seeded: Seeded) -> None:
    world = seeded.world
    tenants = shown(seeded, "sw-electricity: Daily energy by tenant A")
    sources = [shown(seeded, f"sw-electricity: Daily energy by source {ref}")[0] for ref in "AB"]
    for day in (0, 1):
        at = world.at_ms(day * DAY)
        supply = sum(world.true_kwh(Device("meter", "plant", name), day)
                     for name in ("grid", "generator"))
        assert sum(dict(frame.pairs())[at] for frame in tenants) == pytest.approx(supply, abs=0.02)
        assert sum(dict(frame.pairs())[at] for frame in sources) == pytest.approx(supply, abs=0.02)


def test_an_outage_is_no_bad_frequency_or_power_factor(seeded: Seeded) -> None:
    """Nothing is read at zero volts: hours with an outage in them are not half as fast."""
    for title, lowest in (("Frequency", 49.15), ("Power factor", 0.65)):
        values = [value for frame in shown(seeded, f"sw-electricity: {title} A")
                  for _, value in frame.pairs()]
        assert min(values) > lowest


def test_a_minute_on_battery_shows_at_thirty_days(seeded: Seeded) -> None:
    for frame in shown(seeded, "sw-ups: Mains or battery A"):
        assert max(value for _, value in frame.pairs()) == 1.0


def test_transfers_a_day(seeded: Seeded) -> None:
    for frame in shown(seeded, "sw-ups: Transfers a day A"):
        assert [value for _, value in frame.pairs()][1:3] == [0.0, 1.0]


def test_seats_empty_held_and_used(seeded: Seeded) -> None:
    highest = {}
    for title in ("Empty seats drawing power", "Held but unused", "Used but not held"):
        for frame in shown(seeded, f"sw-seats: {title} A"):
            highest[title, frame.tags["zone"]] = max(value for _, value in frame.pairs())
    # Hall A's six seats stay on at night; hall B's 1 and 2 are held and never used, its 4 is used
    # and held by nobody.
    assert highest["Empty seats drawing power", "hall-a"] == 6
    assert highest["Empty seats drawing power", "hall-b"] == 0
    assert highest["Held but unused", "hall-b"] == 3
    assert highest["Used but not held", "hall-b"] == 1
    assert highest["Used but not held", "hall-a"] == 0


def test_working_hours_mean_and_peak(seeded: Seeded) -> None:
    hours = {**ALL, "hour": ["09", "10", "11"]}
    target = next(each for each in targets() if each.where.startswith("sw-seats: Mean in the"))
    shares = {frame.tags["zone"]: frame.pairs()[0][1]
              for frame in frames(seeded, target.query, 720, hours)}
    assert shares == pytest.approx({"hall-a": 100.0, "hall-b": 50.0})


def test_a_seat_counts_the_same_in_a_large_zone_and_a_small_one(seeded: Seeded) -> None:
    """Eight of ten seats: six of six in one hall, two of four in the other."""
    shares = {(frame.tags["weekday"], frame.tags["hour"]): frame.pairs()[0][1]
              for frame in shown(seeded, "sw-seats: Hour by weekday A")}
    assert shares["3-wed", "11"] == shares["3-wed", "17"] == pytest.approx(80.0)
    assert shares["3-wed", "20"] == 0.0


@pytest.mark.parametrize(("hours", "refused"), [(4, 0.0), (24, 20.0), (720, 20.0)])
def test_what_was_quarantined_survives_that_ingest_began_anew(
        seeded: Seeded, hours: int, refused: float) -> None:
    [frame] = shown(seeded, "sw-pipeline: Quarantined in the range A", hours)
    assert [value for _, value in frame.pairs()] == [refused]


def test_the_generator_ran_in_the_intervals_of_the_outage(seeded: Seeded) -> None:
    [frame] = shown(seeded, "sw-electricity: Generator hours A")
    assert [value for _, value in frame.pairs()] == [1.0]


def test_costs_are_the_tariff_on_the_energy(seeded: Seeded) -> None:
    [month] = [frame for frame in shown(seeded, "sw-tenants: Energy by tenant A", 960)
               if frame.tags == {"tenant": "alpha", "month": "2026-09"}]
    [cost] = [frame for frame in shown(seeded, "sw-tenants: Provisional cost by tenant A", 960)
              if frame.tags == {"tenant": "alpha", "month": "2026-09"}]
    kwh, amount = month.pairs()[0][1] / 1000, cost.pairs()[0][1]
    assert 32.24 * kwh < amount < 43.82 * kwh

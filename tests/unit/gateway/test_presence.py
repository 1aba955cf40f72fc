"""Presence: hold, several sensors, plug power in their place, and when it is published."""

import csv
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.errors import InputError
from seatwatt.gateway.config import PresenceRule, ZigbeeSource
from seatwatt.gateway.presence import POWER_STALE_MS, REPEAT_MS, SENSOR_SILENT_MS, Presence
from tests.shared import shared

S = 1000
HOUR = 3600 * S
T0 = 1_790_000_100_000
PIR, RADAR = ZigbeeSource(name="pir"), ZigbeeSource(name="radar")


def seat(sensors: int = 1, hold_s: int = 300, power_above_w: float | None = None) -> Presence:
    return Presence(PresenceRule(sensors=(PIR, RADAR)[:sensors], hold_s=hold_s,
                                 power_above_w=power_above_w))


def test_a_sensor_that_blinks_is_still_a_person() -> None:
    one = seat()
    for minute in range(20):
        one.hear(0, T0 + minute * 60 * S, minute % 4 == 0)
        assert one.occupied(T0 + minute * 60 * S) is True


def test_the_hold_runs_from_the_last_sign() -> None:
    one = seat(hold_s=300)
    one.hear(0, T0, True)
    one.hear(0, T0 + 65 * S, False)
    assert one.occupied(T0 + 364 * S) is True
    assert one.occupied(T0 + 365 * S) is False


def test_any_of_several_sensors_is_enough() -> None:
    one = seat(2, hold_s=60)
    one.hear(0, T0, False)
    one.hear(1, T0, True)
    assert one.occupied(T0 + HOUR) is True
    one.hear(1, T0 + HOUR, False)
    assert one.occupied(T0 + HOUR + 60 * S) is False


def test_nothing_is_said_before_anything_is_known() -> None:
    one = seat()
    assert one.occupied(T0) is None
    assert one.publish(T0) == []
    one.hear(0, T0, None)
    assert one.occupied(T0) is False


def test_a_sensor_stuck_at_present_is_not_believed_for_ever() -> None:
    one = seat()
    one.hear(0, T0, True)
    assert one.occupied(T0 + SENSOR_SILENT_MS - 1) is True
    assert one.occupied(T0 + SENSOR_SILENT_MS) is None
    one.lose(0, T0 + SENSOR_SILENT_MS)
    assert one.occupied(T0 + SENSOR_SILENT_MS + HOUR) is None


def test_a_lost_sensor_counts_no_further_than_its_hold() -> None:
    one = seat(hold_s=300)
    one.hear(0, T0, True)
    one.lose(0, T0 + 60 * S)
    assert one.occupied(T0 + 200 * S) is True
    assert one.occupied(T0 + 360 * S) is None


def test_power_stands_in_where_no_sensor_lives() -> None:
    one = seat(1, hold_s=300, power_above_w=25)
    one.power(T0, 80.0)
    assert one.occupied(T0) is True
    one.power(T0 + 300 * S, 3.0)
    assert one.occupied(T0 + 300 * S) is False
    one.power(T0 + 400 * S, 80.0)
    one.hear(0, T0 + 400 * S, False)
    assert one.occupied(T0 + 400 * S) is False
    one.lose(0, T0 + 500 * S)
    assert one.occupied(T0 + 500 * S) is True
    assert one.occupied(T0 + 400 * S + POWER_STALE_MS) is None


def test_power_is_ignored_where_it_is_not_declared() -> None:
    one = seat()
    one.power(T0, 500.0)
    assert one.occupied(T0) is None


def test_published_on_change_and_every_five_minutes() -> None:
    one = seat(hold_s=120)
    one.hear(0, T0 + 7 * S, True)
    assert one.publish(T0 + 7 * S) == [(T0 + 7 * S, True)]
    assert one.publish(T0 + 8 * S) == []
    one.hear(0, T0 + 60 * S, False)
    assert one.publish(T0 + 170 * S) == []
    repeat = T0 + REPEAT_MS - T0 % REPEAT_MS
    assert one.publish(T0 + 181 * S) == [(T0 + 180 * S, False)]
    assert repeat == T0 + 300 * S
    assert one.publish(repeat) == [(repeat, False)]
    assert one.publish(repeat + 299 * S) == []
    assert one.publish(repeat + REPEAT_MS + 3) == [(repeat + REPEAT_MS, False)]


EVENTS = st.lists(st.tuples(st.integers(0, 400), st.sampled_from(["yes", "no", "idle", "lose",
                                                                  "power", "tick"]),
                            st.integers(0, 1)), max_size=60)


@given(EVENTS, st.integers(0, 600))
def test_laws_of_presence(events: list[tuple[int, str, int]], hold_s: int) -> None:
    one, now, signs = seat(2, hold_s, power_above_w=20), T0, []
    published: list[tuple[int, bool]] = []
    for gap_s, what, sensor in events:
        now += gap_s * S
        if what in ("yes", "no", "idle"):
            one.hear(sensor, now, {"yes": True, "no": False, "idle": None}[what])
            signs += [now] if what == "yes" else []
        elif what == "lose":
            one.lose(sensor, now)
        elif what == "power":
            one.power(now, 50.0 if sensor else 1.0)
        new = one.publish(now)
        if what == "yes":
            assert one.occupied(now) is True
        if signs and now < signs[-1] + hold_s * S:
            assert one.occupied(now) is True
        published += new
        assert [at for at, _ in published] == sorted({at for at, _ in published})
        assert all(at <= now or at == published[-1][0] for at, _ in new)
        state = one.occupied(now)
        if state is not None:
            assert published[-1][1] is state
            assert now - published[-1][0] < REPEAT_MS + 1


def test_a_rule_needs_something_to_go_by() -> None:
    with pytest.raises(InputError, match="sensors: there is none"):
        PresenceRule()
    with pytest.raises(InputError, match="hold_s: -1 is out of range"):
        PresenceRule(power_above_w=5, hold_s=-1)


@pytest.mark.parametrize("number", range(1, 9))
def test_real_people_at_real_desks(number: int) -> None:
    """A sensor that saw each minute what the observers saw: no minute of work is lost, and an
    empty desk is called occupied for no longer than the hold after somebody left."""
    path = shared(f"data/desk-presence/Model_predicted_results/MAC_{number}.csv")
    rows = list(csv.DictReader(path.read_text(encoding="utf-8-sig").splitlines()))
    one, hold_s = seat(hold_s=300), 300
    gone_at, was = None, False
    for row in rows:
        now = int(datetime.fromisoformat(row["Datetime"]).replace(tzinfo=UTC).timestamp()) * S
        there = row["Real_state"] in ("arrival", "stay")
        one.hear(0, now, there)
        gone_at = now if was and not there else gone_at
        was = there
        held = gone_at is not None and now < gone_at + hold_s * S
        assert one.occupied(now) is (there or held)
    assert len(rows) > 3000

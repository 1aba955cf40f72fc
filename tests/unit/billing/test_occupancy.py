"""Occupied seat-time: states in time, and whose they are."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwatt.billing.holders import holding_of
from seatwatt.billing.occupancy import HOLD_MS, occupied_ms, occupied_spans, told_spans
from seatwatt.billing.spans import Spans
from seatwatt.contract.meters import OPERATOR
from tests.unit.billing import worlds

PARTIES = ("alpha", "beta", OPERATOR)
START, MINUTE = worlds.ms("10:00"), worlds.MINUTE_MS


@pytest.mark.parametrize(("readings", "spans"), [
    ([], []),
    ([(0, 0.0), (10, 0.0)], []),
    ([(0, 1.0), (10, 0.0)], [(0, 10)]),
    ([(0, 1.0), (10, 1.0), (20, 0.0)], [(0, 20)]),
    ([(0, 1.0), (10, 0.0), (20, 1.0), (30, 0.0)], [(0, 10), (20, 30)]),
    ([(0, 1.0)], [(0, HOLD_MS)]),                        # then the sensor fell silent
    ([(0, 1.0), (2 * HOLD_MS, 1.0), (2 * HOLD_MS + 5, 0.0)],
     [(0, HOLD_MS), (2 * HOLD_MS, 2 * HOLD_MS + 5)]),
])
def test_a_state_holds_until_the_next_reading(readings: list[tuple[int, float]],
                                              spans: list[tuple[int, int]]) -> None:
    times = np.array([at for at, _ in readings], dtype=np.int64)
    found = occupied_spans(times, np.array([value for _, value in readings]))
    assert list(zip(found.starts_ms.tolist(), found.ends_ms.tolist(), strict=True)) == spans


def test_a_seat_is_known_while_a_reading_holds_whatever_it_says() -> None:
    assert len(told_spans(np.array([], dtype=np.int64)).starts_ms) == 0
    found = told_spans(np.array([5, 10, 2 * HOLD_MS], dtype=np.int64))
    assert list(zip(found.starts_ms.tolist(), found.ends_ms.tolist(), strict=True)) == [
        (5, 10 + HOLD_MS), (2 * HOLD_MS, 3 * HOLD_MS)]


minutes = st.lists(st.integers(0, 120), unique=True, max_size=8).map(sorted)


@given(minutes, st.lists(st.integers(0, 120), unique=True, min_size=4, max_size=4).map(sorted))
@settings(max_examples=80, deadline=None)
def test_moments_decide_where_the_holder_changes(sat: list[int], cuts: list[int]) -> None:
    spans = Spans.of([(START + a * MINUTE, START + b * MINUTE)
                      for a, b in zip(sat[::2], sat[1::2], strict=False)])
    held = {"alpha": cuts[:2], "beta": cuts[2:]}
    site = worlds.site(zones={"hall-a": 1}, leases=[
        worlds.lease(party, "hall-a/001", from_=worlds.instant(START + a * MINUTE),
                     to=worlds.instant(START + b * MINUTE)) for party, (a, b) in held.items()])
    over = worlds.grid()
    found = occupied_ms(holding_of(site, over, PARTIES), {0: spans},
                        np.array(over.boundaries_ms))
    sitting = {m for a, b in zip(sat[::2], sat[1::2], strict=False) for m in range(a, b)}
    who = {m: party for party, (a, b) in held.items() for m in range(a, b)}
    assert found.tolist() == [[
        [MINUTE * sum(who.get(m, OPERATOR) == party for m in sitting if hour <= m < hour + 60)
         for party in PARTIES] for hour in (0, 60)]]

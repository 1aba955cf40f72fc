"""Held time: vectors against spans taken one by one."""

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwatt.billing.holders import MIXED, Holding, holding_of
from seatwatt.contract.errors import ConflictError
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leases import Lease, Shift
from seatwatt.contract.leasetimes import held_spans_ms
from seatwatt.contract.meters import OPERATOR
from seatwatt.contract.site import Site
from tests.unit.billing import worlds

ZONES = {zone: ZoneInfo(zone) for zone in ("Asia/Karachi", "Europe/Amsterdam")}
FIRST = date(2026, 10, 24)  # the clocks of Amsterdam go back on the 25th
PARTIES = ("alpha", "beta", OPERATOR)


def cells(holding: Holding) -> np.ndarray:
    """[places, n, parties] in milliseconds, written out."""
    held = np.zeros((*holding.holder.shape, len(holding.parties)), dtype=np.int64)
    place, interval = np.nonzero(holding.holder != MIXED)
    held[place, interval, holding.holder[place, interval]] = holding.lengths_ms[interval]
    mixed = holding.mixed
    held[mixed.place, mixed.interval, mixed.party] = mixed.held_ms
    return held


def slow(site: Site, over: IntervalGrid) -> np.ndarray:
    """The same from spans of each lease, one overlap at a time."""
    seats = [(zone.name, seat) for zone in site.zones for seat in zone.seats]
    held = np.zeros((len(seats), len(over), len(PARTIES)), dtype=np.int64)
    for lease in site.leases:
        spans = list(held_spans_ms(lease, over.zone, over.start_ms, over.end_ms))
        for seat in lease.seats:
            for k in range(len(over)):
                a, b = over.boundaries_ms[k:k + 2]
                held[seats.index(seat), k, PARTIES.index(lease.tenant)] += sum(
                    max(0, min(b, end) - max(a, start)) for start, end in spans)
    held[:, :, -1] = np.diff(over.boundaries_ms) - held.sum(axis=2)
    return held


times = st.integers(0, 24 * 12 - 1).map(lambda five: time(five // 12, five % 12 * 5))
days = st.integers(-2, 4).map(lambda ahead: FIRST + timedelta(days=ahead))


@st.composite
def leased(draw: st.DrawFn) -> tuple[Lease, ...]:
    """A seat in two shifts that share the day between them, another by dates."""
    start, end = draw(times), draw(times)
    week = draw(st.sets(st.integers(0, 6), min_size=1))
    both = [Shift(days=tuple(sorted(week)), start=start, end=end)]
    if start != end:
        both.append(Shift(days=tuple(range(7)), start=end, end=start))
    leases = [worlds.lease(tenant, "hall-a/001", from_=draw(days), shift=shift)
              for tenant, shift in zip(("alpha", "beta"), both, strict=False)]
    cut = draw(days)
    leases.append(worlds.lease("beta", "hall-a/002", from_=cut - timedelta(days=1), to=cut))
    leases.append(worlds.lease("alpha", "hall-a/002", from_=cut))
    return tuple(leases)


@given(leased(), st.sampled_from(sorted(ZONES)), st.sampled_from((5, 30, 60)))
@settings(max_examples=60, deadline=None)
def test_vectors_are_the_spans(leases: tuple[Lease, ...], zone: str, minutes: int) -> None:
    place = ZONES[zone]
    over = IntervalGrid.between(local_midnight_ms(FIRST, place),
                                local_midnight_ms(FIRST + timedelta(days=2), place),
                                minutes * 60, place)
    try:
        site = worlds.site(zones={"hall-a": 3}, leases=leases, time_zone=place)
    except ConflictError:
        return  # shifts that overlap where the clock jumps are refused on entry
    held = cells(holding_of(site, over, PARTIES))
    assert np.array_equal(held, slow(site, over))
    assert (held.sum(axis=2) == np.diff(over.boundaries_ms)).all()


def test_sums_by_zone_and_place() -> None:
    site = worlds.site(zones={"hall-a": 2, "hall-b": 1, "cabin": 0}, leases=[
        worlds.lease("alpha", "hall-a/001", to=worlds.moment("10:15")),
        worlds.lease("beta", "hall-b/001"),
        Lease(tenant="beta", seats=(), zones=("cabin",), from_=date(2026, 10, 1))])
    holding = holding_of(site, worlds.grid(), PARTIES)
    assert holding.places == (("hall-a", "001"), ("hall-a", "002"), ("hall-b", "001"),
                              ("cabin", ""))
    full = np.broadcast_to(holding.lengths_ms, holding.holder.shape)
    quarter, hour = 900_000, 3_600_000
    assert holding.by_place(full, holding.mixed.held_ms).tolist() == [
        [quarter, 0, 2 * hour - quarter], [0, 0, 2 * hour], [0, 2 * hour, 0], [0, 2 * hour, 0]]
    assert holding.by_zone(full, holding.mixed.held_ms)[0].tolist() == [
        [quarter, 0, 2 * hour - quarter], [0, 0, 2 * hour]]


def test_a_site_without_places() -> None:
    holding = holding_of(worlds.site(zones={"plant": 0}), worlds.grid(), PARTIES)
    assert holding.places == ()
    none = np.zeros((0, 2), dtype=np.int64)
    assert holding.by_zone(none, holding.mixed.held_ms).shape == (0, 2, 3)
    assert holding.by_place(none, holding.mixed.held_ms).shape == (0, 3)
    assert holding.holder.shape == (0, 2)


@pytest.mark.parametrize(("first", "second"), [
    ((None, None), (None, None)),
    ((None, "10:40"), ("10:30", None)),
    (("10:00", "10:40"), ("10:20", "10:50")),
    ((None, None), ("10:20", "10:50")),
])
def test_a_seat_held_twice_is_refused_even_past_the_entry(
        first: tuple[str | None, str | None], second: tuple[str | None, str | None],
        monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwatt.contract.sitechecks.check_leases_apart", lambda site: None)
    leases = [worlds.lease(tenant, "hall-a/001",
                           from_=worlds.moment(start or "2026-10-01T00:00"),
                           to=worlds.moment(end) if end else None)
              for tenant, (start, end) in (("alpha", first), ("beta", second))]
    with pytest.raises(ConflictError, match="hall-a/001 is held twice at once"):
        holding_of(worlds.site(leases=leases), worlds.grid(), PARTIES)

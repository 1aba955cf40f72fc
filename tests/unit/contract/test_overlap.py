"""Leases that claim one seat at one moment: held to a plain search step by step."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.leasetimes import held_spans_ms
from seatwatt.contract.site import Lease, Shift, Site, Tenant, Zone

KARACHI = ZoneInfo("Asia/Karachi")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
STEP = timedelta(minutes=15)
"""All times that are drawn lie on quarter hours, so nothing happens between two steps."""


def site(zone: ZoneInfo, *leases: Lease, seats: int = 3) -> Site:
    names = tuple(f"{number:03}" for number in range(1, seats + 1))
    return Site(id="s", name="s", time_zone=zone, currency="PKR",
                zones=(Zone(name="hall", seats=names), Zone(name="room")),
                tenants=(Tenant(id="alpha"), Tenant(id="beta")), leases=leases)


def lease(*seats: str, tenant: str = "alpha", **fields: Any) -> Lease:
    return Lease(tenant=tenant, seats=tuple(("hall", seat) for seat in seats), **fields)


def first_step(zone: ZoneInfo, one: Lease, two: Lease, days: int) -> datetime | None:
    """The first moment (UTC) that both hold, by asking at each step of a span of days."""
    start = datetime.combine(min(_day(one.from_), _day(two.from_)), time(), tzinfo=zone)
    at = start.astimezone(UTC)
    for _ in range(days * 96):
        if _holds(zone, one, at) and _holds(zone, two, at):
            return at
        at += STEP
    return None


def _day(when: date | datetime) -> date:
    return when.date() if isinstance(when, datetime) else when


def _holds(zone: ZoneInfo, lease: Lease, at: datetime) -> bool:
    begin, end = _instant(zone, lease.from_), _instant(zone, lease.to or date(2199, 1, 1))
    if not begin <= at < end:
        return False
    if lease.shift is None:
        return True
    today = at.astimezone(zone).date()
    return any(_occurs(zone, lease.shift, today - timedelta(days=back), at)
               for back in (0, 1))


def _occurs(zone: ZoneInfo, shift: Shift, day: date, at: datetime) -> bool:
    if day.weekday() not in shift.days:
        return False
    last = day + timedelta(days=1) if shift.end <= shift.start else day
    starts = datetime.combine(day, shift.start, tzinfo=zone).astimezone(UTC)
    ends = datetime.combine(last, shift.end, tzinfo=zone).astimezone(UTC)
    return starts <= at < ends


def _instant(zone: ZoneInfo, when: date | datetime) -> datetime:
    if isinstance(when, datetime):
        return when.astimezone(UTC)
    return datetime.combine(when, time(), tzinfo=zone).astimezone(UTC)


_clocks = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30, 45]))
_shifts = st.builds(lambda days, start, end: Shift(days=tuple(sorted(days)), start=start, end=end),
                    st.sets(st.integers(0, 6), min_size=1), _clocks, _clocks)
# Both changes of the Dutch clock in 2026 lie in reach: 29 March and 25 October.
_days = st.sampled_from([date(2026, 3, 26), date(2026, 10, 22), date(2026, 6, 1)])


@st.composite
def _pairs(draw: st.DrawFn) -> tuple[Lease, Lease]:
    first = draw(_days)
    leases = []
    for tenant in ("alpha", "beta"):
        start = first + timedelta(days=draw(st.integers(0, 4)))
        from_: date | datetime = start
        if draw(st.booleans()):
            from_ = datetime.combine(start, draw(_clocks), tzinfo=AMSTERDAM)
        length = draw(st.none() | st.integers(1, 9))
        leases.append(lease("001", tenant=tenant, from_=from_,
                            to=None if length is None else start + timedelta(days=length),
                            shift=draw(st.none() | _shifts)))
    return leases[0], leases[1]


_NIGHT = Shift(days=(5,), start=time(22), end=time(2, 45))
_MORNING = Shift(days=(6,), start=time(3), end=time(6))


@settings(max_examples=60)
@given(_pairs())
@example((lease("001", from_=date(2026, 3, 26), shift=_NIGHT),
          lease("001", tenant="beta", from_=date(2026, 3, 26), shift=_MORNING)))
def test_two_leases_clash_exactly_when_a_moment_has_two_holders(pair: tuple[Lease, Lease]) -> None:
    expected = first_step(AMSTERDAM, *pair, days=24)
    try:
        site(AMSTERDAM, *pair)
        found = None
    except ConflictError as error:
        words = error.problem.split(" from ")[1]
        found = datetime.fromisoformat(words).astimezone(UTC)
    if expected is not None or found is None or found < _instant(
            AMSTERDAM, min(_day(pair[0].from_), _day(pair[1].from_)) + timedelta(days=24)):
        assert found == expected


@settings(max_examples=60)
@given(_pairs())
def test_the_spans_of_a_lease_are_the_moments_it_holds(pair: tuple[Lease, Lease]) -> None:
    start = _instant(AMSTERDAM, _day(pair[0].from_))
    end = start + timedelta(days=12)
    spans = list(held_spans_ms(pair[0], AMSTERDAM, _ms(start), _ms(end)))
    assert all(low < high for low, high in spans)
    at, seen = start, []
    while at < end:
        seen.append(_holds(AMSTERDAM, pair[0], at))
        at += STEP
    held = [any(low <= _ms(start + index * STEP) < high for low, high in spans)
            for index in range(len(seen))]
    assert held == seen


def _ms(at: datetime) -> int:
    return round(at.timestamp() * 1000)


def test_shifts_that_meet_only_where_the_clock_jumps_clash_on_that_day() -> None:
    """On 29 March 2026 02:45 does not exist: it is taken as 03:45, when the morning has begun."""
    with pytest.raises(ConflictError, match=r"both claim hall/001 from 2026-03-29T03:00:00\+02:00"):
        site(AMSTERDAM, lease("001", from_=date(2025, 6, 1), shift=_NIGHT),
             lease("001", tenant="beta", from_=date(2025, 6, 1), shift=_MORNING))
    assert site(KARACHI, lease("001", from_=date(2025, 6, 1), shift=_NIGHT),
                lease("001", tenant="beta", from_=date(2025, 6, 1), shift=_MORNING)).leases


def test_two_shifts_may_share_a_seat_across_midnight() -> None:
    days = tuple(range(7))
    site(KARACHI,
         lease("001", from_=date(2026, 10, 1), shift=Shift(days=days, start=time(9), end=time(20))),
         lease("001", tenant="beta", from_=date(2026, 10, 1),
               shift=Shift(days=days, start=time(20), end=time(9))))


def test_the_shift_of_sunday_reaches_into_monday() -> None:
    with pytest.raises(ConflictError, match=r"from 2026-10-05T00:00:00\+05:00"):
        site(KARACHI,
             lease("001", from_=date(2026, 10, 1),
                   shift=Shift(days=(6,), start=time(22), end=time(4))),
             lease("001", tenant="beta", from_=date(2026, 10, 1),
                   shift=Shift(days=(0,), start=time(0), end=time(2))))


def test_the_earliest_of_several_clashes_is_told() -> None:
    with pytest.raises(ConflictError, match=r"leases\[1\]|first and third .* claim hall/002 from "
                                            r"2026-10-05T00:00:00\+05:00"):
        site(KARACHI,
             lease("001", "002", from_=date(2026, 10, 1), label="first"),
             lease("001", tenant="beta", from_=date(2026, 11, 1), label="second"),
             lease("002", tenant="beta", from_=date(2026, 10, 5), label="third"),
             lease("002", tenant="beta", from_=date(2026, 10, 6), label="fourth"))


def test_a_whole_zone_clashes_with_its_seats_and_a_room_with_itself() -> None:
    whole = Lease(tenant="alpha", seats=(), zones=("hall",), from_=date(2026, 10, 1))
    with pytest.raises(ConflictError, match="both claim hall/003"):
        site(KARACHI, whole, lease("003", tenant="beta", from_=date(2026, 10, 1)))
    room = Lease(tenant="alpha", seats=(), zones=("room",), from_=date(2026, 10, 1))
    with pytest.raises(ConflictError, match="both claim room from"):
        site(KARACHI, room, room)
    assert site(KARACHI, whole, room).leases == (whole, room)


def test_touching_leases_do_not_clash() -> None:
    chain = [lease("001", from_=date(2026, 10, day), to=date(2026, 10, day + 1))
             for day in range(1, 30)]
    assert len(site(KARACHI, *chain).leases) == 29
    with pytest.raises(InputError, match=r"leases\[0\].from: from is not before to"):
        site(KARACHI, lease("001", from_=date(2026, 10, 2), to=date(2026, 10, 1)))


def test_seven_hundred_jobs_on_three_hundred_and_fifty_seats_are_apart() -> None:
    days = tuple(range(7))
    day = Shift(days=days, start=time(9), end=time(18))
    night = Shift(days=days, start=time(20), end=time(5))
    leases = [lease(f"{number:03}", from_=date(2026, 10, 1), shift=shift)
              for number in range(1, 351) for shift in (day, night)]
    assert len(site(AMSTERDAM, *leases, seats=350).leases) == 700
    with pytest.raises(ConflictError, match=r"leases\[699\] and leases\[700\]"):
        site(AMSTERDAM, *leases, lease("350", from_=date(2026, 12, 1), shift=night), seats=350)


def test_a_lease_holds_nothing_outside_its_span_and_pairs_may_share_several_seats() -> None:
    days = tuple(range(7))
    day = Shift(days=days, start=time(9), end=time(18))
    night = Shift(days=days, start=time(20), end=time(5))
    one = lease("001", "002", from_=date(2026, 10, 1), shift=day)
    assert list(held_spans_ms(one, KARACHI, 0, 1)) == []
    site(KARACHI, one, lease("001", "002", from_=date(2026, 10, 1), shift=night),
         lease("002", from_=date(2026, 9, 1), to=date(2026, 10, 1)))

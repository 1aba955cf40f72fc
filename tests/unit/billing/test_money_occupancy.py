"""Occupancy charges: seats held, by days, less what is waived."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.bill import Period
from seatwatt.billing.bill_tariff_file import parse_occupancy
from seatwatt.billing.money_occupancy import OccupancyCharge, occupancy_charges
from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site

PLAN: dict[str, Any] = {"occupancy": "usd-55", "currency": "USD",
                        "rates": [{"amount": "55.00", "from": "2026-01-01"}]}


def a_site(*leases: dict[str, Any]) -> Site:
    return parse_site({
        "site": "s", "time_zone": "Asia/Karachi", "currency": "PKR",
        "zones": {"hall": {"seats": 10}, "room": {"kind": "conference"}},
        "meters": {"plant/grid": {"source": "grid"}},
        "tenants": {"alpha": {}, "beta": {}}, "leases": list(leases)})


def lease(tenant: str = "alpha", seats: str = "hall/001-004", from_: str = "2026-01-01",
          **more: Any) -> dict[str, Any]:
    return {"tenant": tenant, "seats": [seats], "from": from_, **more}


def due(site: Site, from_: str = "2026-09-01", to: str = "2026-10-01", **plan: Any
        ) -> list[tuple[str, int, int, int]]:
    found = occupancy_charges(parse_occupancy({**PLAN, **plan}), site, Period(
        from_=date.fromisoformat(from_), to=date.fromisoformat(to)))
    return [(each.tenant, each.seat_days, each.amount_minor, each.waived_minor) for each in found]


def test_a_whole_month_costs_the_rate_a_seat() -> None:
    assert due(a_site(lease())) == [("alpha", 120, 4 * 5500, 0)]


def test_part_of_a_month_costs_its_days() -> None:
    assert due(a_site(lease(from_="2026-09-21", to="2026-09-22"))) == [("alpha", 4, 733, 0)]
    assert due(a_site(lease(to="2026-09-01"))) == []


def test_each_month_is_a_charge_of_its_own() -> None:
    assert due(a_site(lease(seats="hall/001")), "2026-01-15", "2026-03-02") == [
        ("alpha", 17, round(5500 * 17 / 31), 0), ("alpha", 28, 5500, 0),
        ("alpha", 1, round(5500 / 31), 0)]


def test_a_seat_counts_once_a_day_for_a_tenant_however_many_shifts() -> None:
    shifts = [lease(seats="hall/001", shift={"days": "mon-sun", "start": start, "end": end})
              for start, end in (("08:00", "16:00"), ("20:00", "23:00"))]
    other = lease("beta", seats="hall/001",
                  shift={"days": "mon-sun", "start": "16:00", "end": "20:00"})
    assert due(a_site(*shifts, other)) == [("alpha", 30, 5500, 0), ("beta", 30, 5500, 0)]


def test_a_day_pass_is_a_day_and_rooms_without_seats_cost_nothing() -> None:
    day = lease(seats="hall/001", from_="2026-09-10T22:00:00+05:00", to="2026-09-11T02:00:00+05:00")
    until_midnight = lease(seats="hall/002", from_="2026-09-10T22:00:00+05:00",
                           to="2026-09-11T00:00:00+05:00")
    room = {"tenant": "beta", "zones": ["room"], "from": "2026-01-01"}
    assert due(a_site(day, until_midnight, room)) == [("alpha", 3, 550, 0)]
    whole = {"tenant": "beta", "zones": ["hall"], "from": "2026-01-01"}
    assert due(a_site(whole)) == [("beta", 300, 55000, 0)]


def test_waivers_are_dated_and_shown() -> None:
    waivers = [{"tenant": "alpha", "from": "2026-07-01", "to": "2026-09-16", "reason": "existing"}]
    assert due(a_site(lease(seats="hall/001"), lease("beta", "hall/002")), waivers=waivers) == [
        ("alpha", 30, 2750, 2750), ("beta", 30, 5500, 0)]
    found = occupancy_charges(parse_occupancy({**PLAN, "waivers": waivers}), a_site(lease()),
                              Period(from_=date(2026, 7, 1), to=date(2026, 8, 1)))
    assert found == (OccupancyCharge(
        tenant="alpha", period=Period(from_=date(2026, 7, 1), to=date(2026, 8, 1)),
        seat_days=124, waived_seat_days=124, amount_minor=0, waived_minor=22000),)


def test_rates_change_on_their_day_and_may_end() -> None:
    rates = [{"amount": "60.00", "from": "2026-09-16", "to": "2026-09-26"},
             {"amount": "55.00", "from": "2026-01-01", "to": "2026-09-16"}]
    assert due(a_site(lease(seats="hall/001")), rates=rates) == [
        ("alpha", 30, 2750 + 2000, 0)]


@given(st.integers(1, 29), st.integers(1, 10))
def test_two_halves_of_a_month_make_the_month(day: int, seats: int) -> None:
    """Parts are rounded by themselves, so they miss the whole by a cent at most."""
    site = a_site(lease(seats=f"hall/001-{seats:03}") if seats > 1 else lease(seats="hall/001"))
    middle = f"2026-09-{day + 1:02}"
    first, = due(site, to=middle)
    second, = due(site, from_=middle)
    assert first[1] + second[1] == 30 * seats
    assert abs(first[2] + second[2] - 5500 * seats) <= 1


@pytest.mark.parametrize(("plan", "said"), [
    ({"rates": []}, "rates: there is none"),
    ({"rates": [{"amount": "-1.00", "from": "2026-01-01"}]}, r"rates\[0\].amount: it is negative"),
    ({"rates": [{"amount": "1.00", "from": "2026-01-01", "to": "2026-01-01"}]},
     r"rates\[0\].to: 2026-01-01 is not before"),
    ({"currency": "DOLLAR"}, "currency: 'DOLLAR' is unknown"),
    ({"waivers": [{"tenant": "alpha", "from": "2026-01-01"}]}, r"waivers\[0\].to: is missing"),
    ({"waivers": [{"tenant": "alpha", "to": "2026-01-01"}]}, r"waivers\[0\].from: is missing"),
    ({"waivers": [{"tenant": "A B", "from": "2026-01-01", "to": "2026-02-01"}]},
     r"waivers\[0\].tenant: 'A B' is not an identifier"),
    ({"waivers": [{"tenant": "zeta", "from": "2026-01-01", "to": "2026-02-01"}]},
     r"occupancy usd-55: waivers\[0\].tenant: 'zeta' does not exist; expected alpha, beta"),
])
def test_a_wrong_plan_is_refused(plan: dict[str, Any], said: str) -> None:
    with pytest.raises(InputError, match=said):
        due(a_site(lease()), **plan)


@pytest.mark.parametrize("end", [None, "2026-05-02"])
def test_two_rates_for_a_day_are_a_conflict(end: str | None) -> None:
    rates = [{"amount": "60.00", "from": "2026-05-01"},
             {"amount": "55.00", "from": "2026-01-01", "to": end}]
    with pytest.raises(ConflictError, match=r"rates\[0\].from: overlaps rates\[1\] on 2026-05-01"):
        parse_occupancy({**PLAN, "rates": rates})

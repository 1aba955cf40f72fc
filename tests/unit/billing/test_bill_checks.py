"""What no readings could make right is refused before any are read, in the words of the draft."""

from collections.abc import Callable
from datetime import date, time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.apportion import apportion
from seatwatt.billing.bill import BASES, Bill, Period
from seatwatt.billing.bill_checks import check_bill
from seatwatt.billing.money import charge
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import BandRule, Site
from tests.unit.billing.money_kit import a_bill, a_line
from tests.unit.billing.worlds import KARACHI, energy, lease, meter, site

OCTOBER = Period(from_=date(2026, 10, 1), to=date(2026, 11, 1))
SEPTEMBER = Period(from_=date(2026, 9, 1), to=date(2026, 10, 1))
WEEK = tuple(range(7))
WINTER_PEAK = BandRule(band="peak", months=(12, 1, 2), days=WEEK, start=time(17),
                       end=time(21))
ALWAYS = BandRule(band="day", months=(10,), days=WEEK, start=time(0), end=time(0))
OFFICE = site(leases=[lease("alpha", "hall-a/001"), lease("beta", "hall-a/002")],
              bands=(WINTER_PEAK, ALWAYS))
UNLEASED = site()
NO_SEATS = site(zones={"lab": {}}, leases=[])


def of(*lines: Any, **more: Any) -> Bill:
    return a_bill(*lines, **{"period": OCTOBER, **more})


def let_room() -> Site:
    """A site without seats, one room of which is leased whole."""
    return site(zones={"lab": {}}, leases=[lease("alpha", zones=("lab",))])


@pytest.mark.parametrize(("bill", "where", "said"), [
    (of(a_line(), a_line("rent", share_by="equal")), UNLEASED,
     "lines[1].share_by: rent: nobody has weight by equal in 2026-10-01 to 2026-11-01; expected "
     "another basis, or pass_through: false"),
    (of(a_line(share_by="occupied_hours")), UNLEASED, "lines[0].share_by: energy: nobody has "),
    (of(a_line(share_by="equal"), period=SEPTEMBER), OFFICE, "nobody has weight by equal in 2026-"),
    (of(a_line(share_by="seats")), NO_SEATS, "lines[0].share_by: energy: nobody has weight by se"),
    (of(a_line(band="peak")), OFFICE, "nobody has weight by energy in band peak in 2026-10-01 to"),
    (of(a_line(band="offpeak")), OFFICE, "nobody has weight by energy in band offpeak in 2026-10"),
    (of(a_line(band="day", of_period=SEPTEMBER)), OFFICE, "energy in band day in 2026-09-01 to 20"),
    (of(a_line(amount=0), a_line("tax", 5, "lines", lines=("energy",))), OFFICE,
     "lines[1].share_by: tax: nobody has weight by lines in 2026-10-01"),
    (of(a_line(), a_line("back", -1000), a_line("tax", 5, "lines", lines=("energy", "back"))),
     OFFICE, "lines[2].share_by: tax: the parties' weights cancel out by lines in 2026-10-01"),
    (of(a_line(), a_line("tax", 5, "lines", lines=("energy", "energy"))), OFFICE,
     "lines[1].lines: 'energy' is named twice; expected each once"),
    (of(a_line(band="night")), OFFICE, "lines[0].band: the site does not have 'night'; expected d"),
    (of(a_line(source="solar")), OFFICE, "lines[0].source: the site does not have 'solar'; expect"),
    (of(source="generator"), OFFICE, "source: the site does not have 'generator'; expected grid"),
    (of(a_line(share_by="fixed", weights=(("gamma", 1),))), OFFICE,
     "lines[0].weights.gamma: the site does not have 'gamma'; expected alpha, beta, operator"),
    (of(units=(("night_kwh", 1),)), OFFICE, "units.night_kwh: the site does not have 'night'"),
    (of(period=Period(from_=date(2026, 1, 1), to=date(2028, 1, 1))), OFFICE,
     "period: 2026-01-01 to 2028-01-01 cannot be settled; expected at most 400 days"),
    (of(a_line(of_period=Period(from_=date(1026, 7, 1), to=date(1026, 8, 1)))), OFFICE,
     "lines[0].of_period: 1026-07-01 to 1026-08-01 cannot be settled"),
    (of(a_line(of_period=OCTOBER), period=SEPTEMBER), OFFICE,
     "lines[0].of_period: 2026-10-01 to 2026-11-01 ends after the bill's own period; expected a"),
])
def test_what_the_declarations_tell_is_refused(bill: Bill, where: Site, said: str) -> None:
    with pytest.raises(InputError) as caught:
        check_bill(bill, where)
    assert said in str(caught.value)


@pytest.mark.parametrize(("bill", "where"), [
    (of(units=(("day_kwh", 1), ("kwh", 2), ("demand_kw", 3)), source="grid"), OFFICE),
    (of(a_line(share_by="equal"), a_line("sat", share_by="occupied_hours")), OFFICE),
    (of(a_line(share_by="equal")), let_room()),
    (of(a_line(share_by="seats")), let_room()),
    (of(a_line(share_by="seats")), UNLEASED),
    (of(a_line(share_by="equal", pass_through=False)), UNLEASED),
    (of(a_line(share_by="equal", amount=0)), UNLEASED),
    (of(a_line(band="day"), a_line("july", of_period=SEPTEMBER, source="grid")), OFFICE),
    (of(a_line(share_by="fixed", weights=(("beta", 1), ("operator", 2)))), OFFICE),
    (of(a_line(pass_through=False), a_line("tax", 5, "lines", lines=("energy",))), OFFICE),
])
def test_what_readings_may_make_right_is_taken(bill: Bill, where: Site) -> None:
    check_bill(bill, where)


def test_a_site_whose_meters_stand_behind_no_source_has_no_energy_to_share_by() -> None:
    dark = site(nodes=())
    nodes = tuple(node for node in dark.nodes if not node.source)
    without = Site(**{name: getattr(dark, name) for name in Site.__dataclass_fields__
                      if name != "nodes"}, nodes=nodes)
    for basis in ("energy", "demand", "own_demand"):
        with pytest.raises(InputError, match=rf"share_by: energy: nobody has weight by {basis} in"):
            check_bill(of(a_line(share_by=basis)), without)


DAY = Period(from_=date(2026, 10, 7), to=date(2026, 10, 8))
BEFORE = Period(from_=date(2026, 9, 7), to=date(2026, 9, 8))
bases = st.sampled_from([basis for basis in BASES if basis not in ("fixed", "lines")])
amounts = st.sampled_from([-300, -1, 0, 1, 300])


@given(st.lists(st.tuples(bases, amounts, st.sampled_from([None, "peak", "day", "offpeak"]),
                          st.booleans()), min_size=1, max_size=3),
       amounts, st.sampled_from([OFFICE, UNLEASED, NO_SEATS]), st.booleans())
def test_what_is_refused_on_entry_could_not_have_been_shared(
        rows: list[tuple[str, int, str | None, bool]], tax: int, where: Site, late: bool) -> None:
    lines = [a_line(f"l{at}", amount, basis, band=band if basis == "energy" else None,
                    pass_through=passed) for at, (basis, amount, band, passed) in enumerate(rows)]
    bill = of(*lines, a_line("tax", tax, "lines", lines=tuple(line.id for line in lines)),
              period=DAY if late else BEFORE)
    grid = IntervalGrid.between(local_midnight_ms(bill.period.from_, KARACHI),
                                local_midnight_ms(bill.period.to, KARACHI), 3600, KARACHI)
    found = apportion(where, grid, {meter("plant/grid"): energy(meter("plant/grid"), [1000] * 24)})
    refused, failed = problem_of(lambda: check_bill(bill, where)), problem_of(
        lambda: charge(bill, {bill.period: found}))
    if ".share_by" in refused:
        assert ".share_by" in failed
    elif not refused:
        assert not failed or any(line.share_by == "occupied_hours" for line in lines)


def problem_of(use: Callable[[], object]) -> str:
    """The line that refuses; empty where nothing is wrong."""
    try:
        use()
    except InputError as error:
        return str(error)
    return ""

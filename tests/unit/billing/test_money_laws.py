"""Laws of money, over random bills and leases: what may not change what anybody pays."""

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwatt.billing.apportion import apportion
from seatwatt.billing.bill import BillLine
from seatwatt.billing.bill_tariff_file import parse_occupancy
from seatwatt.billing.money import Charges, charge
from seatwatt.billing.money_occupancy import occupancy_charges
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.sitefile import parse_site
from seatwatt.metering.energy import MeterEnergy
from tests.unit.billing import worlds
from tests.unit.billing.money_kit import DAY, KARACHI, a_bill, a_line, apportionment

amounts = st.integers(-10**8, 10**8)
powers = st.lists(st.lists(st.integers(1, 10**9), min_size=3, max_size=3), min_size=1,
                  max_size=24)


def shares(charges: Charges) -> dict[tuple[str, str], int]:
    """(line, party) -> minor units."""
    return {(line.id, party): share for line in charges.lines
            for party, share in zip(charges.parties, line.shares_minor, strict=True)}


@st.composite
def bills(draw: st.DrawFn) -> list[BillLine]:
    """Lines by several bases, and duties and taxes upon them."""
    first = [a_line(f"l{at}", draw(st.integers(1, 10**8)), basis, pass_through=draw(st.booleans()))
             for at, basis in enumerate(draw(st.lists(st.sampled_from(
                 ["energy", "seats", "demand", "own_demand", "equal"]), min_size=1, max_size=4)))]
    names = [line.id for line in first]
    duty = a_line("duty", draw(amounts), "lines", lines=tuple(draw(st.lists(
        st.sampled_from(names), min_size=1, unique=True))))
    tax = a_line("tax", draw(amounts), "lines", lines=("duty", *names),
                 pass_through=draw(st.booleans()))
    return [*first, duty, tax] if duty.amount_minor > 0 else first


@given(powers, bills(), st.integers(-200, 200), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(rows: list[list[int]], lines: list[BillLine],
                                            rounding: int, chance: Any) -> None:
    payable = sum(line.amount_minor for line in lines) + rounding
    energy = {DAY: apportionment({"grid": rows})}
    expected = shares(charge(a_bill(*lines, payable_minor=payable), energy))
    mixed = list(lines)
    chance.shuffle(mixed)
    found = charge(a_bill(*mixed, payable_minor=payable), energy)
    assert shares(found) == expected
    assert sum(found.totals_minor()) == payable


def world(leases: list[dict[str, Any]]) -> dict[str, Any]:
    return {"site": "s", "time_zone": "Asia/Karachi", "currency": "PKR",
            "zones": {"hall": {"seats": 4}}, "meters": {"plant/grid": {"source": "grid"}},
            "seat_meters": {"parent": "supply"}, "unaccounted": {"share": "seats"},
            "tenants": {"alpha": {}, "beta": {}}, "leases": leases}


def lease(tenant: str, seats: str, from_: str, to: str = "2026-12-01") -> dict[str, Any]:
    return {"tenant": tenant, "seats": [f"hall/{seats}"], "from": from_, "to": to}


OCCUPANCY = parse_occupancy({"occupancy": "usd", "currency": "USD",
                             "rates": [{"amount": "55.00", "from": "2026-01-01"}]})
BASES = ("energy", "seats", "demand", "own_demand", "equal")


def paid(leases: list[dict[str, Any]], milliwh: list[int]) -> dict[tuple[str, str], int]:
    """What everybody pays for the day, line by line, occupancy with it."""
    site = parse_site(world(leases))
    grid = IntervalGrid.between(local_midnight_ms(DAY.from_, KARACHI),
                                local_midnight_ms(DAY.to, KARACHI), 3600, KARACHI)
    seats = [Device("seat", "hall", f"{at:03}") for at in range(1, 5)]
    energies: dict[Device, MeterEnergy] = {
        device: worlds.energy(device, [milliwh[(hour + at) % len(milliwh)] for hour in range(24)])
        for at, device in enumerate(seats)}
    total = np.sum([energies[device].energy_milliwh for device in seats], axis=0)
    grid_meter = Device("meter", "plant", "grid")
    energies[grid_meter] = worlds.energy(grid_meter, (total + 1000).tolist())
    bill = a_bill(*(a_line(f"l{at}", 100_003 + at, basis) for at, basis in enumerate(BASES)))
    found = shares(charge(bill, {DAY: apportion(site, grid, energies)}))
    return found | {("occupancy", each.tenant): each.amount_minor
                    for each in occupancy_charges(OCCUPANCY, site, DAY)}


@settings(max_examples=30)
@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=24), st.integers(0, 23))
def test_splitting_a_lease_in_two_touching_ones_changes_no_cell(milliwh: list[int], hour: int
                                                                ) -> None:
    whole = [lease("alpha", "001-002", "2026-08-01"), lease("beta", "003", "2026-08-01")]
    middle = f"2026-09-01T{hour:02}:00:00+05:00"
    split = [lease("alpha", "001-002", "2026-08-01", middle),
             lease("alpha", "001-002", middle), whole[1]]
    assert paid(split, milliwh) == paid(whole, milliwh)

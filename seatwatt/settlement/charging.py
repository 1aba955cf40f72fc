"""Bills, tariffs and occupancy charges put upon a settled period's parties."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from seatwatt.billing.bill import Bill, Period
from seatwatt.billing.bill_checks import check_period
from seatwatt.billing.bill_tariff import Tariff, provisional_bill
from seatwatt.billing.bill_units import UnitCheck, check_units, unit_findings
from seatwatt.billing.money import Charges, charge
from seatwatt.billing.money_occupancy import OccupancyCharge, OccupancyPlan, occupancy_charges
from seatwatt.contract.errors import InputError
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.settlement.settle import Settlement, settle
from seatwatt.settlement.sources import Source


@dataclass(frozen=True, slots=True, kw_only=True)
class Charged:
    """What a period costs its parties: bills, and occupancy in its own currency."""

    bills: tuple[Charges, ...]
    units: tuple[UnitCheck, ...] = ()
    occupancy: tuple[OccupancyCharge, ...] = ()
    plan: OccupancyPlan | None = None
    findings: tuple[Finding, ...] = ()
    """B03 of the bills, and what blocks in other periods that the bills are about."""


def by_occupied_hours(bills: Sequence[Bill]) -> bool:
    """Whether any line needs to know when seats were occupied."""
    return any(line.share_by == "occupied_hours" for bill in bills for line in bill.lines)


def charge_bills(settlement: Settlement, source: Source, bills: Sequence[Bill]
                 ) -> Charged:
    """Share the bills out. Periods other than the settled one are settled from the same readings
    and today's declarations. InputError for a bill that cannot be shared, or given twice."""
    check_bills(bills, settlement)
    periods = dict.fromkeys(period for bill in bills for period in bill.periods())
    return charge_settled(settlement, bills, {
        period: _settle(period, settlement, source, by_occupied_hours(bills))
        for period in periods})


def check_bills(bills: Sequence[Bill], settlement: Settlement) -> None:
    """InputError for a bill given twice, or of another period altogether."""
    for name, count in Counter(bill.id for bill in bills).items():
        if count > 1:
            raise InputError(f"bill {name}", "it is given twice", "each bill once")
    for bill in bills:
        start_ms, end_ms = span_ms(bill.period, settlement.site)
        if start_ms >= settlement.grid.end_ms or end_ms <= settlement.grid.start_ms:
            raise InputError(f"bill {bill.id}: period", f"{bill.period} lies outside the period "
                             "that is shared out", "days of that period")


def charge_settled(settlement: Settlement, bills: Sequence[Bill],
                   settled: Mapping[Period, Settlement]) -> Charged:
    """As `charge_bills`, where every period of the bills is settled already."""
    apportionments = {period: each.apportionment for period, each in settled.items()}
    return Charged(
        bills=tuple(charge(bill, apportionments) for bill in bills),
        units=tuple(check for bill in bills
                    for check in check_units(bill, apportionments[bill.period])),
        findings=(*_blocking_elsewhere(settlement, settled.values()),
                  *(finding for bill in bills
                    for finding in unit_findings(bill, apportionments[bill.period]))))


def charge_occupancy(settlement: Settlement, plan: OccupancyPlan, charged: Charged) -> Charged:
    """`charged` with the occupancy charges of the settled period added."""
    period = settled_period(settlement)
    return replace(charged, plan=plan,
                   occupancy=occupancy_charges(plan, settlement.site, period))


def provisional(settlement: Settlement, tariff: Tariff) -> Bill:
    """The bill that the tariff makes of the settled period's energy."""
    return provisional_bill(tariff, settled_period(settlement), settlement.apportionment)


def settled_period(settlement: Settlement) -> Period:
    """The settled period as local days; InputError when it begins or ends inside one."""
    grid = settlement.grid
    first, last = local_date(grid.start_ms, grid.zone), local_date(grid.end_ms, grid.zone)
    for name, day, at_ms in (("from", first, grid.start_ms), ("to", last, grid.end_ms)):
        if local_midnight_ms(day, grid.zone) != at_ms:
            raise InputError(f"period {name}", "it is not a local midnight",
                             "whole days, to which charges can belong")
    return Period(from_=first, to=last)


def _settle(period: Period, settlement: Settlement, source: Source,
            with_occupancy: bool) -> Settlement:
    """The period settled; the settlement itself where it is the same and knows enough."""
    grid = settlement.grid
    start_ms, end_ms = span_ms(period, settlement.site)
    if (start_ms, end_ms) == (grid.start_ms, grid.end_ms) and not with_occupancy:
        return settlement
    return settle(settlement.site, source, start_ms, end_ms, grid.interval_s,
                  with_occupancy or None)


def span_ms(period: Period, site: Site) -> tuple[int, int]:
    """Where the period's local days begin and end. InputError for one that is too long."""
    check_period("period", period)
    zone = site.time_zone
    return local_midnight_ms(period.from_, zone), local_midnight_ms(period.to, zone)


def _blocking_elsewhere(settlement: Settlement, others: Iterable[Settlement]
                        ) -> Iterator[Finding]:
    """What blocks in periods other than the settled one, whose own findings are known."""
    for other in others:
        if (other.grid.start_ms, other.grid.end_ms) != (settlement.grid.start_ms,
                                                        settlement.grid.end_ms):
            yield from (f for f in other.apportionment.findings if f.blocks)

"""The units a supplier billed, held against the site's own main meters."""

from dataclasses import dataclass

from seatwatt.billing.bill import Bill
from seatwatt.billing.money_bases import band_index, peak_interval, supply_of
from seatwatt.billing.result import Apportionment
from seatwatt.contract.errors import InputError
from seatwatt.contract.findings import Finding
from seatwatt.contract.meters import SUPPLY
from seatwatt.contract.rules import Rule

ALARM_PCT = 2
"""Two meters of class 1 differ by no more."""


@dataclass(frozen=True, slots=True)
class UnitCheck:
    """One printed figure and what the meters say, in Wh (W for demand)."""

    name: str
    printed: int
    metered: int

    @property
    def alarm(self) -> bool:
        """Whether they differ by more than ALARM_PCT of what was metered."""
        return abs(self.printed - self.metered) * 100 > ALARM_PCT * abs(self.metered)

    def __str__(self) -> str:
        unit = "kW" if self.name == "demand_kw" else "kWh"
        return (f"{self.name}: {self.printed / 1000:.3f} {unit} billed, "
                f"{self.metered / 1000:.3f} {unit} metered")


def check_units(bill: Bill, apportionment: Apportionment) -> tuple[UnitCheck, ...]:
    """Every printed figure beside the metered one of the bill's source (of all, if it names none).

    InputError for a band that the site does not have. A demand is left out where no interval is
    measured.
    """
    checks = []
    for name, printed in bill.units:
        try:
            metered = _metered(name, bill, apportionment)
        except InputError as error:
            raise InputError(f"bill {bill.id}: units.{name}", error.problem,
                             error.expected) from None
        if metered is not None:
            checks.append(UnitCheck(name, printed, metered))
    return tuple(checks)


def unit_findings(bill: Bill, apportionment: Apportionment) -> tuple[Finding, ...]:
    """B03: each billed figure that is more than 2 % off the meters."""
    grid = apportionment.grid
    return tuple(Finding(Rule.B03, SUPPLY, grid.start_ms, grid.end_ms,
                         f"bill {bill.id}: {check}")
                 for check in check_units(bill, apportionment) if check.alarm)


def _metered(name: str, bill: Bill, apportionment: Apportionment) -> int | None:
    supply, measured = supply_of(bill.source, apportionment)
    if name == "demand_kw":
        peak = peak_interval(supply, measured)
        hours_ms = apportionment.grid.interval_s * 1000
        return None if peak is None else round(int(supply[peak]) * 3600 / hours_ms)
    if name != "kwh":
        band = band_index(name.removesuffix("_kwh"), apportionment)
        supply = supply[apportionment.band_of == band]
    return round(int(supply.sum()) / 1000)

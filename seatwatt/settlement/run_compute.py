"""A run's result from its recorded inputs alone: pure, so that it can be had again at any time."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatwatt.billing.apportion import apportion
from seatwatt.billing.bill import Bill, Period
from seatwatt.billing.bill_file import parse_bill
from seatwatt.billing.bill_tariff_file import parse_occupancy, parse_tariff
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.meters import OPERATOR
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site
from seatwatt.settlement.charging import (
    Charged,
    charge_occupancy,
    charge_settled,
    check_bills,
    provisional,
    span_ms,
)
from seatwatt.settlement.run_inputs import PeriodInputs, RunInputs
from seatwatt.settlement.settle import Settlement, with_findings


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunResult:
    """What a run computes: energies, charges, and whom it concerns."""

    inputs: RunInputs
    digest: str
    settlement: Settlement
    charged: Charged

    @property
    def parties(self) -> tuple[str, ...]:
        """Who receives a statement: whoever is involved, charged or adjusted; operator last."""
        named = set(self.settlement.apportionment.involved())
        for charges in self.charged.bills:
            named |= {party for party, total in zip(charges.parties, charges.totals_minor(),
                                                    strict=True) if total}
        named |= {each.tenant for each in self.charged.occupancy}
        named |= {each.party for each in self.inputs.adjustments}
        return (*sorted(named - {OPERATOR}), OPERATOR)


def compute(inputs: RunInputs, digest: str) -> RunResult:
    """InputError for declarations or bills that cannot be used."""
    site = parse_site(inputs.site)
    settled = {period: _settled(site, period, each) for period, each in inputs.periods.items()}
    settlement = settled[inputs.period]
    bills = [parse_bill(document) for document in inputs.bills]
    bills += _provisional(settlement, inputs, {bill.supplier for bill in bills})
    check_bills(bills, settlement)
    charged = charge_settled(settlement, bills, _periods_of(bills, settled))
    if inputs.occupancy_plan is not None:
        charged = charge_occupancy(settlement, parse_occupancy(inputs.occupancy_plan), charged)
    return RunResult(inputs=inputs, digest=digest, settlement=settlement, charged=charged)


def as_text(document: Mapping[str, Any]) -> str:
    """A document as the ledger keeps it, the same bytes each time."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def _settled(site: Site, period: Period, given: PeriodInputs) -> Settlement:
    grid = IntervalGrid.between(*span_ms(period, site), site.interval_s, site.time_zone)
    energies = dict(given.energies)
    result = apportion(site, grid, energies, given.occupancy)
    return Settlement(site, grid, energies, with_findings(result, given.undeclared))


def _provisional(settlement: Settlement, inputs: RunInputs, billed: set[str]) -> list[Bill]:
    tariffs = [parse_tariff(document) for document in inputs.tariffs]
    return [provisional(settlement, tariff) for tariff in tariffs
            if tariff.supplier not in billed]


def _periods_of(bills: list[Bill], settled: Mapping[Period, Settlement]
                ) -> dict[Period, Settlement]:
    wanted = dict.fromkeys(period for bill in bills for period in bill.periods())
    for period in wanted:
        if period not in settled:
            raise InputError("period", f"{period} is not among the recorded inputs")
    return {period: settled[period] for period in wanted}

"""What a run hands over: one document a party, and one of the whole run; plain values only."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from seatwatt.billing.money import ChargedLine, Charges
from seatwatt.billing.money_currency import format_amount
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.meters import OPERATOR
from seatwatt.settlement.charges_document import OCCUPANCY, with_charges
from seatwatt.settlement.document import document, finding_row, parties, wh
from seatwatt.settlement.explained import explanation
from seatwatt.settlement.run_compute import RunResult

Entry = tuple[str, str, str]
"""Currency, line (`bill/line` or `occupancy`), party."""

NO_ENERGY: dict[str, Any] = {"energy_wh": 0.0, "direct_wh": 0.0, "shared_wh": 0.0,
                             "unaccounted_wh": 0.0, "estimated_wh": 0.0, "by": {}}
"""Of a party that only another period charges."""


def statement_documents(result: RunResult) -> dict[str, dict[str, Any]]:
    """Every party's statement, not yet numbered. Its lines add up to `totals`, and in `proof` all
    parties together to each bill."""
    energies, due = parties(result.settlement), entries(result)
    return {party: _statement(result, party, energies.get(party, NO_ENERGY), due)
            for party in result.parties}


def _statement(result: RunResult, party: str, energy: dict[str, Any], due: Mapping[Entry, int]
               ) -> dict[str, Any]:
    site, inputs = result.settlement.site, result.inputs
    names = {tenant.id: tenant.name for tenant in site.tenants}
    explained = explanation(result.settlement, party) if _known(result, party) else {}
    charges, adjustments = list(_charges(result, party)), list(_adjustments(result, party))
    return {
        "number": None, "state": "draft", "issued_at": None,
        "site": {"id": site.id, "name": site.name, "time_zone": site.time_zone.key},
        "party": {"id": party, "name": names.get(party, "Operator")},
        "period": {"from": inputs.period.from_.isoformat(), "to": inputs.period.to.isoformat()},
        "digest": result.digest, "software": inputs.software,
        "energy": {name: energy[name] for name in NO_ENERGY},
        "days": _days(result, party),
        **{name: explained.get(name, []) for name in ("seats", "nodes", "unaccounted")},
        "charges": charges, "occupancy": list(_occupancy(result, party)),
        "adjustments": adjustments, "totals": _totals(result, party, due),
        "proof": [_proof(each, party) for each in result.charged.bills],
        "findings": explained.get("findings", []), "intervals": _intervals(result, party),
    }


def run_document(result: RunResult) -> dict[str, Any]:
    """The whole run: as `seatwatt apportion --json`, with what was recorded beside it."""
    inputs, settlement = result.inputs, result.settlement
    found = with_charges(document(settlement), settlement, result.charged)
    due = entries(result)
    return {
        **found, "digest": result.digest, "software": inputs.software,
        "site_revision": inputs.site_revision,
        "readings_digest": {str(period): each.readings_digest
                            for period, each in inputs.periods.items()},
        "hand_readings": list(inputs.hand_readings),
        "bills": [{"bill": each.bill.id, "supplier": each.bill.supplier,
                   "currency": each.bill.currency, "provisional": each.bill.provisional,
                   "payable": format_amount(each.bill.total_minor, each.bill.currency)}
                  for each in result.charged.bills],
        "units": [{"name": check.name, "billed": check.printed / 1000,
                   "metered": check.metered / 1000, "alarm": check.alarm}
                  for check in result.charged.units],
        "entries": [[*entry, minor] for entry, minor in sorted(due.items()) if minor],
        "adjustments": [row for party in result.parties for row in _adjustments(result, party)],
        "totals": {party: _totals(result, party, due) for party in result.parties},
    }


def blocking(result: RunResult) -> list[dict[str, Any]]:
    """The findings that must be settled before the run is approved."""
    grid = result.settlement.grid
    found = (*result.settlement.apportionment.findings, *result.charged.findings)
    return [finding_row(finding, grid) for finding in found if finding.blocks]


def entries(result: RunResult) -> dict[Entry, int]:
    """Everything the run puts on anybody, in minor units, adjustments aside."""
    found: dict[Entry, int] = {}
    for charges in result.charged.bills:
        for line in charges.lines:
            for party, share in zip(charges.parties, line.shares_minor, strict=True):
                found[charges.bill.currency, f"{charges.bill.id}/{line.id}", party] = share
    for each in result.charged.occupancy:
        if result.charged.plan is not None:
            key = result.charged.plan.currency, OCCUPANCY, each.tenant
            found[key] = found.get(key, 0) + each.amount_minor
    return found


def _known(result: RunResult, party: str) -> bool:
    return party in result.settlement.apportionment.parties


def _days(result: RunResult, party: str) -> list[dict[str, Any]]:
    apportionment = result.settlement.apportionment
    grid = apportionment.grid
    days = [local_date(at_ms, grid.zone).isoformat() for at_ms in grid.boundaries_ms[:-1]]
    energy = dict.fromkeys(days, 0)
    for day, milliwh in zip(days, _own(result, party, apportionment.energy_milliwh), strict=True):
        energy[day] += milliwh
    return [{"date": day, "energy_wh": wh(milliwh)} for day, milliwh in energy.items()]


def _intervals(result: RunResult, party: str) -> dict[str, Any]:
    """Every interval in order from the period's start, and which of them are estimated."""
    apportionment = result.settlement.apportionment
    estimated = np.flatnonzero(_own(result, party, apportionment.estimated_milliwh))
    return {"length_s": apportionment.grid.interval_s,
            "energy_wh": [wh(value) for value in _own(result, party, apportionment.energy_milliwh)],
            "estimated": estimated.tolist()}


def _own(result: RunResult, party: str, values: "np.typing.NDArray[np.int64]") -> list[int]:
    if not _known(result, party):
        return [0] * len(values)
    at = result.settlement.apportionment.parties.index(party)
    own: list[int] = values[:, at].tolist()
    return own


def _charges(result: RunResult, party: str) -> Iterator[dict[str, Any]]:
    for charges in result.charged.bills:
        if party in charges.parties:
            at = charges.parties.index(party)
            for line in charges.lines:
                yield _charge(charges, line, at)


def _charge(charges: Charges, line: ChargedLine, at: int) -> dict[str, Any]:
    bill = charges.bill
    period = line.of_period or bill.period
    return {"bill": bill.id, "supplier": bill.supplier, "provisional": bill.provisional,
            "line": line.id, "share_by": line.share_by, "currency": bill.currency,
            "from": period.from_.isoformat(), "to": period.to.isoformat(),
            "amount": format_amount(line.amount_minor, bill.currency),
            "weight": line.weights[at], "weights": sum(line.weights),
            "share": format_amount(line.shares_minor[at], bill.currency)}


def _occupancy(result: RunResult, party: str) -> Iterator[dict[str, Any]]:
    plan = result.charged.plan
    for each in result.charged.occupancy:
        if plan is not None and each.tenant == party:
            yield {"plan": plan.id, "currency": plan.currency,
                   "from": each.period.from_.isoformat(), "to": each.period.to.isoformat(),
                   "seat_days": each.seat_days, "waived_seat_days": each.waived_seat_days,
                   "waived": format_amount(each.waived_minor, plan.currency),
                   "share": format_amount(each.amount_minor, plan.currency)}


def _adjustments(result: RunResult, party: str) -> Iterator[dict[str, Any]]:
    for each in result.inputs.adjustments:
        if each.party == party:
            yield {"of_run": each.of_run, "party": party, "line": each.line,
                   "currency": each.currency, "from": each.period.from_.isoformat(),
                   "to": each.period.to.isoformat(), "amount_minor": each.amount_minor,
                   "share": format_amount(each.amount_minor, each.currency)}


def _totals(result: RunResult, party: str, due: Mapping[Entry, int]) -> dict[str, str]:
    totals: dict[str, int] = {}
    for (currency, _, whose), minor in due.items():
        if whose == party:
            totals[currency] = totals.get(currency, 0) + minor
    for each in result.inputs.adjustments:
        if each.party == party:
            totals[each.currency] = totals.get(each.currency, 0) + each.amount_minor
    return {currency: format_amount(minor, currency) for currency, minor in totals.items()}


def _proof(charges: Charges, party: str) -> dict[str, Any]:
    """This party, the other tenants and the operator add up to the bill; nobody else is named."""
    totals = dict(zip(charges.parties, charges.totals_minor(), strict=True))
    own, operator = totals.get(party, 0), totals[OPERATOR]
    others = sum(totals.values()) - operator - (0 if party == OPERATOR else own)
    return {"bill": charges.bill.id, "supplier": charges.bill.supplier,
            "currency": charges.bill.currency,
            **{name: format_amount(minor, charges.bill.currency) for name, minor in (
                ("this_party", own), ("other_tenants", others),
                ("operator", 0 if party == OPERATOR else operator),
                ("payable", charges.bill.total_minor))}}

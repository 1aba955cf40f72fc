"""The object that `seatwatt apportion --json` prints and the API answers."""

from datetime import UTC, datetime
from typing import Any

from seatwatt.billing.exact import Ints
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.settlement.settle import Settlement


def document(settlement: Settlement) -> dict[str, Any]:
    """One object of plain values; energies are Wh with at most three decimals."""
    result = settlement.apportionment
    return {
        "site": result.site,
        "from": period_text(result.grid.start_ms, result.grid),
        "to": period_text(result.grid.end_ms, result.grid),
        "interval_s": result.grid.interval_s,
        "balanced": True,  # apportion() raises Unbalanced otherwise
        "supply_wh": {source: _bands(result.bands, result.supply_by_band_milliwh(at))
                      for at, source in enumerate(result.sources)},
        "parties": parties(settlement),
        "findings": [finding_row(finding, result.grid) for finding in result.findings],
    }


def parties(settlement: Settlement) -> dict[str, dict[str, Any]]:
    """Every involved party's energies; charges are filled where bills are given."""
    result = settlement.apportionment
    by = [result.by_band_milliwh(at) for at in range(len(result.sources))]
    sums = {name: array.sum(axis=0) for name, array in (
        ("energy_wh", result.energy_milliwh), ("direct_wh", result.direct_milliwh),
        ("shared_wh", result.shared_milliwh), ("unaccounted_wh", result.unaccounted_milliwh),
        ("estimated_wh", result.estimated_milliwh))}
    rows: dict[str, dict[str, Any]] = {}
    for party in result.involved():
        at = result.parties.index(party)
        rows[party] = {name: wh(int(values[at])) for name, values in sums.items()}
        rows[party]["by"] = {source: _bands(result.bands, by[index][:, at])
                             for index, source in enumerate(result.sources)}
        rows[party] |= {"charges": {}, "total": {}}
    return rows


def energy_by(settlement: Settlement, party: str) -> dict[str, dict[str, float]]:
    """Source -> band -> the party's Wh."""
    result = settlement.apportionment
    at = result.parties.index(party)
    return {source: _bands(result.bands, result.by_band_milliwh(index)[:, at])
            for index, source in enumerate(result.sources)}


def finding_row(finding: Finding, grid: IntervalGrid) -> dict[str, Any]:
    """A finding as people exchange it."""
    return {"rule": finding.rule.name, "meter": finding.subject,
            "from": instant_text(finding.from_ms, grid), "to": instant_text(finding.to_ms, grid),
            "detail": finding.detail, "blocks": finding.blocks}


def wh(milliwh: int) -> float:
    """Milliwatt-hours as Wh; below 2**53 the quotient's shortest text has at most 3 decimals."""
    return milliwh / 1000


def period_text(at_ms: int, grid: IntervalGrid) -> str:
    """A local date where the instant is its midnight, else the local time with its offset."""
    day = local_date(at_ms, grid.zone)
    return day.isoformat() if local_midnight_ms(day, grid.zone) == at_ms else instant_text(
        at_ms, grid)


def instant_text(at_ms: int, grid: IntervalGrid) -> str:
    """Local time with its offset, to the millisecond where there are any."""
    whole_s, rest_ms = divmod(at_ms, 1000)
    local = datetime.fromtimestamp(whole_s, UTC).astimezone(grid.zone)
    return local.replace(microsecond=rest_ms * 1000).isoformat(
        timespec="milliseconds" if rest_ms else "seconds")


def _bands(names: tuple[str, ...], milliwh: Ints) -> dict[str, float]:
    return {name: wh(value) for name, value in zip(names, milliwh.tolist(), strict=True)}


def csv_rows(settlement: Settlement) -> list[list[str | float]]:
    """A heading, a line a party, and the supply's line, which every column adds up to."""
    result, found = settlement.apportionment, document(settlement)
    cells = [(source, band) for source in result.sources for band in result.bands]
    names = ["direct_wh", "shared_wh", "unaccounted_wh", "energy_wh", "estimated_wh"]
    rows: list[list[str | float]] = [
        ["party", *names, *(f"{source}_{band}_wh" for source, band in cells)]]
    for party, row in found["parties"].items():
        rows.append([party, *(row[name] for name in names),
                     *(row["by"][source][band] for source, band in cells)])
    totals = [result.direct_milliwh, result.shared_milliwh, result.unaccounted_milliwh,
              result.energy_milliwh, result.estimated_milliwh]
    rows.append(["supply", *(wh(int(total.sum())) for total in totals),
                 *(found["supply_wh"][source][band] for source, band in cells)])
    return rows

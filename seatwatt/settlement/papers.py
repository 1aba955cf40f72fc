"""Declaring bills, tariffs and occupancy plans: checked against the site, then kept."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine

from seatwatt.billing.bill import Bill, BillLine
from seatwatt.billing.bill_file import parse_bill
from seatwatt.billing.bill_tariff import Tariff, TariffLine
from seatwatt.billing.bill_tariff_file import parse_occupancy, parse_tariff
from seatwatt.billing.money_occupancy import OccupancyPlan
from seatwatt.contract.errors import InputError
from seatwatt.contract.meters import OPERATOR
from seatwatt.contract.site import OFFPEAK, Site
from seatwatt.ledger.papers import KINDS, Paper, add_paper
from seatwatt.ledger.sites import load_site

_PARSERS: dict[str, Callable[[object], Bill | Tariff | OccupancyPlan]] = {
    "bill": parse_bill, "tariff": parse_tariff, "occupancy": parse_occupancy}


def declare_paper(engine: Engine, site_id: str, document: object, who: str, at_ms: int,
                  expected_revision: int | None = None) -> Paper:
    """Keep the document (the mapping of a bill, tariff or occupancy file) as its next revision.

    InputError for what is wrong in itself or unknown to the site; nothing is written then.
    """
    kind, mapping = kind_of(document)
    check_paper(_PARSERS[kind](mapping), load_site(engine, site_id))
    return add_paper(engine, site_id, kind, mapping, who, at_ms, expected_revision)


def kind_of(document: object) -> tuple[str, Mapping[str, Any]]:
    """Which of KINDS the document is, by the field that names it."""
    found = [kind for kind in KINDS if isinstance(document, dict) and kind in document]
    if len(found) != 1 or not isinstance(document, dict):
        raise InputError("document", "it is no bill, tariff or occupancy plan",
                         "one of the fields bill, tariff, occupancy")
    return found[0], document


def check_paper(paper: "Bill | Tariff | OccupancyPlan", site: Site) -> None:
    """Raise InputError for bands, sources and parties that the site does not have."""
    if isinstance(paper, OccupancyPlan):
        for index, waiver in enumerate(paper.waivers):
            _check(f"waivers[{index}].tenant", waiver.tenant, {each.id for each in site.tenants})
        return
    bands = {OFFPEAK, *(rule.band for rule in site.bands)}
    sources = {node.source for node in site.nodes if node.source is not None}
    parties = {OPERATOR, *(tenant.id for tenant in site.tenants)}
    if paper.source is not None:
        _check("source", paper.source, sources)
    lines: tuple[BillLine | TariffLine, ...] = paper.lines
    for index, each in enumerate(lines):
        if each.band is not None:
            _check(f"lines[{index}].band", each.band, bands)
    if isinstance(paper, Bill):
        for index, line in enumerate(paper.lines):
            if line.source is not None:
                _check(f"lines[{index}].source", line.source, sources)
            for party, _ in line.weights:
                _check(f"lines[{index}].weights", party, parties)
        for name, _ in paper.units:
            if name not in ("kwh", "demand_kw"):
                _check(f"units.{name}", name.removesuffix("_kwh"), bands)


def _check(where: str, name: str, known: set[str]) -> None:
    if name not in known:
        raise InputError(where, f"the site does not have {name!r}", ", ".join(sorted(known)))

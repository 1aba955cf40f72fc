"""Declaring bills, tariffs and occupancy plans: checked against the site, then kept."""

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Engine

from seatwatt.billing.bill import Bill
from seatwatt.billing.bill_checks import bands_and_sources, check_bill, check_known
from seatwatt.billing.bill_file import parse_bill
from seatwatt.billing.bill_tariff import Tariff
from seatwatt.billing.bill_tariff_file import parse_occupancy, parse_tariff
from seatwatt.billing.money_occupancy import OccupancyPlan
from seatwatt.contract.errors import InputError
from seatwatt.contract.site import Site
from seatwatt.ledger.papers import KINDS, Paper, add_paper
from seatwatt.ledger.sites import load_site

_PARSERS: dict[str, Callable[[object], Bill | Tariff | OccupancyPlan]] = {
    "bill": parse_bill, "tariff": parse_tariff, "occupancy": parse_occupancy}


def check_document(engine: Engine, site_id: str, document: object) -> None:
    """InputError for what `declare_paper` would refuse; nothing is written."""
    kind, mapping = kind_of(document)
    check_paper(_PARSERS[kind](mapping), load_site(engine, site_id))


def declare_paper(engine: Engine, site_id: str, document: object, who: str, at_ms: int,
                  expected_revision: int | None = None) -> Paper:
    """Keep the document (the mapping of a bill, tariff or occupancy file) as its next revision.

    InputError for what is wrong in itself or unknown to the site; nothing is written then.
    """
    check_document(engine, site_id, document)
    kind, mapping = kind_of(document)
    return add_paper(engine, site_id, kind, mapping, who, at_ms, expected_revision)


def kind_of(document: object) -> tuple[str, Mapping[str, Any]]:
    """Which of KINDS the document is, by the field that names it."""
    found = [kind for kind in KINDS if isinstance(document, dict) and kind in document]
    if len(found) != 1 or not isinstance(document, dict):
        raise InputError("document", "it is no bill, tariff or occupancy plan",
                         "one of the fields bill, tariff, occupancy")
    return found[0], document


def check_paper(paper: "Bill | Tariff | OccupancyPlan", site: Site) -> None:
    """Raise InputError for bands, sources and parties that the site does not have, and for a bill
    that no readings could make right."""
    if isinstance(paper, Bill):
        check_bill(paper, site)
    elif isinstance(paper, Tariff):
        bands, sources = bands_and_sources(site)
        if paper.source is not None:
            check_known("source", paper.source, sources)
        for index, line in enumerate(paper.lines):
            if line.band is not None:
                check_known(f"lines[{index}].band", line.band, bands)
    else:
        tenants = {each.id for each in site.tenants}
        for index, waiver in enumerate(paper.waivers):
            check_known(f"waivers[{index}].tenant", waiver.tenant, tenants)

"""Periods whose seats are forgotten: what the store no longer knows comes from the record of a run,
or the period is not computed again. A share that nobody can check is never guessed."""

from dataclasses import replace

from sqlalchemy import Engine

from seatwatt.billing.bill import Period
from seatwatt.contract.errors import InputError
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.jobs import list_jobs
from seatwatt.ledger.papers import list_papers
from seatwatt.ledger.runs import find_run, inputs_of
from seatwatt.settlement.charging import span_ms
from seatwatt.settlement.run_inputs import PeriodInputs, RunInputs, decode
from seatwatt.settlement.settle import shares_by_occupancy

FORGETTING = "forgetting"
"""The job that deletes who sat where; its record says until when, site by site."""


class Forgotten(InputError):
    """Who sat where in the period is needed and gone."""


def bills_by_occupancy(engine: Engine, site: Site) -> bool:
    """Whether a rule of the site or a line of any of its bills shares by who sat where."""
    return shares_by_occupancy(site) or any(
        _by_hours(paper.document) for paper in list_papers(engine, site.id, "bill"))


def forgotten_until_ms(engine: Engine, site_id: str) -> int:
    """Readings of who sat where before this moment are deleted; 0 where none are."""
    record = list_jobs(engine).get(FORGETTING)
    until: int = record.progress.get(site_id, {}).get("until_ms", 0) if record else 0
    return until


def with_known_occupancy(engine: Engine, inputs: RunInputs) -> RunInputs:
    """The inputs with what the store has forgotten put back from the records of the runs of
    those very periods. Forgotten (an InputError) where no record has it any more."""
    site = parse_site(inputs.site)
    until_ms = forgotten_until_ms(engine, site.id)
    needed = shares_by_occupancy(site) or any(_by_hours(bill) for bill in inputs.bills)
    if not needed or not any(span_ms(each, site)[0] < until_ms for each in inputs.periods):
        return inputs
    return replace(inputs, periods={
        each: given if span_ms(each, site)[0] >= until_ms
        else _remembered(engine, site, each, given, until_ms)
        for each, given in inputs.periods.items()})


def _remembered(engine: Engine, site: Site, period: Period, given: PeriodInputs, until_ms: int
                ) -> PeriodInputs:
    run = find_run(engine, site.id, period.from_, period.to)
    kept = None if run is None else inputs_of(engine, run.id)
    if run is None or kept is None or kept.occupancy is None:
        raise _forgotten(f"period {period}", site, until_ms)
    return replace(given, occupancy=decode(kept, run.digest).periods[period].occupancy)


def _by_hours(bill: object) -> bool:
    lines = bill.get("lines", ()) if isinstance(bill, dict) else ()
    return any(line.get("share_by") == "occupied_hours" for line in lines)


def check_known(engine: Engine, site: Site, start_ms: int) -> None:
    """Forgotten where a rule of the site shares by who sat where before that is known."""
    until_ms = forgotten_until_ms(engine, site.id) if shares_by_occupancy(site) else 0
    if start_ms < until_ms:
        raise _forgotten("period", site, until_ms)


def _forgotten(where: str, site: Site, until_ms: int) -> Forgotten:
    day = local_date(until_ms, site.time_zone)
    return Forgotten(where, "its energy is shared by who sat where, which is forgotten before "
                     f"{day}", f"a period from {day} on; issued statements stay as they are")

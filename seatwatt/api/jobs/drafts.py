"""Each day: last month's draft, made on the first and following late data until it is approved."""

from datetime import date, timedelta

from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.billing.bill import Period
from seatwatt.contract.errors import InputError
from seatwatt.contract.leasetimes import local_date
from seatwatt.ledger.jobs import Progress
from seatwatt.ledger.runs import Mark, find_run
from seatwatt.settlement.runs import draft

WHO = "month_drafts"


def write_month_drafts(services: Services, progress: Progress) -> Outcome:
    """Every declared site; one that cannot be drafted is named and the others go on."""
    said, failed = [], False
    for site_id in services.declarations.ids():
        site = services.declarations.load(site_id).site
        period = month_before(local_date(services.clock(), site.time_zone))
        try:
            said.append(f"{site_id} {period}: {_draft(services, site_id, period)}")
        except InputError as error:
            said.append(f"{site_id} {period}: {error}")
            failed = True
    return Outcome("; ".join(said) or "no site is declared", progress, failed)


def _draft(services: Services, site_id: str, period: Period) -> str:
    existing = find_run(services.ledger, site_id, period.from_, period.to)
    if existing is not None and existing.state != "draft":
        return existing.state
    run = draft(services.ledger, services.reader, site_id, period,
                Mark(at_ms=services.clock(), who=WHO), compare=True)
    return f"draft {run.revision} of run {run.id}"


def month_before(day: date) -> Period:
    """The whole calendar month before the one that `day` lies in."""
    first = day.replace(day=1)
    return Period(from_=(first - timedelta(days=1)).replace(day=1), to=first)

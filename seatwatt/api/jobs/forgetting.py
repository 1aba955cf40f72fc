"""Each day: forget what is kept for a while only. Who sat where goes from issued runs after
`occupancy_days`, answers to idempotency keys after a week."""

from datetime import timedelta

from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.contract.leasetimes import local_date
from seatwatt.ledger.answers import forget_before
from seatwatt.ledger.jobs import Progress
from seatwatt.ledger.runs import forget_occupancy

ANSWERS_MS = 7 * 86_400_000


def forget(services: Services, progress: Progress) -> Outcome:
    """Every declared site."""
    now_ms, kept = services.clock(), timedelta(days=services.settings.occupancy_days)
    runs = sum(forget_occupancy(
        services.ledger, site_id,
        local_date(now_ms, services.declarations.load(site_id).site.time_zone) - kept)
        for site_id in services.declarations.ids())
    answers = forget_before(services.ledger, now_ms - ANSWERS_MS)
    return Outcome(f"occupancy of {runs} runs, {answers} answers", progress)

"""Scheduled jobs: each reads, computes, writes derived measurements, and says what it did."""

from collections.abc import Callable
from dataclasses import dataclass

from seatwatt.api.jobs.completeness import write_completeness
from seatwatt.api.jobs.drafts import write_month_drafts
from seatwatt.api.jobs.forgetting import forget
from seatwatt.api.jobs.happenings import write_happenings
from seatwatt.api.jobs.health import write_device_health
from seatwatt.api.jobs.intervals import write_intervals
from seatwatt.api.jobs.live import write_live
from seatwatt.api.jobs.months import write_months
from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.ledger.jobs import Progress


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is due every `every_s`, on whole multiples of it after midnight UTC.

    A run that could not start within `grace_s` of its time is left out: the next one does its
    work, from how far the last one came.
    """

    name: str
    title: str
    every_s: int
    grace_s: int
    run: Callable[[Services, Progress], Outcome]


JOBS: tuple[Job, ...] = (
    Job("device_health", "which devices were heard of lately", 60, 30, write_device_health),
    Job("intervals", "site balance, zone occupancy and tenants' energy, two days back for late "
                     "data", 300, 240, write_intervals),
    Job("completeness", "which intervals of the last days were measured, and what the rules found",
        86_400, 43_200, write_completeness),
    Job("month_drafts", "last month's draft of every site, until it is approved", 86_400, 43_200,
        write_month_drafts),
    Job("forgetting", "who sat where long ago, and old answers to idempotency keys", 86_400,
        43_200, forget),
    Job("live", "what each site draws now and from where; what the quarantine holds", 60, 30,
        write_live),
    Job("happenings", "outages, exchanges and tariffs, as events", 300, 240, write_happenings),
    Job("months", "each tenant's month so far and last month, with what they would cost", 3600,
        1800, write_months),
)

"""Scheduled jobs: each reads, computes, writes derived measurements, and says what it did."""

from collections.abc import Callable
from dataclasses import dataclass

from seatwatt.api.jobs.completeness import write_completeness
from seatwatt.api.jobs.health import write_device_health
from seatwatt.api.jobs.intervals import write_intervals
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
)

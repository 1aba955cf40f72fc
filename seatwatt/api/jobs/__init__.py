"""Scheduled jobs: each reads, computes, writes derived measurements, and says what it did."""

from collections.abc import Callable
from dataclasses import dataclass

from seatwatt.api.jobs.health import write_device_health
from seatwatt.api.services import Services


@dataclass(frozen=True, slots=True)
class Job:
    """`run` is due every `every_s`; it returns one line on what it did.

    A run that could not start within `grace_s` of its time is left out: the next one does its work.
    """

    name: str
    title: str
    every_s: int
    grace_s: int
    run: Callable[[Services], str]


JOBS: tuple[Job, ...] = (
    Job("device_health", "which devices were heard of lately", 60, 30, write_device_health),
)

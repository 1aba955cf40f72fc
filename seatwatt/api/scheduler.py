"""Runs the jobs on their schedule, in one process of several, and records how each run went.

The schedule itself is made anew at each start from the table of jobs; what must outlast a process
is in the ledger: the lock, how the last run went, and how far the job came.
"""

import logging
import os
import secrets

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from prometheus_client import CollectorRegistry, Counter

from seatwatt.api.jobs import JOBS, Job
from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.contract.errors import SeatwattError
from seatwatt.ledger.jobs import JobRecord, finish_job, list_jobs, take_job

_log = logging.getLogger("seatwatt.api.jobs")
_HELD_S_MIN = 1800


class Scheduler:
    """One process's schedule. Times come from APScheduler, the records from `services.clock`."""

    def __init__(self, services: Services, registry: CollectorRegistry,
                 jobs: tuple[Job, ...] = JOBS) -> None:
        self._services, self.jobs = services, jobs
        self._holder = f"{os.getpid()}-{secrets.token_hex(4)}"
        self._runs = Counter("seatwatt_job_runs", "runs of scheduled jobs", ("job", "status"),
                             registry=registry)
        self._scheduler: BackgroundScheduler | None = None

    def start(self) -> None:
        """Begin; what is overdue runs at once."""
        scheduler = BackgroundScheduler(timezone="UTC",
                                        executors={"default": ThreadPoolExecutor(2)})
        for job in self.jobs:
            scheduler.add_job(self.run, _trigger(job), args=[job], id=job.name, coalesce=True,
                              max_instances=1, misfire_grace_time=job.grace_s)
            scheduler.add_job(self.run, args=[job], id=f"{job.name} at start",
                              misfire_grace_time=None)
        scheduler.start()
        self._scheduler = scheduler

    def stop(self) -> None:
        """Wait for running jobs and end."""
        if self._scheduler is not None:
            self._scheduler.shutdown(wait=True)
            self._scheduler = None

    def next_run_ms(self, name: str) -> int | None:
        """When the job is due next; None when the schedule does not run here."""
        found = self._scheduler.get_job(name) if self._scheduler else None
        return None if found is None else round(found.next_run_time.timestamp() * 1000)

    def records(self) -> dict[str, JobRecord]:
        """How the last runs went, in whichever process."""
        return list_jobs(self._services.ledger)

    def run(self, job: Job) -> bool:
        """Run the job now unless another process does or just did; whether it ran here."""
        services, now_ms = self._services, self._services.clock()
        held_ms = now_ms + 1000 * max(_HELD_S_MIN, 2 * job.every_s)
        try:
            if not take_job(services.ledger, job.name, self._holder, now_ms, held_ms,
                            idle_ms=500 * job.every_s):
                return False
            self._run(job)
        except SeatwattError as error:
            # The ledger itself is away: nothing can be recorded, but the log and metrics tell.
            _log.error("job %s: %s", job.name, error)
            self._runs.labels(job.name, "failed").inc()
        return True

    def _run(self, job: Job) -> None:
        services = self._services
        before = self.records()[job.name].progress
        try:
            outcome = services.run(job.run, before)
        except Exception as error:  # noqa: BLE001 - whatever a job meets must show in its record
            _log.error("job %s failed", job.name, exc_info=True)
            # What the job noted before it failed stands.
            outcome = Outcome(f"{type(error).__name__}: {error}",
                              self.records()[job.name].progress, failed=True)
        if not finish_job(services.ledger, job.name, self._holder, services.clock(),
                          outcome.failed, outcome.detail, outcome.progress):
            _log.warning("job %s took so long that another process has taken it over", job.name)
        self._runs.labels(job.name, "failed" if outcome.failed else "ok").inc()


def _trigger(job: Job) -> CronTrigger:
    """Whole multiples of the period after midnight UTC; a daily job at ten past one in the night
    of most sites."""
    if job.every_s == 86_400:
        return CronTrigger(hour=20, minute=10, timezone="UTC")
    if job.every_s == 3600:
        return CronTrigger(minute=7, timezone="UTC")
    return CronTrigger(minute=f"*/{job.every_s // 60}", timezone="UTC")

"""Runs the jobs on their schedule and remembers how each run ended."""

import logging
import threading
from dataclasses import dataclass

from apscheduler.executors.pool import ThreadPoolExecutor
from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from prometheus_client import CollectorRegistry, Counter

from seatwatt.api.jobs import JOBS, Job
from seatwatt.api.services import Services

_log = logging.getLogger("seatwatt.api.jobs")


@dataclass(slots=True)
class JobState:
    """How the last run of a job went; `status` is never, running, ok or failed."""

    status: str = "never"
    started_at_ms: int | None = None
    finished_at_ms: int | None = None
    detail: str = ""
    failures: int = 0


class Scheduler:
    """One process's schedule. Times come from APScheduler, the records from `services.clock`."""

    def __init__(self, services: Services, registry: CollectorRegistry,
                 jobs: tuple[Job, ...] = JOBS) -> None:
        self._services = services
        self.jobs = jobs
        self.states = {job.name: JobState() for job in jobs}
        self._runs = Counter("seatwatt_job_runs", "runs of scheduled jobs", ("job", "status"),
                             registry=registry)
        self._scheduler: BackgroundScheduler | None = None
        self._lock = threading.Lock()

    def start(self) -> None:
        """Begin; a first run of each job follows at once."""
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
        """When the job is due next; None when the schedule does not run."""
        found = self._scheduler.get_job(name) if self._scheduler else None
        return None if found is None else round(found.next_run_time.timestamp() * 1000)

    def run(self, job: Job) -> None:
        """Run the job now and record how it went; a failure is recorded and logged, not raised."""
        state, clock = self.states[job.name], self._services.clock
        state.status, state.started_at_ms = "running", clock()
        try:
            state.detail, status = job.run(self._services), "ok"
        except Exception as error:  # noqa: BLE001 - whatever a job meets must show in its record
            _log.error("job %s failed: %s", job.name, error, exc_info=True)
            state.detail, status = f"{type(error).__name__}: {error}", "failed"
            state.failures += 1
        state.finished_at_ms, state.status = clock(), status
        self._runs.labels(job.name, status).inc()


def _trigger(job: Job) -> CronTrigger | IntervalTrigger:
    """On whole minutes of the clock where the period divides an hour or a day evenly."""
    if job.every_s % 60 == 0 and 3600 % job.every_s == 0 and job.every_s < 3600:
        return CronTrigger(minute=f"*/{job.every_s // 60}", timezone="UTC")
    return IntervalTrigger(seconds=job.every_s, timezone="UTC")

"""The scheduled jobs and how their last runs went."""

from fastapi import APIRouter, Request

from seatwatt.api.access import Technical
from seatwatt.api.jobs import Job
from seatwatt.api.scheduler import Scheduler
from seatwatt.api.shapes import JobLine, JobList
from seatwatt.api.times import maybe_utc_text
from seatwatt.ledger.jobs import JobRecord

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get("", summary="Scheduled jobs")
def jobs(request: Request, _: Technical) -> JobList:
    """Each job's period, how its last run went and what it said, and when the next is due."""
    scheduler: Scheduler = request.app.state.scheduler
    records = scheduler.records()
    return JobList(jobs=[_line(job, records.get(job.name), scheduler.next_run_ms(job.name))
                         for job in scheduler.jobs])


def _line(job: Job, record: JobRecord | None, next_run_ms: int | None) -> JobLine:
    return JobLine(
        name=job.name, title=job.title, every_s=job.every_s,
        status=record.status if record else "never",
        started_at=maybe_utc_text(record.started_at_ms if record else None),
        finished_at=maybe_utc_text(record.finished_at_ms if record else None),
        detail=record.detail if record else "", failures=record.failures if record else 0,
        next_run_at=maybe_utc_text(next_run_ms))

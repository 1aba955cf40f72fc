"""The scheduled jobs and how their last runs went."""

from fastapi import APIRouter, Request

from seatwatt.api.access import Technical
from seatwatt.api.scheduler import Scheduler
from seatwatt.api.shapes import JobLine, JobList
from seatwatt.api.times import maybe_utc_text

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])


@router.get("", summary="Scheduled jobs")
def jobs(request: Request, _: Technical) -> JobList:
    """Each job's period, how its last run went and what it said, and when the next is due."""
    scheduler: Scheduler = request.app.state.scheduler
    return JobList(jobs=[_line(scheduler, job.name, job.title, job.every_s)
                         for job in scheduler.jobs])


def _line(scheduler: Scheduler, name: str, title: str, every_s: int) -> JobLine:
    state = scheduler.states[name]
    return JobLine(name=name, title=title, every_s=every_s, status=state.status,
                   started_at=maybe_utc_text(state.started_at_ms),
                   finished_at=maybe_utc_text(state.finished_at_ms),
                   detail=state.detail, failures=state.failures,
                   next_run_at=maybe_utc_text(scheduler.next_run_ms(name)))

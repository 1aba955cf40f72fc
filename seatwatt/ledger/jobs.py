"""The record of scheduled jobs, and the lock by which one of several processes runs them."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.tables import jobs

Progress = dict[str, Any]
"""JSON: how far the job came, in its own terms."""


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRecord:
    """How a job's last run went: `status` is never, running, ok or failed."""

    name: str
    holder: str | None
    held_until_ms: int
    status: str
    started_at_ms: int | None
    finished_at_ms: int | None
    failures: int
    detail: str
    progress: Progress


def take_job(engine: Engine, name: str, holder: str, now_ms: int, until_ms: int,
             idle_ms: int = 0) -> bool:
    """Lock the job for `holder` until `until_ms`; False when another holds it, or began it less
    than `idle_ms` ago: then its work is done already.

    A holder that dies gives it up by the time that passes.
    """
    _ensure(engine, name)
    with writing(engine) as connection:
        taken = connection.execute(update(jobs).where(
            jobs.c.name == name,
            or_(jobs.c.holder.is_(None), jobs.c.holder == holder, jobs.c.held_until_ms <= now_ms),
            or_(jobs.c.started_at_ms.is_(None), jobs.c.started_at_ms <= now_ms - idle_ms),
        ).values(holder=holder, held_until_ms=until_ms, status="running", started_at_ms=now_ms))
        return taken.rowcount == 1


def finish_job(engine: Engine, name: str, holder: str, now_ms: int, failed: bool, detail: str,
               progress: Progress) -> bool:
    """Record how the run went and let the lock go; False when the lock was lost meanwhile."""
    with writing(engine) as connection:
        done = connection.execute(update(jobs).where(
            jobs.c.name == name, jobs.c.holder == holder,
        ).values(holder=None, held_until_ms=0, status="failed" if failed else "ok",
                 finished_at_ms=now_ms, detail=detail, progress=progress,
                 failures=jobs.c.failures + int(failed)))
        return done.rowcount == 1


def keep_progress(engine: Engine, name: str, progress: Progress) -> None:
    """Record how far a job came while it goes on: before a step that cannot be taken back."""
    _ensure(engine, name)
    with writing(engine) as connection:
        connection.execute(update(jobs).where(jobs.c.name == name).values(progress=progress))


def list_jobs(engine: Engine) -> dict[str, JobRecord]:
    """Every job that was ever taken, by name."""
    with reading(engine) as connection:
        return {row.name: _record(row) for row in connection.execute(select(jobs))}


def _record(row: Row[Any]) -> JobRecord:
    return JobRecord(**row._mapping)


def _ensure(engine: Engine, name: str) -> None:
    """The job's row, made the first time; another process may make it at the same moment."""
    with reading(engine) as connection:
        if _exists(connection, name):
            return
    try:
        with writing(engine) as connection:
            if not _exists(connection, name):
                connection.execute(insert(jobs), [{
                    "name": name, "holder": None, "held_until_ms": 0, "status": "never",
                    "failures": 0, "detail": "", "progress": {}}])
    except IntegrityError:
        return  # The other process made it.


def _exists(connection: Connection, name: str) -> bool:
    return connection.execute(select(jobs.c.name).where(jobs.c.name == name)).first() is not None

"""What a job's run leaves behind."""

from dataclasses import dataclass

from seatwatt.ledger.jobs import Progress


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line on what was done, and how far the job came."""

    detail: str
    progress: Progress

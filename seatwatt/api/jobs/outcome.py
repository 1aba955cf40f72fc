"""What a job's run leaves behind."""

from dataclasses import dataclass

from seatwatt.ledger.jobs import Progress


@dataclass(frozen=True, slots=True)
class Outcome:
    """One line on what was done, and how far the job came. `failed` says that some of it could
    not be done, as the line tells; what could be done is in the progress."""

    detail: str
    progress: Progress
    failed: bool = False

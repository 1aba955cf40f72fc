"""What issued runs would put on each party today, kept so that a draft need not compute it again
while nothing it rests on has changed. No record: it can be thrown away at any time."""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select

from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.run_tables import reviews

Entry = tuple[str, str, str]
"""Currency, line, party."""


@dataclass(frozen=True, slots=True)
class Review:
    """`inputs` is a digest of what the entries (in minor units) were computed from."""

    inputs: str
    entries: Mapping[Entry, int]


def find_review(engine: Engine, run_id: int) -> Review | None:
    """The last look at the run."""
    with reading(engine) as connection:
        row = connection.execute(select(reviews).where(reviews.c.run_id == run_id)).one_or_none()
    if row is None:
        return None
    return Review(row.inputs, {(currency, line, party): minor
                               for currency, line, party, minor in row.entries})


def keep_review(engine: Engine, run_id: int, review: Review) -> None:
    """In place of the one before."""
    rows = [[*entry, minor] for entry, minor in sorted(review.entries.items())]
    with writing(engine) as connection:
        connection.execute(delete(reviews).where(reviews.c.run_id == run_id))
        connection.execute(insert(reviews), [{"run_id": run_id, "inputs": review.inputs,
                                              "entries": rows}])

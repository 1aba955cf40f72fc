"""Finding the readings a store refuses, without believing what it says about the others.

InfluxDB 1.x answers 400 for a batch in which some lines exceed a limit, and has then dropped good
lines as well: with three new series too many at the end of a batch, the first three lines of it
are gone too, while it says `dropped=3`. So after a refusal every reading is sent again, in halves,
down to single readings; only the verdict on a single reading counts. Sending again is harmless.
"""

from seatwatt.contract.errors import StoreRefused, StoreTooLarge
from seatwatt.contract.readings import ReadingBatch
from seatwatt.store.ports import Writer

REFUSED_MAX = 1000


def write_bisecting(writer: Writer, batch: ReadingBatch, refused_max: int = REFUSED_MAX
                    ) -> list[tuple[int, str]]:
    """Write all of `batch` but the readings the store refuses; return those as (index in the
    batch, the store's words), rising. All others are committed when this returns.

    With n readings of which k are refused, no more than 1 + 2 k (1 + log2 n) writes are made.
    More than `refused_max` refused readings are a fault of the store rather than of the data (a
    retention too short, a field of another type): StoreRefused. A batch that is no longer than
    `refused_max` therefore always ends with verdicts. Any other StoreError passes through; send
    the whole batch again then.
    """
    refused: list[tuple[int, str]] = []
    todo = [(0, len(batch))]
    while todo:
        start, stop = todo.pop()
        try:
            writer.write(batch if stop - start == len(batch) else batch.part(start, stop))
        except (StoreRefused, StoreTooLarge) as error:
            if stop - start > 1:
                # The earlier half goes first: of two readings of one time the later stands.
                middle = (start + stop) // 2
                todo += [(middle, stop), (start, middle)]
                continue
            refused.append((start, str(error)))
            if len(refused) > refused_max:
                raise StoreRefused(f"more than {refused_max} of {len(batch)} readings refused; "
                                   f"the last: {error}") from None
    return refused

"""What ingest needs of the others."""

from collections.abc import Callable, Sequence
from typing import Protocol

from seatwatt.contract.readings import QuarantinedMessage, ReadingBatch, Refusal, SeriesBook
from seatwatt.contract.topics import Topic

Clock = Callable[[], int]
"""UTC milliseconds since 1970."""


class Quarantine(Protocol):
    """Where refused messages are kept until somebody replays them."""

    def put(self, messages: Sequence[QuarantinedMessage]) -> None:
        """Keep all of them durably, or raise a StoreError."""


class Decoded(Protocol):
    """What a payload says: its good readings, and what is wrong with the rest."""

    @property
    def batch(self) -> ReadingBatch:
        """The good readings, in the order of the records."""

    @property
    def refusals(self) -> Sequence[Refusal]:
        """One for each record that is no reading, or one for the whole payload."""

    @property
    def pack_id(self) -> str | None:
        """The id for which the gateway waits for a receipt, on pack topics."""


class Decode(Protocol):
    """Turns a payload into readings; bad input is a refusal, never an exception."""

    def __call__(self, payload: bytes, topic: Topic, received_at_ms: int,
                 book: SeriesBook) -> Decoded: ...

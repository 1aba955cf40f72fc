"""Fakes of the ports of ingest, and messages to feed it."""

import threading
from collections.abc import Callable, Sequence

from seatwatt.contract.errors import StoreError, StoreRefused, StoreUnavailable
from seatwatt.contract.readings import QuarantinedMessage, ReadingBatch
from seatwatt.store.ports import DerivedPoint

NOW_MS = 1_790_000_000_000
Key = tuple[str, str, int]


class FakeWriter:
    """Keeps readings in a dict; refuses those `refuses` says, fails as `failing` says."""

    def __init__(self) -> None:
        self.readings: dict[Key, float | str] = {}
        self.points: list[DerivedPoint] = []
        self.failing: StoreError | None = None
        self.refuses: Callable[[float | str], bool] = lambda value: False
        self.writes = 0
        self.gate = threading.Event()
        self.gate.set()

    def write(self, batch: ReadingBatch) -> None:
        self.writes += 1
        assert self.gate.wait(30)
        if self.failing is not None:
            raise self.failing
        if any(self.refuses(value) for value in batch.values):
            raise StoreRefused("partial write: out of sorts dropped=0")
        for series, at_ms, value in zip(batch.series, batch.taken_at_ms, batch.values,
                                        strict=True):
            name = f"{series.device}/{series.quantity.name}"
            self.readings[series.site, name, at_ms] = value

    def write_derived(self, points: Sequence[DerivedPoint]) -> None:
        self.points += points

    def ping(self) -> None:
        if self.failing is not None:
            raise self.failing

    def close(self) -> None:
        return


class FakeQuarantine:
    """Keeps messages in a list, unless `failing`."""

    def __init__(self) -> None:
        self.messages: list[QuarantinedMessage] = []
        self.failing = False

    def put(self, messages: Sequence[QuarantinedMessage]) -> None:
        if self.failing:
            raise StoreUnavailable("ledger: disk full")
        self.messages += messages


def power(value: float, seat: int = 1, at_s: int = NOW_MS // 1000) -> tuple[bytes, bytes]:
    """A good message: topic and payload."""
    return (b"seatwatt/v1/hall/seat/hall-a/%03d" % seat,
            b'[{"bt":%d,"n":"power","u":"W","v":%r}]' % (at_s, value))

"""Bringing readings to the store, whatever the store says.

Its errors are answered by what they mean: down or misconfigured passes through (the caller
journals), too large is halved, refused is narrowed down to the single readings at fault.
"""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from seatwatt.contract.errors import StoreError, StoreRefused, StoreUnavailable
from seatwatt.contract.readings import ReadingBatch
from seatwatt.ingest.gate import Gate
from seatwatt.store.bisect import REFUSED_MAX, write_bisecting
from seatwatt.store.ports import DerivedPoint, Writer

_PATIENCE_S = 2.0
AT_ONCE = 3
"""Threads that may be at the store together: one serialises while another waits for the answer,
and the journal drains beside them."""

Refused = list[tuple[int, str]]
"""(index of the reading, the store's words), rising."""


class Store:
    """A Writer that several threads may use and that knows how the store fares."""

    def __init__(self, writer: Writer, gate: Gate) -> None:
        self._careful, self.gate = _Careful(writer), gate
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._trial = threading.Lock()

    def deliver(self, readings: ReadingBatch) -> Refused:
        """Have all readings committed but those returned; raises StoreUnavailable or
        StoreMisconfigured, after which nothing is known of any of them."""
        if not readings:
            return []
        with self._admitted():
            try:
                refused = self._write(readings)
            except StoreError as error:
                self.gate.failed(error)
                raise
        self.gate.succeeded()
        return refused

    def derive(self, points: Sequence[DerivedPoint]) -> None:
        """Write derived points; raises StoreError."""
        with self._admitted():
            self._careful.write_derived(points)

    @contextmanager
    def _admitted(self) -> Iterator[None]:
        """A turn at the store, or StoreUnavailable: while it is down one thread tries it and the
        others do not queue up behind its time-out."""
        is_open = self.gate.is_open
        turn = self._turns if is_open else self._trial
        if not turn.acquire(timeout=_PATIENCE_S if is_open else 0):
            raise StoreUnavailable("other threads are at the store")
        try:
            yield
        finally:
            turn.release()

    def _write(self, readings: ReadingBatch) -> Refused:
        try:
            return write_bisecting(self._careful, readings)
        except StoreRefused:
            return self._write_in_parts(readings)

    def _write_in_parts(self, readings: ReadingBatch) -> Refused:
        """Too many refused for one search: parts so short that each ends with verdicts."""
        refused: Refused = []
        for start in range(0, len(readings), REFUSED_MAX):
            part = readings.part(start, start + REFUSED_MAX)
            refused += [(start + index, words)
                        for index, words in write_bisecting(self._careful, part)]
        return refused


class _Careful:
    """The writer, with what it must not raise put into the family of StoreError."""

    def __init__(self, writer: Writer) -> None:
        self._writer = writer
        self.ping, self.close = writer.ping, writer.close

    def write(self, batch: ReadingBatch) -> None:
        with self._sorted_errors():
            self._writer.write(batch)

    def write_derived(self, points: Sequence[DerivedPoint]) -> None:
        with self._sorted_errors():
            self._writer.write_derived(points)

    @contextmanager
    def _sorted_errors(self) -> Iterator[None]:
        try:
            yield
        except StoreError:
            raise
        except (OSError, MemoryError) as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
        # A reading that breaks the adapter is found and quarantined like one the store refuses;
        # an adapter that breaks without any is no fault of the readings.
        except Exception as error:
            told = f"adapter failed: {type(error).__name__}: {error}"
            try:
                self._writer.ping()
            except Exception as failed:
                raise StoreUnavailable(told) from failed
            raise StoreRefused(told) from error

"""Bringing readings to the store, whatever the store says.

Its errors are answered by what they mean: down or misconfigured passes through (the caller
journals), too large is halved, refused is narrowed down to the single readings at fault.
"""

import threading
from collections.abc import Sequence

from seatwatt.contract.errors import StoreError, StoreRefused, StoreUnavailable
from seatwatt.contract.readings import ReadingBatch
from seatwatt.ingest.gate import Gate
from seatwatt.store.bisect import REFUSED_MAX, write_bisecting
from seatwatt.store.ports import DerivedPoint, Writer

_PATIENCE_S = 2.0

Refused = list[tuple[int, str]]
"""(index of the reading, the store's words), rising."""


class Store:
    """A Writer that several threads may use and that knows how the store fares."""

    def __init__(self, writer: Writer, gate: Gate) -> None:
        self._careful, self.gate = _Careful(writer), gate
        self._turn = threading.Lock()

    def deliver(self, readings: ReadingBatch) -> Refused:
        """Have all readings committed but those returned; raises StoreUnavailable or
        StoreMisconfigured, after which nothing is known of any of them."""
        if not readings:
            return []
        # While it is down one thread tries and the others do not queue up behind its timeout.
        if not self._turn.acquire(timeout=_PATIENCE_S if self.gate.is_open else 0):
            raise StoreUnavailable("another thread is trying the store")
        try:
            refused = self._write(readings)
        except StoreError as error:
            self.gate.failed(error)
            raise
        finally:
            self._turn.release()
        self.gate.succeeded()
        return refused

    def derive(self, points: Sequence[DerivedPoint]) -> None:
        """Write derived points; raises StoreError."""
        with self._turn:
            self._careful.write_derived(points)

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
        self.write_derived = writer.write_derived

    def write(self, batch: ReadingBatch) -> None:
        try:
            self._writer.write(batch)
        except StoreError:
            raise
        except (OSError, MemoryError) as error:
            raise StoreUnavailable(f"{type(error).__name__}: {error}") from error
        # A reading that breaks the adapter is found and quarantined like one the store refuses.
        except Exception as error:
            raise StoreRefused(f"adapter failed: {type(error).__name__}: {error}") from error

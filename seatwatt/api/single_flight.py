"""Remember the last few results of a slow computation, and never compute one twice at once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

COST_FACTOR = 20
"""A result is fresh for so many times what it took: at most a twentieth of one core is spent on
computing the same thing again and again."""
STALE_FACTOR = 5
"""An old result may be shown, while a new one is computed, for so many times as long as fresh."""
PATIENCE_MS = 250
"""What takes no longer than this is waited for rather than shown old."""
UNCHANGED_MS = 3_600_000
"""A result whose inputs did not change is computed again all the same when it is so old."""


@dataclass(slots=True)
class _Entry(Generic[V]):
    future: "Future[V]"
    started_at_ms: int
    seen: str | None = None
    """What was seen of its inputs before it began."""
    cost_ms: int = 0
    shown: "Future[V] | None" = None
    """The result before, given out while this one is under way."""


class SingleFlight(Generic[K, V]):
    """Results by key, at most `limit` of them; the least recently used go first.

    A result is fresh for `age_ms`, or COST_FACTOR times what it took if that is longer, counted
    from the start of its computation: what came later is not in it. An older one is computed
    again; whoever asks meanwhile waits for that one computation, or is shown the old result
    where waiting would be long. Failures are told to all who wait, and forgotten.

    Who can tell what the inputs are at (`seen`) is given a result of the same inputs, whatever its
    age; one of other inputs for `age_ms` (or what it took, if longer) at most, unless `running`:
    then inputs change all the time, and it is judged by its age alone.
    """

    def __init__(self, executor: Executor, clock: Callable[[], int], limit: int,
                 age_ms: int) -> None:
        self._executor, self._clock = executor, clock
        self._limit, self._age_ms = limit, age_ms
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._lock = threading.Lock()
        self.computed = 0
        self.reused = 0

    def get(self, key: K, compute: Callable[[], V], anew: bool = False,
            seen: str | None = None, running: bool = False) -> "Future[V]":
        """The future of the result for `key`; with `anew`, of one that starts now."""
        with self._lock:
            entry = self._entries.get(key)
            usable = None if entry is None or anew else self._usable(key, entry, compute, seen,
                                                                     running)
            if usable is None:
                return self._start(key, compute, seen).future
            self.reused += 1
            self._entries.move_to_end(key)
            return usable

    def _usable(self, key: K, entry: _Entry[V], compute: Callable[[], V], seen: str | None,
                running: bool) -> "Future[V] | None":
        if not entry.future.done():
            return entry.shown or entry.future
        if entry.future.exception() is not None:
            return None
        fresh_ms = max(self._age_ms, COST_FACTOR * entry.cost_ms)
        age_ms = self._clock() - entry.started_at_ms
        if seen is not None and entry.seen == seen and age_ms <= UNCHANGED_MS:
            return entry.future
        if seen is not None and not running:
            return entry.future if age_ms <= max(self._age_ms, entry.cost_ms) else None
        if age_ms <= fresh_ms:
            return entry.future
        if entry.cost_ms <= PATIENCE_MS or age_ms > STALE_FACTOR * fresh_ms:
            return None
        self._start(key, compute, seen).shown = entry.future
        return entry.future

    def _start(self, key: K, compute: Callable[[], V], seen: str | None) -> _Entry[V]:
        self.computed += 1
        entry: _Entry[V] = _Entry(Future(), self._clock(), seen)
        # The cost counts from when a thread took it up, not from when it began to wait for one.
        entry.future = self._executor.submit(self._timed, entry, compute)
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)
        return entry

    def _timed(self, entry: _Entry[V], compute: Callable[[], V]) -> V:
        began_ms = self._clock()
        try:
            return compute()
        finally:
            entry.cost_ms = self._clock() - began_ms

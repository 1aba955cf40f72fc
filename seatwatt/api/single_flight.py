"""Remember the last few results of a slow computation, and never compute one twice at once."""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from concurrent.futures import Executor, Future
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(slots=True)
class _Entry(Generic[V]):
    future: "Future[V]"
    started_at_ms: int


class SingleFlight(Generic[K, V]):
    """Results by key, at most `limit` of them, the least recently used go first.

    A result older than the caller's `max_age_ms` (counted from the start of its computation: what
    came later is not in it) is computed again; callers of a key whose computation is under way
    wait for that one. A negative `max_age_ms` always computes anew. Failures are told to all who
    wait and forgotten.
    """

    def __init__(self, executor: Executor, clock: Callable[[], int], limit: int) -> None:
        self._executor, self._clock, self._limit = executor, clock, limit
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._lock = threading.Lock()
        self.computed = 0
        self.reused = 0

    def get(self, key: K, max_age_ms: int, compute: Callable[[], V]) -> "Future[V]":
        """The future of the result for `key`."""
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and self._usable(entry, max_age_ms):
                self.reused += 1
                self._entries.move_to_end(key)
                return entry.future
            return self._start(key, compute)

    def _usable(self, entry: _Entry[V], max_age_ms: int) -> bool:
        if max_age_ms < 0:
            return False
        if not entry.future.done():
            return True
        return (entry.future.exception() is None
                and self._clock() - entry.started_at_ms <= max_age_ms)

    def _start(self, key: K, compute: Callable[[], V]) -> "Future[V]":
        self.computed += 1
        entry = _Entry(self._executor.submit(compute), self._clock())
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)
        return entry.future

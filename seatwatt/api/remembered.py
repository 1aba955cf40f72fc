"""Results of slow computations, remembered and made anew while the old ones are shown."""

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Coroutine, Hashable
from concurrent.futures import Executor
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")

COST_FACTOR = 20
"""A result that is judged by age is fresh for so many times what it took: at most an eighteenth of
one core is spent on computing the same thing again and again."""
AHEAD = 0.9
"""After so much of that time the next one is begun, so that nobody has to wait for it."""
STALE_FACTOR = 5
"""Such a result may be shown, while a new one is computed, for so many times as long as fresh."""
PATIENCE_MS = 250
"""What takes no longer than this is waited for rather than shown when it is no longer fresh."""
LOOK_MS = 1000
"""How often somebody looks whether the inputs are still what they were."""
UNCHANGED_MS = 3_600_000
"""A result whose inputs did not change is computed again all the same when it is so old."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Work(Generic[V]):
    """`compute` gives a result and what its inputs were at, `look` what they are at now; None where
    that cannot be told. Inputs of what is `running` change all the time."""

    compute: Callable[[], tuple[V, object]]
    look: Callable[[], object] | None = None
    running: bool = False


class _Inputs(Enum):
    UNKNOWN = 0
    SAME = 1
    CHANGED = 2


@dataclass(slots=True, eq=False)
class _Entry(Generic[V]):
    work: Work[V]
    started_at_ms: int
    age_ms: int
    task: "asyncio.Task[V]" = field(init=False)
    older: "_Entry[V] | None" = None
    """The result before, which may be shown while this one is under way."""
    cost_ms: int = 0
    seen: object = None
    inputs: _Inputs = _Inputs.UNKNOWN
    right_at_ms: int = 0
    """When the inputs were last known to be the same."""
    looked_at_ms: int = 0
    looking: "asyncio.Task[None] | None" = None

    @property
    def fresh_ms(self) -> int:
        return max(self.age_ms, COST_FACTOR * self.cost_ms)

    @property
    def by_age(self) -> bool:
        changed = self.inputs is _Inputs.CHANGED
        return self.inputs is _Inputs.UNKNOWN or (changed and self.work.running)

    def begin_ms(self) -> float:
        """When the next one is due to be begun."""
        if self.by_age:
            return self.started_at_ms + AHEAD * self.fresh_ms
        if self.inputs is _Inputs.SAME:
            return self.started_at_ms + UNCHANGED_MS
        # Where inputs change again and again, half of one core at most, as long as that is enough.
        return self.started_at_ms + max(self.cost_ms, min(self.age_ms, 2 * self.cost_ms))

    def show_until_ms(self) -> int:
        """Whoever comes later waits."""
        if self.by_age:
            factor = 1 if self.cost_ms <= PATIENCE_MS else STALE_FACTOR
            return self.started_at_ms + factor * self.fresh_ms
        return max(self.right_at_ms + self.age_ms, self.started_at_ms + self.cost_ms)

    def failed(self) -> bool:
        return self.task.done() and (self.task.cancelled() or self.task.exception() is not None)


class Remembered(Generic[K, V]):
    """Results by key, at most `limit` of them; the least recently used go first. For one event
    loop.

    A result is shown for `age_ms` after its inputs were last known to be what they were. Somebody
    looks each LOOK_MS while it is asked for, and nobody waits for that look; where they changed,
    the next one is begun, and shown when it is there. So what is shown was right `age_ms` ago,
    or is waited for; but where a computation takes longer than `age_ms`, what it gave may
    be shown for as long as it took.

    Where nobody can tell what the inputs are at, or they change all the time (`Work.running`), a
    result is judged by its own age: fresh for `age_ms`, or COST_FACTOR times what it took. Failures
    are told to all who wait, and forgotten.
    """

    def __init__(self, computing: Executor, looking: Executor, clock: Callable[[], int],
                 limit: int, age_ms: int) -> None:
        self._computing, self._looking, self._clock = computing, looking, clock
        self._limit, self._age_ms = limit, age_ms
        self._entries: OrderedDict[K, _Entry[V]] = OrderedDict()
        self._tasks: set[asyncio.Task[Any]] = set()
        self.computed = 0
        self.reused = 0

    async def get(self, key: K, work: Work[V], anew: bool = False) -> V:
        """The result for `key`; with `anew`, of a computation that starts now."""
        entry = self._entries.get(key)
        if entry is None or anew or entry.failed():
            return await _result(self._start(key, work))
        entry.work = work
        await self._look_at(entry)
        entry = self._entries.get(key, entry)  # Who waited for a look may be late.
        if entry.task.done() and not entry.failed() and self._clock() > entry.begin_ms():
            entry = self._start(key, work, entry)
        else:
            self.reused += 1
            self._entries[key] = entry
            self._entries.move_to_end(key)
        older = entry.older
        if not entry.task.done() and older and self._clock() <= older.show_until_ms():
            return older.task.result()
        return await _result(entry)

    async def close(self) -> None:
        """Nobody waits any longer."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _look_at(self, entry: _Entry[V]) -> None:
        """Let somebody look, if it is time; wait for that only where the entry has to be known to
        be right before it is shown."""
        if entry.work.look is None or not entry.task.done():
            return
        now_ms = self._clock()
        if entry.looking is None and now_ms - entry.looked_at_ms >= LOOK_MS:
            entry.looking = self._task(self._look(entry, entry.work.look))
        if entry.looking and not entry.by_age and now_ms > entry.show_until_ms():
            await asyncio.shield(entry.looking)

    async def _look(self, entry: _Entry[V], look: Callable[[], object]) -> None:
        entry.looked_at_ms = began_ms = self._clock()
        try:
            self._note(entry, await _on(self._looking, look), began_ms)
        finally:
            entry.looking = None

    def _note(self, entry: _Entry[V], seen: object, at_ms: int) -> None:
        if seen is None or entry.seen is None:
            entry.inputs = _Inputs.UNKNOWN
        elif seen == entry.seen:
            entry.inputs, entry.right_at_ms = _Inputs.SAME, at_ms
        else:
            entry.inputs = _Inputs.CHANGED

    def _start(self, key: K, work: Work[V], older: _Entry[V] | None = None) -> _Entry[V]:
        self.computed += 1
        now_ms = self._clock()
        entry = _Entry(work, now_ms, self._age_ms, older=older, right_at_ms=now_ms,
                       looked_at_ms=now_ms)
        entry.task = self._task(self._compute(entry))
        self._entries[key] = entry
        self._entries.move_to_end(key)
        while len(self._entries) > self._limit:
            self._entries.popitem(last=False)
        return entry

    async def _compute(self, entry: _Entry[V]) -> V:
        def timed() -> tuple[V, object]:
            # The cost counts from when a thread took it up, not from when it began to wait for one.
            began_ms = self._clock()
            try:
                return entry.work.compute()
            finally:
                entry.cost_ms = self._clock() - began_ms

        try:
            value, entry.seen = await _on(self._computing, timed)
            self._note(entry, entry.seen, entry.started_at_ms)
            if entry.work.look is not None and entry.cost_ms > LOOK_MS:
                # It is shown from now on, and what it was computed from is as old as it took.
                await self._look(entry, entry.work.look)
            return value
        finally:
            entry.older = None

    def _task(self, coroutine: Coroutine[Any, Any, Any]) -> "asyncio.Task[Any]":
        task = asyncio.get_running_loop().create_task(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: "asyncio.Task[Any]") -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            task.exception()  # Told to whoever asks next, not to the log.


async def _result(entry: _Entry[V]) -> V:
    # Shielded: one caller who hangs up must not cancel what others wait for.
    return await asyncio.shield(entry.task)


async def _on(executor: Executor, work: Callable[[], V]) -> V:
    return await asyncio.get_running_loop().run_in_executor(executor, work)

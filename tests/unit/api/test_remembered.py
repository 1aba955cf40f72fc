"""One computation for all who ask; while a new one is made, the old one is shown as long as it was
right a short time ago."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from seatwatt.api.remembered import LOOK_MS, UNCHANGED_MS, Remembered, Work

AGE_MS = 5000


class World:
    """A clock that tests move, inputs that they change, and results that count up."""

    def __init__(self) -> None:
        self.now_ms = self.made = self.looks = 0
        self.inputs: object = "a"
        self.cost_ms = 10
        self.gate = threading.Event()
        self.gate.set()
        self.computing, self.looking = ThreadPoolExecutor(2), ThreadPoolExecutor(1)
        self.remembered = self.fresh()

    def fresh(self, age_ms: int = AGE_MS, limit: int = 2) -> Remembered[str, int]:
        return Remembered(self.computing, self.looking, lambda: self.now_ms, limit, age_ms)

    def compute(self) -> tuple[int, object]:
        seen, number = self.inputs, self.made
        self.made += 1
        assert self.gate.wait(60)
        self.now_ms += self.cost_ms
        return number, seen

    def look(self) -> object:
        self.looks += 1
        return self.inputs

    async def get(self, *, key: str = "key", running: bool = False, anew: bool = False) -> int:
        return await self.remembered.get(key, Work(
            compute=self.compute, look=self.look, running=running), anew)

    async def at(self, now_ms: int, *, running: bool = False) -> int:
        """What is shown then, where nobody has asked in between."""
        self.now_ms = now_ms
        return await self.get(running=running)

    async def quiet(self) -> None:
        """What was begun behind the scenes is done."""
        while self.remembered._tasks:
            await asyncio.sleep(0.001)


@pytest.fixture
def world() -> Iterator[World]:
    world = World()
    yield world
    world.gate.set()
    world.computing.shutdown()
    world.looking.shutdown()


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 60))


def test_ten_callers_compute_once(world: World) -> None:
    async def test() -> None:
        world.gate.clear()
        callers = [asyncio.create_task(world.get()) for _ in range(10)]
        await asyncio.sleep(0)
        world.gate.set()
        assert await asyncio.gather(*callers) == [0] * 10
        assert (world.remembered.computed, world.remembered.reused) == (1, 9)

    run(test)


def test_a_caller_who_hangs_up_does_not_cancel_what_others_wait_for(world: World) -> None:
    async def test() -> None:
        world.gate.clear()
        gone, waiting = asyncio.create_task(world.get()), asyncio.create_task(world.get())
        await asyncio.sleep(0.01)
        gone.cancel()
        await asyncio.sleep(0)
        world.gate.set()
        assert await waiting == 0

    run(test)


def test_the_least_recently_used_result_goes_first(world: World) -> None:
    async def test() -> None:
        for key in ("a", "b", "a", "c", "a", "b"):
            await world.get(key=key)
        assert (world.remembered.computed, world.remembered.reused) == (4, 2)

    run(test)


def test_a_failure_is_told_to_all_and_forgotten(world: World) -> None:
    async def test() -> None:
        def fail() -> tuple[int, object]:
            raise ZeroDivisionError

        callers = [world.remembered.get("key", Work(compute=fail)) for _ in range(2)]
        told = await asyncio.gather(*callers, return_exceptions=True)
        assert [type(each) for each in told] == [ZeroDivisionError] * 2
        assert await world.get() == 0

    run(test)


def test_what_did_not_change_is_shown_without_waiting_and_computed_again_after_an_hour(
        world: World) -> None:
    async def test() -> None:
        await world.get()
        for now_ms in range(LOOK_MS, UNCHANGED_MS, 60_000):
            assert await world.at(now_ms) == 0
        assert world.looks > 50
        await world.at(UNCHANGED_MS + 1)
        await world.quiet()
        assert await world.at(UNCHANGED_MS + 1) == 1

    run(test)


def test_who_is_shown_what_was_right_a_moment_ago_waits_for_no_look(world: World) -> None:
    async def test() -> None:
        await world.get()
        seen = threading.Event()

        def look() -> object:
            assert seen.wait(60)
            return world.inputs

        world.now_ms = LOOK_MS + 10
        assert await world.remembered.get("key", Work(compute=world.compute, look=look)) == 0
        assert not seen.is_set()
        seen.set()
        await world.quiet()

    run(test)


def test_changed_inputs_are_computed_at_once_while_the_old_result_is_shown(world: World) -> None:
    async def test() -> None:
        await world.get()
        world.inputs = "b"
        assert await world.at(LOOK_MS) == 0  # Somebody looks now.
        await world.quiet()
        world.gate.clear()
        assert [await world.at(LOOK_MS + 1), await world.at(AGE_MS)] == [0, 0]
        late = asyncio.create_task(world.at(AGE_MS + 1))
        await asyncio.sleep(0.01)
        assert not late.done()  # It was right until five seconds ago, and is not shown any longer.
        world.gate.set()
        assert await late == 1
        assert world.remembered.computed == 2

    run(test)


def test_changed_inputs_are_waited_for_where_nobody_asked_lately(world: World) -> None:
    async def test() -> None:
        await world.get()
        world.inputs = "b"
        assert await world.at(AGE_MS + 1) == 1

    run(test)


def test_inputs_that_change_again_and_again_take_half_a_core_at_most(world: World) -> None:
    async def test() -> None:
        world.cost_ms = 1000
        await world.get()
        world.inputs = "b"
        await world.at(1500)
        await world.quiet()
        assert [await world.at(2000), await world.at(2001)] == [0, 0]
        assert world.remembered.computed == 2

    run(test)


def test_what_took_long_is_looked_at_before_it_is_shown_to_many(world: World) -> None:
    async def test() -> None:
        world.cost_ms = 30_000
        assert await world.get() == 0
        assert world.looks == 1
        assert await world.at(30_000 + AGE_MS) == 0
        await world.quiet()
        assert world.looks == 2

    run(test)


@pytest.mark.parametrize("running", [False, True])
def test_a_cheap_result_that_is_judged_by_age_is_made_anew_ahead(
        world: World, running: bool) -> None:
    async def test() -> None:
        world.inputs = "a" if running else None
        await world.get(running=running)
        world.inputs = "b" if running else None
        assert await world.at(4000, running=running) == 0
        await world.quiet()
        world.gate.clear()
        assert await world.at(AGE_MS, running=running) == 0
        late = asyncio.create_task(world.at(AGE_MS + 1, running=running))
        await asyncio.sleep(0.01)
        assert not late.done()
        world.gate.set()
        assert await late == 1

    run(test)


def test_a_slow_result_that_is_judged_by_age_is_shown_old(world: World) -> None:
    async def test() -> None:
        world.cost_ms, world.inputs = 1000, None
        await world.get()
        assert await world.at(18_000) == 0
        assert world.remembered.computed == 1
        world.gate.clear()
        assert [await world.at(18_001), await world.at(100_000)] == [0, 0]
        late = asyncio.create_task(world.at(100_001))
        await asyncio.sleep(0.01)
        assert not late.done()
        world.gate.set()
        assert await late == 1
        assert world.remembered.computed == 2

    run(test)


def test_a_running_period_without_anything_new_is_not_computed_again(world: World) -> None:
    async def test() -> None:
        await world.get(running=True)
        for now_ms in range(LOOK_MS, 100_000, LOOK_MS):
            assert await world.at(now_ms, running=True) == 0

    run(test)


def test_anew_is_a_computation_that_begins_now(world: World) -> None:
    async def test() -> None:
        assert [await world.get(), await world.get(anew=True), await world.get()] == [0, 1, 1]

    run(test)


def test_a_new_one_that_fails_behind_the_scenes_is_tried_again(world: World) -> None:
    async def test() -> None:
        world.inputs = None
        await world.get()

        def fail() -> tuple[int, object]:
            raise ZeroDivisionError

        world.now_ms = 4501
        assert await world.remembered.get("key", Work(compute=fail)) == 0
        await world.quiet()
        assert await world.at(4502) == 1

    run(test)


def test_at_the_end_nobody_waits(world: World) -> None:
    async def test() -> None:
        world.gate.clear()
        caller = asyncio.create_task(world.get())
        await asyncio.sleep(0.01)
        await world.remembered.close()
        with pytest.raises(asyncio.CancelledError):
            await caller
        world.gate.set()

    run(test)

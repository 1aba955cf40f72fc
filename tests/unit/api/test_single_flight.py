"""One computation for all who ask; a slow one is shown old while the new one is under way."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from seatwatt.api.single_flight import UNCHANGED_MS, SingleFlight


class Clock:
    now_ms = 0

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


def test_ten_callers_compute_once(executor: ThreadPoolExecutor) -> None:
    release, calls = threading.Event(), []

    def compute() -> int:
        calls.append(1)
        release.wait(10)
        return 7

    flights: SingleFlight[str, int] = SingleFlight(executor, Clock(), limit=2, age_ms=0)
    futures = [flights.get("key", compute) for _ in range(10)]
    release.set()
    assert [future.result() for future in futures] == [7] * 10
    assert (len(calls), flights.computed, flights.reused) == (1, 1, 9)


def test_the_least_recently_used_result_goes_first(executor: ThreadPoolExecutor) -> None:
    flights: SingleFlight[str, int] = SingleFlight(executor, Clock(), limit=2, age_ms=1)
    for key in ("a", "b", "a", "c", "a", "b"):
        flights.get(key, lambda: 1).result()
    assert (flights.computed, flights.reused) == (4, 2)


def counting(clock: Clock, cost_ms: int) -> Callable[[], int]:
    results = iter(range(100))

    def compute() -> int:
        clock.now_ms += cost_ms
        return next(results)

    return compute


def test_a_cheap_result_is_computed_again_when_it_is_old(executor: ThreadPoolExecutor) -> None:
    clock = Clock()
    flights: SingleFlight[str, int] = SingleFlight(executor, clock, limit=2, age_ms=5000)
    compute = counting(clock, cost_ms=10)
    assert flights.get("key", compute).result() == 0
    clock.now_ms = 5000
    assert flights.get("key", compute).result() == 0
    clock.now_ms = 5001
    assert flights.get("key", compute).result() == 1
    assert flights.get("key", compute, anew=True).result() == 2


def test_a_slow_result_is_shown_old_while_the_new_one_is_made(
        executor: ThreadPoolExecutor) -> None:
    clock = Clock()
    flights: SingleFlight[str, int] = SingleFlight(executor, clock, limit=2, age_ms=5000)
    compute = counting(clock, cost_ms=1000)
    flights.get("key", compute).result()
    clock.now_ms = 20_000
    assert flights.get("key", compute).result() == 0
    assert flights.computed == 1
    clock.now_ms = 20_001
    release = threading.Event()
    blocked = executor.submit(release.wait, 10)
    assert flights.get("key", compute).result() == 0
    assert flights.get("key", compute).result() == 0
    release.set()
    blocked.result()
    executor.submit(int).result()
    assert flights.get("key", compute).result() == 1
    assert flights.computed == 2


def test_what_is_much_too_old_is_waited_for(executor: ThreadPoolExecutor) -> None:
    clock = Clock()
    flights: SingleFlight[str, int] = SingleFlight(executor, clock, limit=2, age_ms=5000)
    compute = counting(clock, cost_ms=1000)
    flights.get("key", compute).result()
    clock.now_ms = 100_001
    assert flights.get("key", compute).result() == 1


def test_a_failure_is_forgotten(executor: ThreadPoolExecutor) -> None:
    flights: SingleFlight[str, int] = SingleFlight(executor, Clock(), limit=2, age_ms=5000)
    with pytest.raises(ZeroDivisionError):
        flights.get("key", lambda: 1 // 0).result()
    assert flights.get("key", lambda: 1).result() == 1


def test_a_result_of_the_same_inputs_does_not_age(executor: ThreadPoolExecutor) -> None:
    clock = Clock()
    flights: SingleFlight[str, int] = SingleFlight(executor, clock, limit=2, age_ms=5000)
    compute = counting(clock, cost_ms=10)
    assert flights.get("key", compute, seen="a").result() == 0
    clock.now_ms = UNCHANGED_MS
    assert flights.get("key", compute, seen="a").result() == 0
    clock.now_ms += 1
    assert flights.get("key", compute, seen="a").result() == 1


def test_other_inputs_are_waited_for_when_the_age_is_over(executor: ThreadPoolExecutor) -> None:
    clock = Clock()
    flights: SingleFlight[str, int] = SingleFlight(executor, clock, limit=2, age_ms=5000)
    compute = counting(clock, cost_ms=1000)
    assert flights.get("key", compute, seen="a").result() == 0
    clock.now_ms = 5000
    assert flights.get("key", compute, seen="b").result() == 0
    clock.now_ms = 5001
    assert flights.get("key", compute, seen="b").result() == 1


def test_a_running_period_is_judged_by_its_age(executor: ThreadPoolExecutor) -> None:
    clock = Clock()
    flights: SingleFlight[str, int] = SingleFlight(executor, clock, limit=2, age_ms=5000)
    compute = counting(clock, cost_ms=1000)
    assert flights.get("key", compute, seen="a", running=True).result() == 0
    clock.now_ms = 20_000
    assert flights.get("key", compute, seen="b", running=True).result() == 0
    assert flights.computed == 1

"""Polling on time: at whole multiples of the interval since 1970, so that registers are read on
the minute. One coroutine a driver, so that none waits for another."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence

from seatwatt.gateway.ports import Clock, Driver, GatewayDeviceError, Sample

Sleep = Callable[[float], Awaitable[None]]
Take = Callable[[Sequence[Sample]], None]
Failed = Callable[[str], None]

_NAP_S = 5.0
_POLL_S_MIN = 30.0
_BACKOFF_S_MAX = 60
_KEPT_S = 60


def next_due_ms(now_ms: int, every_s: int, failures: int = 0) -> int:
    """The next planned time after `now_ms`. After several failures in a row every second,
    fourth ... is left out, until a minute lies between two."""
    wait_s = every_s << min(max(failures - 1, 0), 12)
    wait_ms = max(every_s, min(wait_s, _BACKOFF_S_MAX)) * 1000
    every_ms = every_s * 1000
    return (now_ms + wait_ms) // every_ms * every_ms


def planned_ms(now_ms: int, last_ms: int | None, every_s: int, kept_s: int,
               failures: int = 0) -> int:
    """The time of the next poll; it may have passed, which means at once.

    Whole multiples of `kept_s`, at which registers are due, are never left out: neither by a line
    so slow that the last poll (for `last_ms`) ran past one, nor while a device is asked rarely.
    """
    due_ms = next_due_ms(now_ms, every_s, failures)
    if kept_s % every_s:
        return due_ms
    passed_ms = now_ms // (kept_s * 1000) * kept_s * 1000
    if last_ms is not None and last_ms < passed_ms:
        return passed_ms
    return min(due_ms, passed_ms + kept_s * 1000)


async def wait_until(due_ms: int, clock: Clock, sleep: Sleep) -> bool:
    """Wait for the wall clock to show `due_ms`; False when it was put back meanwhile, so that
    the time must be planned anew."""
    begun_ms = clock()
    while (now_ms := clock()) < due_ms:
        if now_ms < begun_ms - 1000:
            return False
        # In naps, for the wall clock may be set while we sleep.
        await sleep(min((due_ms - now_ms) / 1000, _NAP_S))
    return True


async def poll_for_ever(driver: Driver, take: Take, failed: Failed, clock: Clock,
                        sleep: Sleep = asyncio.sleep) -> None:
    """Poll until cancelled; `failed` is told why."""
    failures = 0
    last_ms: int | None = None
    kept_s = max(_KEPT_S, getattr(driver, "registers_s", _KEPT_S))
    while True:
        due_ms = planned_ms(clock(), last_ms, driver.every_s, kept_s, failures)
        if not await wait_until(due_ms, clock, sleep):
            last_ms = None
            continue
        last_ms = due_ms
        problem = await _poll(driver, due_ms, take)
        failures = failures + 1 if problem else 0
        if problem:
            failed(problem)


async def _poll(driver: Driver, due_ms: int, take: Take) -> str:
    """Why it failed; empty when it did not."""
    patience_s = max(_POLL_S_MIN, driver.every_s)
    try:
        async with asyncio.timeout(patience_s):
            samples = await driver.poll(due_ms)
    except GatewayDeviceError as error:
        return error.detail
    except TimeoutError:
        return f"no answer within {patience_s:.0f} s"
    # Whatever a device's answer does to its driver, the other devices go on.
    except Exception as error:  # noqa: BLE001
        return f"{type(error).__name__}: {error}"
    take(samples)
    return ""

"""When devices are polled, and what is known of those that do not answer."""

import asyncio
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import SettingsError
from seatwatt.gateway.ports import Fault, GatewayDeviceError, Opened, Report, Sample, Sink
from seatwatt.gateway.runtime import Clocks, Gateway
from seatwatt.gateway.runtime_health import Health
from seatwatt.gateway.runtime_poll import next_due_ms, planned_ms, poll_for_ever, wait_until
from seatwatt.settings import GatewaySettings
from tests.unit.gateway.kit import GATEWAY, NOW_MS, energy, spool

A, B = Device("meter", "hall-a", "board"), Device("meter", "hall-b", "board")
FULL_MINUTE_MS = NOW_MS // 60_000 * 60_000


@given(now_ms=st.integers(0, 2 * NOW_MS), every_s=st.integers(1, 3600),
       failures=st.integers(0, 50))
def test_planned_times_are_whole_multiples_soon_after_now(now_ms: int, every_s: int,
                                                         failures: int) -> None:
    due_ms = next_due_ms(now_ms, every_s, failures)
    assert due_ms % (every_s * 1000) == 0
    assert now_ms < due_ms <= now_ms + max(every_s, 60) * 1000
    if failures <= 1:
        assert due_ms <= now_ms + every_s * 1000


@pytest.mark.parametrize(("every_s", "failures", "after_s"), [
    (10, 0, 10), (10, 1, 10), (10, 2, 20), (10, 3, 40), (10, 4, 60), (10, 40, 60),
    (60, 9, 60), (300, 9, 300), (60, 0, 60)])
def test_a_device_that_fails_again_and_again_is_asked_more_rarely(
        every_s: int, failures: int, after_s: int) -> None:
    assert next_due_ms(FULL_MINUTE_MS - FULL_MINUTE_MS % 300_000, every_s, failures) == \
        FULL_MINUTE_MS - FULL_MINUTE_MS % 300_000 + after_s * 1000


@given(start_ms=st.integers(0, NOW_MS), every_s=st.sampled_from([1, 5, 10, 15, 30, 60, 300, 900]),
       kept_s=st.sampled_from([60, 300, 900]), failures=st.integers(0, 9),
       takes_ms=st.lists(st.integers(1, 29_999), min_size=30, max_size=60))
def test_no_time_for_registers_is_left_out_however_long_polls_take(
        start_ms: int, every_s: int, kept_s: int, failures: int, takes_ms: list[int]) -> None:
    kept_s = max(kept_s, every_s)
    now_ms, last_ms = start_ms, None
    planned: list[int] = []
    for take_ms in takes_ms:
        last_ms = planned_ms(now_ms, last_ms, every_s, kept_s, failures)
        planned.append(last_ms)
        now_ms = max(now_ms, last_ms) + take_ms
    kept_ms = kept_s * 1000
    first, last = planned[0], planned[-1]
    assert all(at_ms % (every_s * 1000) == 0 for at_ms in planned)
    assert planned == sorted(set(planned))
    assert set(range(-(-first // kept_ms) * kept_ms, last + 1, kept_ms)) <= set(planned)


@dataclass
class Time:
    """A clock that a sleep puts forward; `jumps` moves it at the n-th sleep."""

    now_ms: int = NOW_MS
    jumps: dict[int, int] = field(default_factory=dict)
    sleeps: list[float] = field(default_factory=list)

    def clock(self) -> int:
        return self.now_ms

    async def sleep(self, seconds: float) -> None:
        self.sleeps.append(seconds)
        self.now_ms += round(seconds * 1000) + self.jumps.get(len(self.sleeps), 0)
        await asyncio.sleep(0)


def test_waiting_naps_so_that_a_clock_put_forward_is_noticed() -> None:
    time = Time(jumps={2: 40_000})
    assert asyncio.run(wait_until(NOW_MS + 60_000, time.clock, time.sleep))
    assert sum(time.sleeps) == 20
    assert max(time.sleeps) <= 5


def test_a_clock_put_back_means_planning_anew() -> None:
    time = Time(jumps={1: -3_600_000})
    assert not asyncio.run(wait_until(NOW_MS + 60_000, time.clock, time.sleep))
    assert len(time.sleeps) == 1


@dataclass
class Meter:
    """A driver whose answers are given; the last one stays."""

    answers: list[Exception | int]
    every_s: int = 10
    devices: Sequence[Device] = (A,)
    polled_ms: list[int] = field(default_factory=list)
    closed: bool = False
    enough: int = 1000

    async def poll(self, at_ms: int) -> Sequence[Sample]:
        if len(self.polled_ms) >= self.enough:
            await asyncio.Event().wait()
        self.polled_ms.append(at_ms)
        answer = self.answers[min(len(self.polled_ms), len(self.answers)) - 1]
        if isinstance(answer, Exception):
            raise answer
        return [energy(answer, at_ms)]

    async def close(self) -> None:
        self.closed = True


def polls(meter: Meter, time: Time) -> tuple[list[Sample], list[str]]:
    samples: list[Sample] = []
    problems: list[str] = []

    async def until_enough() -> None:
        task = asyncio.create_task(
            poll_for_ever(meter, samples.extend, problems.append, time.clock, time.sleep))
        while len(meter.polled_ms) < meter.enough:
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(until_enough())
    return samples, problems


def test_polls_are_on_the_minute_whatever_the_start() -> None:
    meter = Meter([1], enough=20)
    polls(meter, Time(NOW_MS + 3_217))
    first = meter.polled_ms[0]
    assert meter.polled_ms == [first + n * 10_000 for n in range(20)]
    assert sum(at_ms % 60_000 == 0 for at_ms in meter.polled_ms) in (3, 4)


def test_every_failure_is_one_line_and_polling_goes_on() -> None:
    meter = Meter([GatewayDeviceError(A, "does not answer"), ValueError("garbage"),
                   OSError(111, "refused"), 7], enough=5)
    samples, problems = polls(meter, Time())
    assert problems == ["does not answer", "ValueError: garbage", "ConnectionRefusedError: "
                        "[Errno 111] refused"]
    assert [sample.value for sample in samples][:1] == [7.0]
    gaps = [b - a for a, b in zip(meter.polled_ms, meter.polled_ms[1:], strict=False)]
    assert gaps == [10_000, 20_000, 40_000, 10_000]


def test_after_the_clock_was_put_back_polls_go_on_at_once() -> None:
    meter = Meter([1], enough=4)
    polls(meter, Time(jumps={4: -86_400_000}))
    assert meter.polled_ms[-1] < NOW_MS - 86_000_000


def test_failures_are_told_once_and_recovery_too() -> None:
    health = Health([(0, A), (1, B)], silent_ms=300_000, steady_ms=0)
    assert health.failed((0, A), NOW_MS, "does not answer") == f"{A}: does not answer"
    assert health.failed((0, A), NOW_MS + 10, "refuses") == ""
    assert health.failures[A].since_ms == NOW_MS
    assert health.failures[A].detail == "refuses"
    assert health.heard(0, [A, A], 20) == [f"{A}: answers again"]
    assert health.heard(0, [A], 30) == []
    assert health.failures == {}


def test_a_device_that_falls_silent_has_stopped() -> None:
    health = Health([(0, A), (1, B)], silent_ms=300_000, steady_ms=0)
    health.heard(0, [A], 200_000)
    assert health.sweep(299_999, NOW_MS) == []
    assert health.sweep(300_000, NOW_MS) == [f"{B}: no reading for 300 s"]
    assert health.sweep(301_000, NOW_MS) == []
    assert json.loads(health.document()) == {
        "devices": 2, "failed": {"meter/hall-b/board": {
            "since": "2026-09-21T14:13:20+00:00", "detail": "no reading for 300 s"}}}


def test_what_is_mended_is_told_once_and_no_longer_counted() -> None:
    health = Health([(0, A)], silent_ms=300_000, steady_ms=0)
    spool_part = (-2, GATEWAY)
    assert health.mended(spool_part) == ""
    assert health.failed(spool_part, NOW_MS, "the disk takes nothing") == (
        f"{GATEWAY}: the disk takes nothing")
    assert health.failed(spool_part, NOW_MS, "the disk takes nothing") == ""
    assert list(json.loads(health.document())["failed"]) == [str(GATEWAY)]
    assert health.mended(spool_part) == f"{GATEWAY}: works again"
    assert json.loads(health.document()) == {"devices": 1, "failed": {}}


def test_a_seat_whose_sensor_speaks_may_still_have_a_dead_plug() -> None:
    health = Health([(0, A), (1, A)], silent_ms=300_000, steady_ms=0)
    health.failed((0, A), NOW_MS, "does not answer")
    assert health.heard(1, [A], 10) == []
    assert set(health.failures) == {A}


def settings(folder: Path, **changed: object) -> GatewaySettings:
    return GatewaySettings.model_validate({
        "mqtt_port": 1, "gateway_spool": folder / "spool.db", "gateway_commit_s": 0.05,
        "gateway_disk_reserve_bytes": 0, **changed})


class Chatty:
    """A listener that speaks once and then breaks, or is quiet."""

    devices = (B,)

    def __init__(self, breaks: bool) -> None:
        self._breaks = breaks

    async def run(self, sink: Sink, report: Report) -> None:
        sink([energy(2)])
        report(Fault(B, NOW_MS, "one value was nonsense"))
        if self._breaks:
            raise RuntimeError("boom")
        await asyncio.Event().wait()


def real_clocks() -> Clocks:
    import time

    return Clocks(lambda: time.time_ns() // 1_000_000, lambda: time.monotonic_ns() // 1_000_000,
                  "boot")


def test_a_dead_device_delays_no_other_and_all_is_on_disk_at_the_end(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    gateway = Gateway(settings(tmp_path), "hall", GATEWAY, real_clocks())
    good, bad = Meter([1], every_s=1), Meter([GatewayDeviceError(A, "is dead")], every_s=1)
    hangs = Meter([1], every_s=1, devices=(Device("meter", "hall-c", "board"),), enough=0)

    async def briefly() -> None:
        stop = asyncio.Event()
        running = asyncio.create_task(gateway.run(
            Opened([hangs, bad, good], [Chatty(True), Chatty(False)], gateway.sink), stop,
            [(Device("meter", "hall-z", "board"), "config:3: model: unknown")]))
        while len(good.polled_ms) < 2:
            await asyncio.sleep(0.05)
        stop.set()
        await running

    with caplog.at_level(logging.WARNING):
        asyncio.run(briefly())
    assert good.polled_ms[1] - good.polled_ms[0] == 1000
    assert good.closed
    assert bad.closed
    for line in ("meter/hall-a/board: is dead", "meter/hall-b/board: one value was nonsense",
                 "meter/hall-b/board: listener: RuntimeError: boom: starting it again",
                 "meter/hall-z/board: config:3: model: unknown"):
        assert sum(record.getMessage() == line for record in caplog.records) == 1
    assert spool(tmp_path).tally["spooled_readings"] == 4


def test_a_certificate_that_is_missing_stops_the_start(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^SEATWATT_MQTT_CA_FILE: cannot use /nowhere"):
        Gateway(settings(tmp_path, mqtt_ca_file="/nowhere"), "hall", GATEWAY, real_clocks())

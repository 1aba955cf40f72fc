"""Clocks that were never set, that jump and that drift."""

from dataclasses import dataclass
from pathlib import Path

import pytest

from seatwatt.contract.readings import SeriesBook
from seatwatt.contract.senml import decode
from seatwatt.contract.topics import Topic
from seatwatt.gateway.clockwatch import YEAR_2020_MS, ClockWatch
from seatwatt.gateway.packs import Packer
from seatwatt.gateway.publisher_flow import Flow, Pace
from seatwatt.gateway.spool import Spool
from seatwatt.gateway.spool_held import Held
from seatwatt.gateway.spool_writer import SpoolWriter
from tests.unit.gateway.kit import NOW_MS, energy, power, spool


@dataclass
class Machine:
    """A machine's two clocks, in milliseconds."""

    wall_ms: int = NOW_MS
    steady_ms: int = 5_000

    def passes(self, ms: int, moved_ms: int = 0) -> None:
        self.steady_ms += ms
        self.wall_ms += ms + moved_ms

    def watch(self) -> ClockWatch:
        return ClockWatch(lambda: self.wall_ms, lambda: self.steady_ms)


@pytest.mark.parametrize(("passes_ms", "moved_ms", "told_ms"), [
    (1000, 0, 0), (1000, 999, 0), (1000, 1000, 1000), (1000, -7_200_000, -7_200_000),
    (60_000, 37_250, 37_250)])
def test_a_step_is_told_once(passes_ms: int, moved_ms: int, told_ms: int) -> None:
    machine = Machine()
    watch = machine.watch()
    machine.passes(passes_ms, moved_ms)
    assert watch.look() == told_ms
    assert watch.moved_s() == told_ms / 1000
    machine.passes(1000)
    assert (watch.look(), watch.moved_s()) == (0, 0.0)


def test_slow_drift_is_no_step() -> None:
    machine = Machine()
    watch = machine.watch()
    for _ in range(10_000):
        machine.passes(1000, 1)
        assert watch.look() == 0
    assert watch.moved_s() == 0.0


def test_calm_is_counted_from_the_last_step() -> None:
    machine = Machine()
    watch = machine.watch()
    machine.passes(10_000)
    watch.look()
    assert watch.calm_s == 10.0
    machine.passes(1_000, 5_000)
    watch.look()
    machine.passes(2_000)
    assert watch.calm_s == 2.0


@pytest.mark.parametrize(("wall_ms", "is_set"), [
    (0, False), (YEAR_2020_MS - 1, False), (YEAR_2020_MS, True), (NOW_MS, True)])
def test_before_2020_a_clock_was_never_set(wall_ms: int, is_set: bool) -> None:
    assert Machine(wall_ms).watch().is_set is is_set


def test_held_samples_come_back_as_they_were() -> None:
    held = Held("boot", -5, [energy(1, 1234), power(2)])
    assert Held.of("boot", -5, held.body()) == held


def writer(box: Spool, machine: Machine, watch: ClockWatch, boot: str = "boot-1") -> SpoolWriter:
    flow = Flow(box, Pace(8, 10.0, 1e9, 0.0), lambda: 0.5)
    return SpoolWriter(box, flow, Packer("hall"), watch, lambda: machine.wall_ms, 0.1, boot)


def stored(box: Spool) -> dict[float, int]:
    """value -> when it was taken."""
    found: dict[float, int] = {}
    for pack in box.between(0, 1 << 60, 1 << 30):
        batch = decode(pack.payload, Topic("hall", "pack", "hall-a", "gw"), NOW_MS + 10**9,
                       SeriesBook()).batch
        found.update({float(value): at_ms for value, at_ms in
                      zip(batch.values, batch.taken_at_ms, strict=True)})
    return found


def test_readings_from_before_the_clock_was_set_get_their_true_time(tmp_path: Path) -> None:
    box, machine = spool(tmp_path), Machine(wall_ms=40_000, steady_ms=40_000)
    watch = machine.watch()
    writes = writer(box, machine, watch)
    writes.take([energy(1, machine.wall_ms)])
    writes.step()
    assert (box.packs, len(box.held())) == (0, 1)
    machine.passes(60_000)
    watch.look()
    writes.take([energy(2, machine.wall_ms)])
    writes.step()
    # Taken just before, committed just after NTP has spoken.
    machine.passes(500)
    writes.take([energy(3, machine.wall_ms)])
    machine.passes(500, NOW_MS)
    watch.look()
    writes.take([energy(4, machine.wall_ms)])
    writes.step()
    now_ms = machine.wall_ms
    assert stored(box) == {1.0: now_ms - 61_000, 2.0: now_ms - 1_000, 3.0: now_ms - 500,
                           4.0: now_ms}
    assert box.held() == []
    assert box.dropped == 0


def test_what_was_held_survives_a_restart_of_ours_but_not_of_the_machine(tmp_path: Path) -> None:
    machine = Machine(wall_ms=40_000, steady_ms=40_000)
    for boot in ("boot-0", "boot-1"):
        box = spool(tmp_path)
        writes = writer(box, machine, machine.watch(), boot)
        writes.take([energy(int(boot[-1]), machine.wall_ms)])
        writes.step()
        box.close()
    machine.passes(10_000, NOW_MS)
    box = spool(tmp_path)
    watch = machine.watch()
    writer(box, machine, watch, "boot-1").step()
    assert stored(box) == {1.0: machine.wall_ms - 10_000}
    box.commit([])
    assert box.held() == []


def test_a_time_that_no_clock_of_ours_explains_is_given_up_and_counted(tmp_path: Path) -> None:
    box, machine = spool(tmp_path), Machine()
    writes = writer(box, machine, machine.watch())
    writes.take([energy(1, 12_345), energy(2)])
    writes.step()
    writes.step()
    assert stored(box) == {2.0: NOW_MS + 2000}
    assert box.tally["dropped_timeless_readings"] == 1


def test_age_is_not_judged_by_a_clock_that_has_just_jumped(tmp_path: Path) -> None:
    box, machine = spool(tmp_path), Machine()
    watch = machine.watch()
    writes = writer(box, machine, watch)
    writes.take([energy(1)])
    writes.step()
    machine.passes(4_000_000, 10**12)
    watch.look()
    writes.step()
    assert box.packs == 1
    machine.passes(4_000_000)
    watch.look()
    writes.step()
    assert (box.packs, box.dropped) == (0, 1)

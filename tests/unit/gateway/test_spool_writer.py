"""Group commit, and what happens while the disk takes nothing."""

import time
from pathlib import Path

import pytest

from seatwatt.gateway import spool_writer
from seatwatt.gateway.clockwatch import ClockWatch
from seatwatt.gateway.packs import Packer
from seatwatt.gateway.publisher_flow import Flow, Pace
from seatwatt.gateway.spool import Limits, Spool
from seatwatt.gateway.spool_writer import SpoolWriter
from tests.unit.gateway.kit import NOW_MS, energy, power, spool, values


def parts(box: Spool, commit_s: float = 0.05) -> tuple[Flow, SpoolWriter]:
    flow = Flow(box, Pace(8, 10.0, 1e9, 0.0), lambda: 0.5)
    watch = ClockWatch(lambda: NOW_MS, lambda: 0)
    return flow, SpoolWriter(box, flow, Packer("hall"), watch, lambda: NOW_MS, commit_s, "boot-1")


def test_samples_are_committed_together_and_the_last_ones_at_the_stop(tmp_path: Path) -> None:
    box = spool(tmp_path)
    _, writes = parts(box)
    writes.start()
    for number in range(100):
        writes.take([energy(number)])
    deadline = time.monotonic() + 10
    while box.tally.get("spooled_readings", 0) < 100 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert box.packs < 100
    writes.take([energy(100)])
    writes.stop()
    assert not writes.alive
    assert box.tally["spooled_readings"] == 101


def test_receipts_alone_are_committed_too(tmp_path: Path) -> None:
    box = spool(tmp_path)
    _, writes = parts(box)
    writes.take([energy(1)])
    writes.step()
    writes.start()
    box.forget([1])
    deadline = time.monotonic() + 10
    while box.packs and time.monotonic() < deadline:
        time.sleep(0.01)
    writes.stop()
    assert box.packs == 0


def test_a_full_disk_sends_live_packs_from_memory_until_it_takes_them_again(
        tmp_path: Path) -> None:
    box = spool(tmp_path)
    flow, writes = parts(box)
    writes.take([energy(1)])
    writes.step()
    box._database.execute("PRAGMA max_page_count = 12")
    flow.connected(0.0)
    list(flow.next(0.0))
    writes.take([energy(n) for n in range(30_000)])
    writes.step()
    assert writes.problem
    live = [value for one in flow.next(1.0) for value in values(one.payload)]
    assert live[:300] == [float(n) for n in range(300)]
    assert flow.unspooled_packs == 100
    box._database.execute("PRAGMA max_page_count = 100000")
    writes.take([energy(30_000)])
    writes.step()
    assert writes.problem == ""
    assert box.tally["unspooled_readings"] == 30_000
    assert box.packs == 2
    writes.step()
    assert (box.packs, flow.unspooled_packs) == (102, 0)
    assert box.tally["spooled_readings"] == 30_002
    assert box.tally["unspooled_readings"] == 30_000


def test_memory_is_bounded_when_the_disk_hangs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                               ) -> None:
    monkeypatch.setattr(spool_writer, "PENDING_MAX", 50)
    box = spool(tmp_path)
    _, writes = parts(box)
    writes.take([power(n) for n in range(80)])
    writes.step()
    assert box.tally["spooled_readings"] == 50
    assert box.tally["dropped_surplus_readings"] == 30
    assert box.dropped == 30


def test_what_is_given_up_is_said_once_a_minute(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    box = spool(tmp_path, Limits(60_000, 86_400_000))
    _, writes = parts(box)
    for start in range(0, 9000, 300):
        writes.take([power(start + n) for n in range(300)])
        writes.step()
    lines = [record.getMessage() for record in caplog.records if "given up" in record.getMessage()]
    assert len(lines) == 1
    assert "dropped_gauge_readings" in lines[0]
    assert box.dropped > 300

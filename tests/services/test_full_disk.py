"""Disks that are really full: nothing acknowledged is lost, and all goes on once there is room."""

import signal
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from seatwatt.cli._raw_publisher import RawPublisher, packets
from tests.servers import Server, influxd
from tests.services.disk_kit import SmallDisk, small_disk
from tests.services.ingest_kit import (
    IngestProcess,
    count_and_sum,
    influx_url,
    portions,
    single,
    singles,
    until,
)
from tests.services.spool_kit import SEATS, GatewayProcess

BAD = ("seatwatt/v1/hall/seat/hall-a/001", b"no JSON at all")


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[SmallDisk]:
    """Four megabytes."""
    with small_disk(tmp_path / "disk", 4096) as made:
        yield made


def send(port: int, ready: list[bytes], name: str = "raw") -> RawPublisher:
    """Publish; the broker has them all."""
    publisher = RawPublisher(port, name)
    for portion in portions(ready, 500):
        publisher.send(portion)
    publisher.settled()
    return publisher


def test_with_journal_and_quarantine_on_a_full_disk_nothing_is_acknowledged_nor_lost(
        ingest: IngestProcess, broker: Server, influx: Server, disk: SmallDisk) -> None:
    ingest.extra |= {"SEATWATT_INGEST_STATE": str(disk.path),
                     "SEATWATT_LEDGER_URL": f"sqlite:///{disk.path}/ledger.db"}
    ingest.start().connected()
    influx.stop()
    send(broker.port, packets([single(n) for n in range(1_000)])).close()
    until(lambda: ingest.metric("journalled") == 1_000, "journalled while there is room")
    disk.fill()
    send(broker.port, packets([*map(single, range(1_000, 1_500)), *[BAD] * 10]), "later").close()
    until(lambda: "full" in ingest.ready()[1], "it says so")
    assert ingest.metric("balanced") == 1
    assert ingest.metric("journalled") == 1_000
    assert ingest.metric("unacknowledged") == 510
    ingest.end(signal.SIGKILL)
    ingest.start().connected()
    until(lambda: ingest.metric("unacknowledged") == 510, "the broker sends them again")
    assert ingest.metric("journalled") == 1_000
    influx.start()
    until(lambda: count_and_sum(influx)[0] == 1_000, "what was journalled is stored")
    disk.relieve()
    until(lambda: count_and_sum(influx) == (1_500, sum(range(1_500))), "all is stored")
    until(lambda: ingest.ready() == (200, "ready\n"), "ready again")
    until(lambda: ingest.metric("journalled") == 0, "and the journal empty")
    assert ingest.metric("balanced") == 1
    assert ingest.metric("unacknowledged") == 0
    assert len(ingest.quarantined()) == 10
    for line in ("the store takes no readings", "the quarantine takes nothing"):
        assert line in ingest.log()
    assert "Traceback" not in ingest.log()


def fill_under(ingest: IngestProcess, port: int, disk: SmallDisk, said: str) -> None:
    """Ingest stores 1,000 readings, then its store's disk is full: 4,000 more wait in the journal
    and `said` is why."""
    ingest.start().connected()
    send(port, singles(1_000)).close()
    until(lambda: ingest.metric("stored_total") == 1_000, "stored while there is room")
    disk.fill()
    send(port, singles(4_000, start=1_000), "later").close()
    until(lambda: ingest.metric("journalled") > 0, "journalled when there is none")
    until(lambda: ingest.metric("unacknowledged") == 0, "and acknowledged")
    until(lambda: said in ingest.ready()[1], "it says so")


def test_with_the_embedded_store_on_a_full_disk_readings_wait_in_the_journal(
        ingest: IngestProcess, broker: Server, disk: SmallDisk) -> None:
    ingest.store_url = f"sqlite:///{disk.path}/readings.db"
    fill_under(ingest, broker.port, disk, "full")
    assert ingest.metric("balanced") == 1
    ingest.end(signal.SIGKILL)
    ingest.start().connected()
    send(broker.port, singles(500, start=5_000), "last").close()
    until(lambda: ingest.metric("in_flight") == 0, "journalled too")
    disk.relieve()
    until(lambda: ingest.metric("journalled") == 0, "the journal drains once there is room")
    assert ingest.ready() == (200, "ready\n")
    assert ingest.end() == 0
    with closing(sqlite3.connect(disk.path / "readings.db")) as store:
        assert store.execute("SELECT count(*), sum(value) FROM readings").fetchone() == (
            5_500, sum(range(5_500)))
    assert "Traceback" not in ingest.log()


def test_with_influxdb_on_a_full_disk_readings_wait_in_the_journal(
        ingest: IngestProcess, broker: Server, tmp_path: Path) -> None:
    with small_disk(tmp_path / "disk-of-influxd", 16_384) as disk:
        influx = influxd(disk.path / "influxd")
        influx.folder = tmp_path  # its log must not fill up what it stores on
        influx.start()
        try:
            ingest.store_url = influx_url(influx)
            fill_under(ingest, broker.port, disk, "no space left on device")
            disk.relieve()
            influx.stop()  # 1.x repeats the error of a full disk until it is started again
            influx.start()
            until(lambda: ingest.metric("journalled") == 0, "the journal drains")
            until(lambda: count_and_sum(influx) == (5_000, sum(range(5_000))), "all is stored")
            assert ingest.quarantined() == []
        finally:
            ingest.end()
            influx.stop()


def test_a_gateway_on_a_full_disk_publishes_from_memory_and_spools_again_when_it_can(
        ingest: IngestProcess, broker: Server, influx: Server, disk: SmallDisk,
        tmp_path: Path) -> None:
    ingest.start().connected()
    gateway = GatewayProcess(tmp_path / "gateway", broker.port,
                             {"SEATWATT_GATEWAY_SPOOL": f"{disk.path}/spool.db"}).start()
    try:
        until(lambda: gateway.counts().get("stored_packs", 0) > 2, "spooled and receipted")
        disk.fill()
        until(lambda: "live packs go out from memory" in gateway.log(), "it says so")
        until(lambda: "gateway/hall-a/gw: the disk takes nothing" in gateway.log(), "in its status")
        full_since = len(gateway.taken())
        until(lambda: len(gateway.taken()) >= full_since + 3, "it goes on reading")
        until(lambda: count_and_sum(influx)[0] >= SEATS * (full_since + 3), "and publishing")
        gateway.end(signal.SIGKILL)
        gateway.start()
        until(lambda: gateway.log().count("live packs go out from memory") == 2,
              "it starts on a full disk")
        disk.relieve()
        until(lambda: "the disk takes packs again" in gateway.log(), "it spools again")
        gateway.enough()
        until(lambda: gateway.counts().get("packs") == 0, "all receipted")
        assert "Traceback" not in gateway.log()
    finally:
        gateway.end()

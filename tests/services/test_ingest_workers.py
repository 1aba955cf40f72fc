"""Several ingest processes on one broker, by shared subscription."""

import os
import signal
from pathlib import Path

import pytest

from seatwatt.cli._raw_publisher import RawPublisher, packets
from tests.servers import Server
from tests.services.ingest_kit import (
    IngestProcess,
    count_and_sum,
    portions,
    publish,
    singles,
    until,
)


def children(pid: int) -> list[int]:
    """Process ids of the workers, in the order of their start."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return sorted(int(child) for child in listed)


def all_connected(ingest: IngestProcess, workers: int) -> None:
    until(lambda: ingest.metric("connected") == workers, f"{workers} workers connect")


@pytest.mark.parametrize("workers", [2, 4])
def test_one_killed_in_the_middle_loses_nothing(ingest: IngestProcess, broker: Server,
                                                influx: Server, workers: int) -> None:
    total = 24_000
    ingest.extra["SEATWATT_INGEST_WORKERS"] = str(workers)
    ingest.start()
    all_connected(ingest, workers)
    assert ingest.process is not None
    first = children(ingest.process.pid)
    assert len(first) == workers
    publisher = RawPublisher(broker.port)
    for number, portion in enumerate(portions(singles(total), 500)):
        publisher.send(portion)
        if number == 20:
            os.kill(first[0], signal.SIGKILL)
    publisher.settled()
    publisher.close()
    until(lambda: count_and_sum(influx)[0] == total, "every reading is stored")
    assert count_and_sum(influx) == (total, sum(range(total)))
    all_connected(ingest, workers)
    assert set(children(ingest.process.pid)) > set(first[1:])
    until(lambda: ingest.metric("in_flight") == 0, "all at rest")
    assert ingest.metric("balanced") == workers
    assert ingest.ready() == (200, "ready\n")
    assert ingest.end() == 0


def test_every_worker_takes_its_part_and_the_sums_are_shown(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    ingest.extra["SEATWATT_INGEST_WORKERS"] = "2"
    ingest.start()
    all_connected(ingest, 2)
    publish(broker.port, singles(2_000))
    until(lambda: ingest.metric("stored_total") == 2_000, "stored by both together")
    publish(broker.port, packets([("seatwatt/v2/hall/seat/hall-a/001", b"[]")]), "other version")
    until(lambda: ingest.metric("quarantined_total") == 1, "nothing below our prefix is ignored")
    page = ingest.page("metrics")
    assert "seatwatt_ingest_all_stored_total 2000\n" in page
    for number in (1, 2):
        assert f'stored_total{{worker="seatwatt-ingest-{number}"}} 1000\n' in page


def test_a_worker_no_longer_wanted_fetches_what_waits_for_it(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    ingest.extra["SEATWATT_INGEST_WORKERS"] = "2"
    ingest.start()
    all_connected(ingest, 2)
    ingest.end()
    publish(broker.port, singles(1_000))
    ingest.extra["SEATWATT_INGEST_WORKERS"] = "1"
    ingest.start()
    until(lambda: count_and_sum(influx)[0] == 1_000, "both halves are stored")
    publish(broker.port, singles(500, start=1_000), "later")
    until(lambda: count_and_sum(influx) == (1_500, sum(range(1_500))), "all go to the one left")
    until(lambda: not (ingest.folder / "subscriptions-seatwatt-ingest-2.json").exists(),
          "the former worker is forgotten")
    assert ingest.end() == 0
    ingest.start().connected()


def test_a_worker_that_cannot_start_ends_all(ingest: IngestProcess, broker: Server) -> None:
    ingest.extra["SEATWATT_INGEST_WORKERS"] = "2"
    ingest.extra["SEATWATT_STORE_URL"] = "nowhere"
    ingest.start()
    assert ingest.process is not None
    assert ingest.process.wait(180) == 2
    assert ingest.log().splitlines()[-1].endswith("ends as soon as it is started")

"""What is made of the broker's own count of messages it dropped."""

import pytest

from seatwatt.contract.topics import BROKER_DROPPED
from seatwatt.ingest.drops import Drops
from seatwatt.ingest.session import welcome
from seatwatt.ingest.sorter import is_aside
from seatwatt.settings import IngestSettings


def test_each_rise_is_told_and_a_restart_of_the_broker_is_none(
        caplog: pytest.LogCaptureFixture) -> None:
    drops = Drops("b:1883")
    for payload in (b"0", b"7", b"7", b"12", b"0", b"3", b"a few", b""):
        drops.hear(payload)
    assert drops.total == 3
    assert [record.message.split(" messages (")[0] for record in caplog.records] == [
        "broker b:1883 dropped 7", "broker b:1883 dropped 5", "broker b:1883 dropped 3"]


def test_one_worker_listens_and_the_count_is_no_reading() -> None:
    assert welcome(IngestSettings(ingest_workers=4)) == (BROKER_DROPPED,)
    assert welcome(IngestSettings(ingest_workers=4, ingest_worker=2)) == ()
    assert is_aside(BROKER_DROPPED.encode())

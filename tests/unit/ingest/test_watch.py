"""What the service says of itself, and what is watched, without a broker."""

import urllib.error
import urllib.request
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

import pytest

from seatwatt.contract.derived import DERIVED
from seatwatt.contract.errors import SettingsError, StoreUnavailable
from seatwatt.contract.senml import decode
from seatwatt.ingest.metrics import figures, pages, pipeline_point, problems, prometheus_text
from seatwatt.ingest.pages import PageServer
from seatwatt.ingest.service import Ingest
from seatwatt.ingest.sums import Fleet
from seatwatt.ingest.watch import Watch
from seatwatt.ingest.workers import retired
from seatwatt.settings import IngestSettings
from tests.unit.ingest.fakes import NOW_MS, FakeQuarantine, FakeWriter


@pytest.fixture
def ingest(tmp_path: Path) -> Iterator[Ingest]:
    """Made, not started."""
    settings = IngestSettings(ingest_state=tmp_path, ingest_pipeline_s=0.001,
                              ingest_journal_bytes=400, ingest_disk_reserve_bytes=0)
    made = Ingest(settings, FakeWriter(), FakeQuarantine(), decode, lambda: NOW_MS)
    yield made
    made.journal.close()
    made.link.stop()


def test_figures_follow_the_account(ingest: Ingest) -> None:
    ingest.counts.received(5)
    ingest.counts.placed(2, 1, 7)
    found = figures(ingest)
    assert (found["received_total"], found["stored_total"], found["quarantined_total"],
            found["in_flight"], found["readings_total"], found["balanced"]) == (5, 2, 1, 2, 7, 1)
    text = prometheus_text(ingest)
    assert '\nseatwatt_ingest_in_flight{worker="seatwatt-ingest-1"} 2\n' in text
    assert "# TYPE seatwatt_ingest_in_flight gauge\n" in text
    assert "# TYPE seatwatt_ingest_stored_total counter\n" in text


def test_the_pipeline_point_is_what_the_contract_declares(ingest: Ingest) -> None:
    point, declared = pipeline_point(ingest, NOW_MS), DERIVED["pipeline"]
    assert tuple(key for key, _ in point.tags) == declared.tags
    assert tuple(key for key, _ in point.fields) == declared.fields


def test_a_point_is_written_while_the_store_takes_any(ingest: Ingest) -> None:
    watch, writer = Watch(ingest, lambda: NOW_MS), ingest.store._careful._writer
    assert isinstance(writer, FakeWriter)
    ingest.link.start = lambda: None  # type: ignore[method-assign]
    watch.look()
    written = len(writer.points)
    assert written <= 1
    watch._pointed_s -= 10
    watch.look()
    assert len(writer.points) == written + 1
    ingest.store.gate.failed(StoreUnavailable("down"))
    watch._pointed_s -= 10
    watch.look()
    assert len(writer.points) == written + 1


def test_every_problem_is_named(ingest: Ingest, caplog: pytest.LogCaptureFixture) -> None:
    assert problems(ingest) == ["not connected to the broker"]
    ingest.store.gate.failed(StoreUnavailable("the store is down"))
    while ingest.journal.fill_pct < 80:
        ingest.journal.put([(b"t", b"p", 1)], 1, False)
    assert problems(ingest)[0] == "the store is down"
    assert problems(ingest)[-1].startswith("journal ")
    watch = Watch(ingest, lambda: NOW_MS)
    ingest.link.start = lambda: None  # type: ignore[method-assign]
    watch.look()
    watch.look()
    assert sum("full" in record.message for record in caplog.records) == 1


def test_pages_answer_and_a_port_in_use_is_a_setting_error(ingest: Ingest) -> None:
    server = PageServer(pages(ingest), "127.0.0.1", 0)
    server.start()
    base = f"http://127.0.0.1:{server.port}"
    with urllib.request.urlopen(f"{base}/metrics") as answer:
        assert answer.status == HTTPStatus.OK
        assert b"seatwatt_ingest_stored_total" in answer.read()
    for path, status in (("readyz", 503), ("else", 404)):
        with pytest.raises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(f"{base}/{path}")
        with caught.value as error:
            assert error.code == status
    with pytest.raises(SettingsError, match="cannot listen on"):
        PageServer({}, "127.0.0.1", server.port)
    fleet = Fleet("127.0.0.1", [server.port, 1])
    status, text = fleet.readyz()
    assert status == HTTPStatus.SERVICE_UNAVAILABLE
    assert "worker 1: not connected to the broker\n" in text
    assert "worker 2: does not answer" in text
    assert "seatwatt_ingest_all_received_total 0\n" in fleet.metrics()[1]
    server.stop()


def test_a_former_worker_leaves_a_journal_that_still_holds_something(ingest: Ingest) -> None:
    folder = ingest.settings.ingest_state
    (folder / f"subscriptions-{ingest.name}.json").write_text("[]")
    ingest.journal.put([(b"t", b"p", 1)], 1, False)
    ingest.forget()
    assert sorted(path.suffix for path in folder.iterdir() if "wal" not in path.name) == [".db"]
    entry = ingest.journal.oldest()
    assert entry is not None
    ingest.journal.remove([entry])
    ingest.forget()
    assert list(folder.glob("*.db")) == []


def test_former_workers_are_known_by_what_they_left(tmp_path: Path) -> None:
    for name in ("i-1", "i-2", "i-3", "i-x", "other-9"):
        (tmp_path / f"subscriptions-{name}.json").write_text("[]")
    assert retired(tmp_path, "i", 1) == [2, 3]
    assert retired(tmp_path, "i", 3) == []
    assert retired(tmp_path / "nowhere", "i", 1) == []

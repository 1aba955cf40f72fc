"""What was saved while it was used comes back as it was: a month apportioned before and after."""

import gzip
import io
import json
import tarfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, func, select

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import instant_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import QuarantinedMessage, ReadingBatch, Series, SeriesBook
from seatwatt.contract.rules import Rule
from seatwatt.ledger.backup import restore_ledger, save_ledger
from seatwatt.ledger.open import open_engine, reading
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.ledger.run_tables import runs as runs_table
from seatwatt.ledger.runs import list_runs, list_statements
from seatwatt.ledger.sites import load_site, save_site
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.settlement.document import document
from seatwatt.settlement.runs import approve, draft, issue
from seatwatt.settlement.settle import settle
from seatwatt.store.open import open_reader
from seatwatt.store.ports import DerivedPoint
from seatwatt.store.recording import load_recordings
from seatwatt.store.sitefiles import load_site as load_site_file
from seatwatt.store.sqlite import SqliteWriter
from seatwatt.store.sqlite_reader import SqliteReader
from tests.commands import Ended, run
from tests.integration.test_settle_store import store_all
from tests.oracle.apportion import days
from tests.servers import Server
from tests.services.run_kit import SEPTEMBER, Registers, a_bill, a_site, at, declare
from tests.shared import shared


def refused(at_ms: int) -> QuarantinedMessage:
    return QuarantinedMessage(topic="a/b", payload=b"\x00\xff", received_at_ms=at_ms,
                              rule=Rule.T01, detail="no SenML")


class Place:
    """A ledger and a store of their own, and the commands that use them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger, self.store = folder / "ledger.db", folder / "readings.db"

    def run(self, *arguments: str, **env: str) -> Ended:
        return run(list(arguments), {"SEATWATT_LEDGER_URL": f"sqlite:///{self.ledger}",
                                     "SEATWATT_STORE_URL": f"sqlite:///{self.store}", **env},
                   None)

    def engine(self) -> Engine:
        return open_engine(LedgerSettings(ledger_url=f"sqlite:///{self.ledger}"))


@pytest.fixture
def month() -> dict[str, Any]:
    folder = shared("examples/two")
    site = load_site_file(folder / "site.yaml")
    expected = json.loads((folder / "expected.json").read_text())
    return {"site": site, "recording": load_recordings([folder / "readings.ndjson.gz"], site.id),
            "period": [instant_ms(day, site.time_zone) for day in days(expected)]}


@pytest.fixture
def old(tmp_path: Path, month: dict[str, Any]) -> Place:
    """A place with a month of readings and a declared site."""
    place = Place(tmp_path / "old")
    place.folder.mkdir()
    store_all(month["recording"], place.store)
    engine = place.engine()
    save_site(engine, month["site"], "amir", 1)
    engine.dispose()
    return place


def settled(place: Place, month: dict[str, Any]) -> dict[str, Any]:
    """The month as the declared site and the stored readings of the place give it."""
    engine, reader = place.engine(), SqliteReader(place.store)
    try:
        site = load_site(engine, month["site"].id)
        return document(settle(site, reader, *month["period"]))
    finally:
        reader.close()
        engine.dispose()


def while_written(place: Place, work: Callable[[], Ended]) -> tuple[Ended, int]:
    """`work` done while readings go on being stored and messages refused; how many were."""
    stop, written = threading.Event(), 0
    writer, engine = SqliteWriter(place.store), place.engine()
    series = SeriesBook().get("other", Device("seat", "hall", "001"), quantity("seat", "energy"))

    def write() -> None:
        nonlocal written
        while not stop.is_set():
            batch = ReadingBatch()
            batch.append(series, written, float(written))
            writer.write(batch)
            Quarantine(engine).put([refused(written)])
            written += 1

    thread = threading.Thread(target=write)
    thread.start()
    try:
        ended = work()
    finally:
        stop.set()
        thread.join()
        writer.close()
        engine.dispose()
    return ended, written


def test_a_month_is_the_same_before_and_after(tmp_path: Path, old: Place,
                                              month: dict[str, Any]) -> None:
    before, archive = settled(old, month), tmp_path / "b.tar.gz"
    saved, written = while_written(old, lambda: old.run("backup", "--out", str(archive)))
    assert saved.returncode == 0, saved.stderr
    assert written > 0
    assert archive.stat().st_mode & 0o777 == 0o600
    new = Place(tmp_path / "new")
    back = new.run("restore", str(archive))
    assert back.returncode == 0, back.stderr
    assert settled(new, month) == before
    assert [f.name for f in new.folder.iterdir() if f.name.startswith(".")] == []


@pytest.mark.parametrize(("out", "problem"), [
    ("no/such/copy.tar.gz", "there is no folder"), ("there", "it is a folder")])
def test_where_no_archive_can_be_nothing_is_made(old: Place, tmp_path: Path, out: str,
                                                 problem: str) -> None:
    (tmp_path / "there").mkdir()
    ended = old.run("backup", "--out", str(tmp_path / out))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"seatwatt: {tmp_path / out}: {problem}")
    assert ended.stderr.count("\n") == 1
    assert not (tmp_path / "no").exists()


def test_what_is_there_is_not_replaced_unasked_nor_while_it_is_used(
        tmp_path: Path, old: Place, month: dict[str, Any]) -> None:
    archive = str(tmp_path / "b.tar.gz")
    assert old.run("backup", "--out", archive).returncode == 0
    again = old.run("backup", "--out", archive)
    assert (again.returncode, "--force" in again.stderr) == (2, True)
    new = Place(tmp_path / "new")
    engine = new.engine()
    refused = new.run("restore", archive)
    assert refused.returncode == 2
    assert refused.stderr.endswith(": it is there already; expected no such file, or --force to "
                                   "replace it\n")
    with engine.connect():
        in_use = new.run("restore", archive, "--force")
    assert in_use.returncode == 2
    assert "it is in use; stop what uses it first" in in_use.stderr
    assert not new.store.exists()
    engine.dispose()
    assert new.run("restore", archive, "--force").returncode == 0
    assert settled(new, month) == settled(old, month)


def damaged(archive: bytes, how: str) -> bytes:
    if how == "cut short":
        return archive[:len(archive) // 2]
    if how == "no archive":
        return b"hello"
    if how == "one bit":
        middle = len(archive) // 2
        return archive[:middle] + bytes([archive[middle] ^ 1]) + archive[middle + 1:]
    members = unpacked(archive)
    if how == "another manifest":
        members["manifest.json"] = b"[]"
    elif how == "a later format":
        members["manifest.json"] = json.dumps({"format": 99}).encode()
    elif how == "a part missing":
        del members["store.db"]
    elif how == "a part changed":
        members["store.db"] = members["store.db"][:-1] + b"?"
    elif how == "a part elsewhere":
        told = json.loads(members["manifest.json"])
        told["parts"]["../../escaped"] = told["parts"].pop("store.db")
        members = {"manifest.json": json.dumps(told).encode(),
                   "../../escaped": members["store.db"], "ledger.db": members["ledger.db"]}
    elif how == "not a ledger":
        members["ledger.db"] = b"hello"
        told = json.loads(members["manifest.json"])
        told["parts"]["ledger.db"] |= {
            "bytes": 5, "sha256":
            "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}
        members["manifest.json"] = json.dumps(told).encode()
    return packed(members)


def unpacked(archive: bytes) -> dict[str, bytes]:
    found = {}
    with tarfile.open(fileobj=io.BytesIO(archive)) as opened:
        for member in opened:
            content = opened.extractfile(member)
            assert content is not None
            found[member.name] = content.read()
    return found


def packed(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, data in members.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            archive.addfile(member, io.BytesIO(data))
    return gzip.compress(out.getvalue())


@pytest.mark.parametrize("how", [
    "cut short", "no archive", "one bit", "another manifest", "a later format", "a part missing",
    "a part changed", "a part elsewhere", "not a ledger"])
def test_a_damaged_archive_is_one_line_and_changes_nothing(tmp_path: Path, how: str) -> None:
    place = Place(tmp_path / "old")
    SqliteWriter(place.store).close()
    place.engine().dispose()
    archive = tmp_path / "b.tar.gz"
    assert place.run("backup", "--out", str(archive)).returncode == 0
    archive.write_bytes(damaged(archive.read_bytes(), how))
    new = Place(tmp_path / "new")
    ended = new.run("restore", str(archive))
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith("seatwatt: ")
    assert ended.stderr.count("\n") == 1
    assert not new.ledger.exists()
    assert not new.store.exists()
    assert not (tmp_path.parent / "escaped").exists()


def test_missing_files_are_one_line(tmp_path: Path) -> None:
    place = Place(tmp_path / "empty")
    for ended in (place.run("restore", str(tmp_path / "none.tar.gz")),
                  place.run("backup", "--out", str(tmp_path / "b.tar.gz"))):
        assert ended.returncode == 2
        assert "there is no such file" in ended.stderr.splitlines()[-1]
    assert not (tmp_path / "b.tar.gz").exists()


def test_an_influxdb_is_left_to_its_own_tool(tmp_path: Path, old: Place) -> None:
    influx = {"SEATWATT_STORE_URL": "http://127.0.0.1:1/seatwatt"}
    with_store, without = str(tmp_path / "a.tar.gz"), str(tmp_path / "b.tar.gz")
    assert old.run("backup", "--out", with_store).returncode == 0
    assert "influxd backup" in old.run("backup", "--out", without, **influx).stderr
    new = Place(tmp_path / "new")
    away = new.run("restore", with_store, **influx)
    assert (away.returncode, len(away.stderr.strip().splitlines())) == (2, 1), away.stderr
    assert not new.ledger.exists()
    assert new.run("restore", with_store, "--ledger-only", **influx).returncode == 0
    assert new.run("restore", without, "--force", **influx).returncode == 0
    assert not new.store.exists()


def test_an_embedded_store_moves_to_an_influxdb_whole(
        tmp_path: Path, old: Place, month: dict[str, Any], influx: Server) -> None:
    archive, new = str(tmp_path / "a.tar.gz"), Place(tmp_path / "new")
    settings = StoreSettings(store_url=f"http://127.0.0.1:{influx.port}/seatwatt")
    point = DerivedPoint("site_day", (("site", "s"),), (("supply_wh", 5.0),), 1_790_000_000_000)
    status = Series("s", Device("ups", "plant", "one"), quantity("ups", "status"))
    writer = SqliteWriter(old.store)
    writer.write_derived([point])
    writer.write(ReadingBatch([status], [1_790_000_000_000], ["OL CHRG"]))
    writer.close()
    assert old.run("backup", "--out", archive).returncode == 0
    moved = new.run("restore", archive, SEATWATT_STORE_URL=settings.store_url)
    assert moved.returncode == 0, moved.stderr
    again = new.run("restore", archive, SEATWATT_STORE_URL=settings.store_url)
    assert (again.returncode, "--force" in again.stderr) == (2, True)
    assert new.run("restore", archive, "--force",
                   SEATWATT_STORE_URL=settings.store_url).returncode == 0
    engine, reader, before = new.engine(), open_reader(settings), SqliteReader(old.store)
    try:
        site = load_site(engine, month["site"].id)
        assert document(settle(site, reader, *month["period"])) == settled(old, month)
        assert reader.sites() == before.sites()
        assert {(one.series.device, one.series.quantity.name, one.taken_at_ms, one.value)
                for one in reader.last("s")} == {
                    (status.device, "status", 1_790_000_000_000, "OL CHRG")}
        assert reader.derived("site_day", (), 0, 1_800_000_000_000) == [point]
    finally:
        for each in (reader, before):
            each.close()
        engine.dispose()


def with_an_issued_run(settings: LedgerSettings) -> None:
    engine = open_engine(settings)
    declare(engine, a_bill())
    made = draft(engine, Registers(), "s", SEPTEMBER, at(5))
    approve(engine, Registers(), made.id, at(5))
    issue(engine, made.id, at(6))
    quarantine = Quarantine(engine)
    quarantine.put([refused(17), refused(18)])
    quarantine.remove([2])  # its number must not come back
    engine.dispose()


def everything(settings: LedgerSettings) -> dict[str, list[tuple[Any, ...]]]:
    engine = open_engine(settings)
    with reading(engine) as connection:
        found = {table.name: sorted((tuple(row) for row in connection.execute(select(table))),
                                    key=repr)
                 for table in runs_table.metadata.sorted_tables}
    engine.dispose()
    return found


def test_a_ledger_comes_back_whole_from_either_database_to_either(
        ledger_settings: LedgerSettings, tmp_path: Path) -> None:
    with_an_issued_run(ledger_settings)
    before = everything(ledger_settings)
    assert len(before["statements"]) >= 2
    save_ledger(ledger_settings, tmp_path / "saved.db")
    elsewhere = LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/elsewhere.db")
    restore_ledger(tmp_path / "saved.db", elsewhere)
    assert everything(elsewhere) == before
    goes_on(elsewhere)
    # Back over what is there, though issued rows are immutable and refuse to be deleted.
    engine = open_engine(ledger_settings)
    save_site(engine, a_site(name="changed since"), "amir", 2)
    engine.dispose()
    restore_ledger(tmp_path / "saved.db", ledger_settings)
    assert everything(ledger_settings) == before
    goes_on(ledger_settings)


def goes_on(settings: LedgerSettings) -> None:
    """New rows get numbers of their own, and what is issued is still protected."""
    engine = open_engine(settings)
    Quarantine(engine).put([refused(19)])
    assert [kept.id for kept in Quarantine(engine).list()] == [1, 3]
    [made] = list_runs(engine, "s")
    assert made.state == "issued"
    assert list_statements(engine, made.id)
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(runs_table)).scalar() == 1
    engine.dispose()

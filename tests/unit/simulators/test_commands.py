"""Small decisions of the commands: filters, files, progress without a terminal."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from seatwatt.cli import importer, simulate
from seatwatt.cli.progress import Work
from seatwatt.cli.record import is_filter
from seatwatt.contract.errors import InputError
from seatwatt.store.recording import read_messages
from tests.shared import ROOT


@pytest.mark.parametrize(("topic", "good"), [
    ("seatwatt/v1/#", True), ("#", True), ("+/+", True), ("a/+/b", True), ("a", True),
    ("", False), ("a/#/b", False), ("a/b#", False), ("a+/b", False), ("a\0b", False)])
def test_topic_filters(topic: str, good: bool) -> None:
    assert is_filter(topic) is good


def test_progress_without_a_terminal_is_a_line_at_the_end(capsys: pytest.CaptureFixture[str]
                                                          ) -> None:
    with Work("reading", 10, "rows") as work:
        work.advance(4)
        work.to(10)
    assert capsys.readouterr().err == "reading: 10 of 10 rows (0 s)\n"


def test_progress_of_work_that_fails_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        with Work("reading", 10, "rows") as work:
            work.advance(4)
            raise InputError("row 5", "it is damaged")

    with pytest.raises(InputError):
        broken()
    assert capsys.readouterr().err == ""


def simulated(tmp_path: Path, *arguments: str) -> tuple[list[str], Path]:
    out = tmp_path / "out.ndjson"
    done = CliRunner().invoke(simulate.app, [
        "--site", str(ROOT / "examples" / "e-rozgar.yaml"), "--from", "2026-10-05", "--to",
        "2026-10-06", "--every", "900", "--out", str(out), *arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout.splitlines(), out


def test_the_same_seed_gives_the_same_recording(tmp_path: Path) -> None:
    _, first = simulated(tmp_path, "--pack", "300")
    bytes_ = first.read_bytes()
    assert simulated(tmp_path, "--pack", "300")[1].read_bytes() == bytes_
    assert simulated(tmp_path, "--pack", "300", "--seed", "2")[1].read_bytes() != bytes_


def test_faults_are_told_as_json(tmp_path: Path) -> None:
    printed, out = simulated(tmp_path, "--faults", "10", "--pack", "100")
    told = [json.loads(line) for line in printed if line.startswith("{")]
    assert [one["fault"] for one in told if "fault" in one] == [
        "gap", "late", "duplicate", "reorder", "reset", "exchange", "spike", "dip", "stuck",
        "skew"]
    assert len([one for one in told if "exchange" in one]) == 1
    times = [message.received_at_ms for message in read_messages(out)]
    assert times == sorted(times)


@pytest.mark.parametrize(("arguments", "said"), [
    (["--from", "2026-10-02", "--to", "2026-10-01"], "--from: 2026-10-02 is not before"),
    (["--from", "2026-13-02", "--to", "2026-10-01"], "--from: '2026-13-02' is no time"),
    (["--from", "2026-10-02T10:00:00", "--to", "2026-10-03"], "is no time"),
    ([], "it is unclear what to simulate"),
    (["--live", "--from", "2026-10-01"], "it is unclear what to simulate"),
    (["--live", "--out", "x"], "--live: it publishes, without faults"),
    (["--from", "2026-10-02", "--to", "2026-10-03", "--since", "soon"], "'soon' is no date"),
    (["--from", "2026-10-02", "--to", "2026-10-03", "--since", "1926-10-03"],
     "--since: 1926-10-03 is too long before 2026-10-02; expected at most 3660"),
    (["--from", "2026-10-02", "--to", "2026-10-03", "--since", "2026-10-03", "--out", "x"],
     "lies before its first day")])
def test_what_cannot_be_simulated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                  arguments: list[str], said: str) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=said):
        CliRunner().invoke(simulate.app, [
            "--site", str(ROOT / "examples" / "combed.yaml"), *arguments], catch_exceptions=False)


def test_an_import_that_cannot_be_written(tmp_path: Path) -> None:
    file = tmp_path / "register.csv"
    file.write_text("1000,5\n")
    with pytest.raises(InputError, match="No such file or directory"):
        CliRunner().invoke(importer.app, ["toon", str(file), "--out", str(tmp_path / "x" / "y")],
                           catch_exceptions=False)


def test_a_time_zone_that_is_none(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="'Mars/Olympus' is unknown"):
        CliRunner().invoke(importer.app, [
            "desk-presence", str(tmp_path), "--out", "x", "--time-zone", "Mars/Olympus"],
            catch_exceptions=False)

"""`seatwatt demo` as a user runs it: a process without a terminal, in a folder of its own."""

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwatt.cli._demo_state import EXAMPLES
from tests.shared import ROOT

SMALL = """
site: small
name: Two companies, one hall
time_zone: Asia/Karachi
currency: PKR
zones:
  hall: {kind: hall, area_m2: 40, seats: 6}
  plant: {kind: plant}
meters:
  plant/grid: {source: grid, max_power_w: 20000}
  plant/generator: {source: generator, max_power_w: 20000}
  plant/ups: {parent: supply, storage: true}
  hall/board: {parent: plant/ups, share: seats, max_power_w: 8000}
seat_meters: {parent: "{zone}/board", max_power_w: 2300}
tenants: {alpha: {name: Alpha}, beta: {name: Beta}}
leases:
  - {tenant: alpha, seats: ["hall/001-004"], from: 2020-01-01,
     shift: {days: mon-sat, start: "09:00", end: "18:00"}}
  - {tenant: beta, seats: ["hall/001-004"], from: 2020-01-01,
     shift: {days: mon-fri, start: "20:00", end: "05:00"}}
"""
ROW = re.compile(r"^\s+(\S+(?: = \S+)?)((?:\s+-?[\d,]+\.\d{6}){4})\s*$", re.MULTILINE)


def demo(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "seatwatt", "demo", "--port", "0", *arguments], cwd=folder,
        text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env={**os.environ})


def finished(process: "subprocess.Popen[str]", timeout_s: float = 280) -> tuple[int, str, str]:
    out, errors = process.communicate(timeout=timeout_s)
    return process.returncode, out, errors


def table(printed: str) -> dict[str, list[int]]:
    """Party -> milliwatt-hours: direct, shared, unaccounted, total. A fifth column would be energy
    that is estimated, of which there is none."""
    return {name: [round(float(cell.replace(",", "")) * 1e6) for cell in cells.split()]
            for name, cells in ROW.findall(printed)}


def balanced(printed: str, parties: set[str]) -> None:
    """The table's columns and rows add up, and the sum is the supply."""
    rows = table(printed)
    total = rows.pop("sum = supply")
    assert set(rows) == parties
    assert [sum(column) for column in zip(*rows.values(), strict=True)] == total
    for direct, shared, unaccounted, whole in rows.values():
        assert direct + shared + unaccounted == whole
    assert whole_supply(printed) == total[3] > 0


def whole_supply(printed: str) -> int:
    [sentence] = re.findall(r"equal to the supply: (.*)\.", printed)
    assert "NOT" not in printed
    return sum(round(float(part.split()[-1].replace(",", "")) * 1e6)
               for part in sentence.split(", "))


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a small site, in which the demo has run once."""
    folder = tmp_path_factory.mktemp("demo")
    (folder / "small.yaml").write_text(SMALL)
    status, printed, errors = finished(demo(folder, "--site", "small.yaml", "--once"))
    assert status == 0, errors
    assert "readings published and stored" in printed
    balanced(printed, {"alpha", "beta", "operator"})
    assert "Traceback" not in errors
    assert "WARNING" not in errors
    return folder


@pytest.fixture
def running(small: Path) -> Iterator[tuple["subprocess.Popen[str]", str, list[str]]]:
    """A second run, up to the point where it says where to look; its address and lines."""
    process = demo(small, "--site", "small.yaml")
    try:
        lines = told(process)
        yield process, re.findall(r"(http://[^/]+)/docs", "".join(lines))[0], lines
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()


def told(process: "subprocess.Popen[str]") -> list[str]:
    """What it printed until it runs; fails with its errors when it ends instead."""
    assert process.stdout is not None
    lines: list[str] = []
    while not any("Ctrl-C" in line for line in lines):
        line = process.stdout.readline()
        assert line, f"it ended: {finished(process)}"
        lines.append(line)
    return lines


def get(address: str) -> bytes:
    with urllib.request.urlopen(address, timeout=30) as answer:
        assert answer.status == 200
        body: bytes = answer.read()
        return body


def test_the_month_of_workaround_comes_through_mqtt_and_balances(tmp_path: Path) -> None:
    status, printed, errors = finished(demo(tmp_path, "--once"))
    assert status == 0, errors
    balanced(printed, {"khyber-bpo", "pashto-contact", "indus-soft", "nightline", "swat-data",
                       "bolan-care", "gandhara-design", "tirah-tax", "operator"})
    assert "history of Workaround, Peshawar, over MQTT" in errors
    assert "BLOCKS" not in printed


def test_a_later_run_publishes_only_what_is_missing_and_shows_the_same_table(
        small: Path, running: tuple["subprocess.Popen[str]", str, list[str]]) -> None:
    process, _, lines = running
    published = [int(found.replace(",", "")) for line in lines
                 for found in re.findall(r"([\d,]+) readings published", line)]
    assert sum(published) < 5_000
    balanced("".join(lines), {"alpha", "beta", "operator"})
    process.send_signal(signal.SIGINT)
    assert finished(process, 60)[0] == 0
    assert json.loads((small / "var/demo/small/world.json").read_text())["whole_until_ms"] > 0


def test_it_publishes_live_and_answers(
        small: Path, running: tuple["subprocess.Popen[str]", str, list[str]]) -> None:
    process, address, _ = running
    assert b"swagger" in get(f"{address}/docs").lower()
    assert json.loads(get(f"{address}/v1/sites"))["sites"][0]["id"] == "small"
    deadline = time.monotonic() + 60
    power_seen = False
    while not power_seen and time.monotonic() < deadline:
        # Seats report power only live.
        power_seen = b"power" in get(f"{address}/v1/sites/small/devices")
        time.sleep(0.5)
    assert power_seen
    # What dashboards read of a running site is written here too.
    read = {"pipeline", "device_health", "site_now", "tenant_energy"}
    deadline = time.monotonic() + 150  # some of it once a minute
    while not read <= derived(small) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert read <= derived(small)
    process.send_signal(signal.SIGINT)
    status, printed, errors = finished(process, 60)
    assert (status, printed.strip()) == (0, "stopped")
    assert "Traceback" not in errors


def derived(folder: Path) -> set[str]:
    """Derived measurements in the demo's store."""
    store = sqlite3.connect(f"file:{folder}/var/demo/small/readings.db?mode=ro", uri=True)
    try:
        return {name for (name,) in store.execute("SELECT DISTINCT measurement FROM derived")}
    finally:
        store.close()


def test_sigterm_ends_it_as_well(running: tuple["subprocess.Popen[str]", str, list[str]]) -> None:
    running[0].send_signal(signal.SIGTERM)
    assert finished(running[0], 60)[0] == 0


def refused(folder: Path, *arguments: str) -> str:
    """The one line of a demo that cannot start."""
    done = subprocess.run([sys.executable, "-m", "seatwatt", "demo", *arguments], cwd=folder,
                          capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    [line] = done.stderr.strip().splitlines()
    return line


def test_two_demos_do_not_share_a_folder(small: Path, running: object) -> None:
    assert "another demo is running there" in refused(small, "--site", "small.yaml", "--once")


@pytest.mark.parametrize("option", ["--port", "--mqtt-port"])
def test_a_port_in_use_is_one_line(small: Path, option: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        ports = [option, port] if option == "--port" else ["--port", "0", option, port]
        line = refused(small, "--site", "small.yaml", *ports)
    assert port in line
    assert "in use" in line


def test_a_changed_site_asks_for_a_fresh_start(small: Path) -> None:
    (small / "small.yaml").write_text(SMALL.replace("seats: 6", "seats: 7"))
    try:
        assert "--fresh" in refused(small, "--site", "small.yaml", "--once")
    finally:
        (small / "small.yaml").write_text(SMALL)
    assert "the seed is another one" in refused(small, "--site", "small.yaml", "--seed", "2")


def test_a_site_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere.yaml: cannot be read" in refused(tmp_path, "--site", "nowhere.yaml")
    (tmp_path / "bad.yaml").write_text("site: [\n")
    assert "bad.yaml:" in refused(tmp_path, "--site", "bad.yaml")


def test_a_fresh_start_forgets(small: Path) -> None:
    status, printed, errors = finished(demo(small, "--site", "small.yaml", "--once", "--fresh"))
    assert status == 0, errors
    assert "readings published and stored" in printed
    balanced(printed, {"alpha", "beta", "operator"})


def test_the_examples_are_where_the_demo_looks() -> None:
    assert ROOT / "examples" == EXAMPLES

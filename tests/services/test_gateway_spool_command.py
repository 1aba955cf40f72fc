"""`seatwatt gateway`: runs until it is told to end, and says in one line what is wrong."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.servers import Server, free_port
from tests.services.ingest_kit import until
from tests.services.test_gateway_spool import Ear

CONFIG = """\
gateway: gw-1
site: hall
zone: plant
time_zone: Asia/Karachi
devices:
  - {device: meter/hall-a/board, driver: modbus, model: sdm630, host: 127.0.0.1, port: %d}
  - {device: meter/hall-b/board, driver: modbus, model: no-such-model, host: 127.0.0.1}
"""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    """A device that does not answer, and one whose model is unknown."""
    path = tmp_path / "gateway.yaml"
    path.write_text(CONFIG % free_port())
    return path


def command(folder: Path, *arguments: str, port: int = 1) -> "subprocess.Popen[str]":
    env = {**os.environ, "SEATWATT_MQTT_PORT": str(port),
           "SEATWATT_GATEWAY_SPOOL": str(folder / "spool.db")}
    return subprocess.Popen([sys.executable, "-m", "seatwatt", "gateway", *arguments], env=env,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


@pytest.mark.parametrize("arguments", [(), ("run",)])
def test_it_runs_with_bad_devices_and_ends_when_told(
        broker: Server, config: Path, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    ear = Ear(broker.port)
    process = command(tmp_path, *arguments, str(config), port=broker.port)
    status = "seatwatt/v1/hall/status/plant/gw-1"
    try:
        until(lambda: b"no-such-model" in (ear.last(f"{status}/devices") or b""),
              "the unusable device is told")
        until(lambda: b"hall-a/board" in (ear.last(f"{status}/devices") or b""),
              "the dead device is told")
    finally:
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=120)
        ear.close()
    assert process.returncode == 0
    assert errors.count("meter/hall-a/board: ") == 1
    assert errors.count("meter/hall-b/board: ") == 1
    assert "Traceback" not in errors


def test_check_prints_a_table_and_fails_when_a_device_does(config: Path, tmp_path: Path) -> None:
    process = command(tmp_path, "check", str(config), "--listen-s", "0")
    table, errors = process.communicate(timeout=120)
    assert process.returncode == 1
    assert errors == ""
    rows = [line for line in table.splitlines() if line.strip().startswith("meter/")]
    assert len(rows) == 2
    assert "no-such-model" in table


@pytest.mark.parametrize(("text", "line"), [
    ("", "gateway"), ("gateway: gw-1\nsite: hall\nzone: z\ntime_zone: Asia/Karachi\n", "devices"),
    ("gateway: [\n", "gateway.yaml:")])
def test_a_wrong_file_is_one_line(tmp_path: Path, text: str, line: str) -> None:
    (tmp_path / "gateway.yaml").write_text(text)
    process = command(tmp_path, "run", str(tmp_path / "gateway.yaml"))
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 2
    assert errors.startswith("seatwatt: ")
    assert errors.count("\n") == 1
    assert line in errors


def test_a_spool_that_another_gateway_uses_is_one_line(config: Path, tmp_path: Path) -> None:
    first = command(tmp_path, str(config))
    try:
        until(lambda: (tmp_path / "spool.db-wal").exists(), "the first one spools")
        second = command(tmp_path, str(config))
        _, errors = second.communicate(timeout=120)
        assert second.returncode == 2
        assert "another process uses it" in errors
        assert errors.count("\n") == 1
    finally:
        first.send_signal(signal.SIGTERM)
        first.communicate(timeout=120)

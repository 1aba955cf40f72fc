"""`seatwatt simulate --devices` and `seatwatt gateway check`, as somebody would try them."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.servers import Server, mosquitto, program
from tests.services.gateway_kit import site

START_S = 60.0


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Server]:
    server = mosquitto(tmp_path / "broker")
    server.start()
    yield server
    server.stop()


def seatwatt(broker: Server, *words: str) -> "subprocess.Popen[str]":
    env = {**os.environ, "SEATWATT_MQTT_HOST": "127.0.0.1",
           "SEATWATT_MQTT_PORT": str(broker.port)}
    return subprocess.Popen([sys.executable, "-m", "seatwatt", *words], env=env, text=True,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def test_a_simulated_site_is_served_and_checked_and_ended(broker: Server, tmp_path: Path) -> None:
    for name in ("upsd", "snmpd"):
        program(name)
    site(tmp_path)
    config = tmp_path / "gateway.yaml"
    serving = seatwatt(broker, "simulate", "--site", str(tmp_path / "site.yaml"), "--devices",
                       "--out", str(config), "--every", "1")
    try:
        ends = time.monotonic() + START_S
        while not config.exists():
            assert serving.poll() is None, serving.communicate()
            assert time.monotonic() < ends
            time.sleep(0.05)
        time.sleep(4.0)  # dummy-ups tells its upsd within two seconds
        checking = seatwatt(broker, "gateway", "check", str(config), "--listen-s", "4")
        table, problems = checking.communicate(timeout=120)
    finally:
        serving.send_signal(signal.SIGTERM)
        said, complaints = serving.communicate(timeout=120)
    assert (checking.returncode, problems) == (0, ""), table
    assert "26 simulated devices listen" in said
    assert (serving.returncode, complaints) == (0, "")
    for device in ("meter/plant/grid", "seat/hall-a/007", "ups/plant/main", "ups/plant/two",
                   "room/conf-1/presence", "uplink/plant/broker"):
        assert device in table


def test_what_is_simulated_must_be_said_once(broker: Server, tmp_path: Path) -> None:
    site(tmp_path)
    both = seatwatt(broker, "simulate", "--site", str(tmp_path / "site.yaml"), "--devices",
                    "--live")
    _, complaint = both.communicate(timeout=120)
    assert both.returncode == 2
    assert "expected --from and --to, or --live, or --devices" in complaint
    assert "Traceback" not in complaint

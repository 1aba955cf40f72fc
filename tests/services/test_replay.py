"""Recordings to and from a real mosquitto: in order, complete, and one line when it cannot be."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from seatwatt.cli.replay import paced
from seatwatt.store.recording import Message, read_messages, write_recording
from tests.servers import Server, free_port, mosquitto
from tests.services.combed_kit import command
from tests.services.ingest_kit import IngestProcess, count_and_sum, influx_url, until
from tests.shared import ROOT

SEAT = "seatwatt/v1/hall/seat/hall-a/{:03d}"


def message(number: int) -> Message:
    payload = b'[{"bt":%d.5,"n":"energy","u":"Wh","v":%d}]' % (1_700_000_000 + number, number)
    return Message(1_700_000_000_000 + number * 1000, SEAT.format(number % 350), payload)


@pytest.fixture
def recorded(tmp_path: Path) -> Path:
    """Twenty thousand single readings, and one message that is no JSON."""
    file = tmp_path / "in.ndjson.gz"
    odd = Message(1_700_030_000_000, SEAT.format(1), b"\xff\x00 not json")
    write_recording(file, [*map(message, range(20_000)), odd])
    return file


def recorder(port: int, out: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-m", "seatwatt", "record", "--out", str(out), *arguments],
        env={**os.environ, "SEATWATT_MQTT_PORT": str(port)}, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def subscribers(broker: Server) -> int:
    """Clients that subscribed, as the broker's log tells."""
    return broker.log().count("Sending SUBACK")


@pytest.mark.parametrize("ends", ["count", "interrupt", "terminate"])
def test_what_is_replayed_is_recorded_in_order_and_byte_for_byte(
        tmp_path: Path, recorded: Path, ends: str) -> None:
    broker = mosquitto(tmp_path / "mosquitto", "log_type all")
    broker.start()
    try:
        out = tmp_path / "out.ndjson.gz"
        taking = recorder(broker.port, out, *(["--count", "20001"] if ends == "count" else []))
        until(lambda: subscribers(broker) == 1, "record subscribes")
        said = command("replay", str(recorded), "--speed", "max", "--port", str(broker.port))
        assert said.startswith("20,001 messages published and acknowledged")
        if ends != "count":
            until(lambda: broker.log().count("Received PUBACK") >= 20_001, "all were recorded")
            taking.send_signal(signal.SIGINT if ends == "interrupt" else signal.SIGTERM)
        printed, errors = taking.communicate(timeout=120)
        assert (taking.returncode, printed) == (0, f"{out}: 20,001 messages\n"), errors
    finally:
        broker.stop()
    sent, got = list(read_messages(recorded)), list(read_messages(out))
    assert [(m.topic, m.payload) for m in got] == [(m.topic, m.payload) for m in sent]
    assert all(m.received_at_ms > 1_700_100_000_000 for m in got)


def test_device_topics_of_a_replay_rest_in_the_store(tmp_path: Path, broker: Server,
                                                     influx: Server) -> None:
    file = tmp_path / "in.ndjson"
    write_recording(file, map(message, range(10_000)))
    ingest = IngestProcess(tmp_path / "ingest", broker.port, influx_url(influx))
    try:
        ingest.start().connected()
        command("replay", str(file), "--speed", "max", "--site", "moved",
                "--port", str(broker.port))
        until(lambda: ingest.metric("stored_total") == 10_000, "all stored")
        assert count_and_sum(influx) == (10_000, sum(range(10_000)))
    finally:
        ingest.end(signal.SIGKILL)


def test_a_simulated_day_through_broker_and_ingest_is_whole(tmp_path: Path, broker: Server,
                                                            influx: Server) -> None:
    ingest = IngestProcess(tmp_path / "ingest", broker.port, influx_url(influx))
    try:
        ingest.start().connected()
        said = command("simulate", "--site", str(ROOT / "examples" / "e-rozgar.yaml"), "--from",
                       "2026-10-05", "--to", "2026-10-06", "--every", "900", "--pack", "300",
                       "--port", str(broker.port))
        sent = int(said.split()[0].replace(",", ""))
        until(lambda: ingest.metric("stored_total") == sent, "all stored")
        assert ingest.metric("quarantined_total") == 0
        assert count_and_sum(influx)[0] == 100 * 96
    finally:
        ingest.end(signal.SIGKILL)


def fails(*arguments: str) -> str:
    """The one line of a command that cannot be done."""
    done = subprocess.run([sys.executable, "-m", "seatwatt", *arguments], capture_output=True,
                          text=True, timeout=120, check=False)
    assert done.returncode == 2
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, done.stderr
    return lines[0]


def test_a_broker_that_is_not_there_is_one_line(recorded: Path, tmp_path: Path) -> None:
    port = str(free_port())
    expected = f"seatwatt: MQTT broker 127.0.0.1:{port}: Connection refused"
    assert fails("replay", str(recorded), "--port", port) == expected
    assert fails("record", "--out", str(tmp_path / "x"), "--port", port) == expected


def test_a_recording_that_is_not_there_is_told_before_a_broker_that_is_not(tmp_path: Path
                                                                           ) -> None:
    nowhere = tmp_path / "none.ndjson"
    assert fails("replay", str(nowhere), "--port", str(free_port())) == (
        f"seatwatt: {nowhere}: cannot be read: No such file or directory; expected a file")


def test_a_damaged_recording_is_one_line_with_its_number(tmp_path: Path, broker: Server) -> None:
    file = tmp_path / "in.ndjson"
    write_recording(file, [message(1)])
    file.write_bytes(file.read_bytes() + b"{nonsense\n")
    said = fails("replay", str(file), "--speed", "max", "--port", str(broker.port))
    assert f"{file}:2" in said


@pytest.mark.parametrize("speed", ["0", "-1", "fast", "inf", "nan"])
def test_a_speed_is_a_number_above_nought(recorded: Path, speed: str) -> None:
    assert fails("replay", str(recorded), "--speed", speed) == (
        f"seatwatt: --speed: '{speed}' is no speed; expected a number above 0, or max")


def test_a_replay_keeps_the_recordings_pace() -> None:
    now, waited = [100.0], []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        now[0] += seconds

    given = [message(0), message(2), message(1), message(62)]
    assert list(paced(iter(given), 60.0, lambda: now[0], sleep)) == given
    assert waited == pytest.approx([2 / 60, 1.0])


def test_at_full_speed_nothing_waits() -> None:
    given, waited = [message(0), message(10_000)], list[float]()
    assert list(paced(iter(given), None, time.monotonic, waited.append)) == given
    assert waited == []

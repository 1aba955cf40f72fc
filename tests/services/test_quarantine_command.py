"""The quarantine command against a real broker."""

import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from seatwatt.cli.quarantine import _legible
from seatwatt.contract.readings import QuarantinedMessage
from seatwatt.contract.rules import Rule
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.settings import LedgerSettings
from seatwatt.simulators.broker import EmbeddedBroker
from tests.commands import Ended, run
from tests.servers import Server, free_port

TOPIC = "seatwatt/v1/peshawar/seat/hall-a/017"


@pytest.fixture
def quarantine(tmp_path: Path) -> Quarantine:
    kept = Quarantine(open_engine(LedgerSettings(ledger_url=_url(tmp_path))))
    kept.put([QuarantinedMessage(TOPIC, b'\xff{"odd"', 1_790_000_000_123, Rule.T01, "no JSON"),
              QuarantinedMessage(TOPIC, b"[]", 1_790_000_000_124, Rule.T06, "clock never set")])
    return kept


def until(true: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 10
    while not true() and time.monotonic() < deadline_s:
        time.sleep(0.01)


def _url(folder: Path) -> str:
    return f"sqlite:///{folder}/ledger.db"


def _run(folder: Path, *arguments: str, port: int = 1) -> Ended:
    return run(["quarantine", *arguments],
               {"SEATWATT_LEDGER_URL": _url(folder), "SEATWATT_MQTT_PORT": str(port),
                "COLUMNS": "160"})


def test_list_shows_what_is_kept(quarantine: Quarantine, tmp_path: Path) -> None:
    result = _run(tmp_path, "list", "--json", "--rule", "T01")
    assert [json.loads(line) for line in result.stdout.splitlines()] == [
        {"id": 1, "received_at": "2026-09-21T14:13:20.123Z", "rule": "T01", "topic": TOPIC,
         "detail": "no JSON", "payload": '\\xff{"odd"'}]
    table = _run(tmp_path, "list").stdout
    assert TOPIC in table
    assert "2 of 2 messages" in table


def test_a_ledger_that_is_not_there_is_told_and_not_made(tmp_path: Path) -> None:
    for arguments in (["list"], ["show", "1"], ["replay", "--all"]):
        result = _run(tmp_path / "mistyped", *arguments)
        assert (result.returncode, result.stdout) == (2, "")
        assert "SEATWATT_LEDGER_URL: there is no ledger" in result.stderr
    assert not (tmp_path / "mistyped").exists()


def test_nothing_a_sender_wrote_steers_the_terminal(quarantine: Quarantine, tmp_path: Path) -> None:
    topic, words = "seatwatt/v1/[/bold]/[red]x[/]", "v is [/oops]"
    quarantine.put([QuarantinedMessage(topic, b"a\x1b[2Jb\n\xc2\x9bc", 1_790_000_000_125,
                                       Rule.T02, words)])
    table = _run(tmp_path, "list").stdout
    assert topic in table
    assert words in table
    shown = _run(tmp_path, "show", "3").stdout
    assert shown.endswith("\na\\x1b[2Jb\n\\x9bc\n")


def test_a_terminal_is_shown_the_beginning_of_a_large_message() -> None:
    assert _legible("x" * 4_000, cut=True) == "x" * 4_000
    assert _legible("x" * 5_000, cut=True) == ("x" * 4_000 + "\n... and 1,000 characters more: "
                                              "| cat shows them")
    assert _legible("x" * 5_000, cut=False) == "x" * 5_000


def test_show_prints_one_message(quarantine: Quarantine, tmp_path: Path) -> None:
    result = _run(tmp_path, "show", "2")
    assert "rule:     T06 before the year 2000" in result.stdout
    assert result.stdout.endswith("payload:  2 bytes\n[]\n")


def test_replayed_bytes_are_the_ones_that_came(quarantine: Quarantine, tmp_path: Path,
                                               broker: Server) -> None:
    heard: list[tuple[str, bytes]] = []
    subscribed = threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_message = lambda _c, _u, message: heard.append((message.topic, message.payload))
    client.on_subscribe = lambda *_: subscribed.set()
    client.connect("127.0.0.1", broker.port)
    client.subscribe("seatwatt/#", qos=1)
    client.loop_start()
    assert subscribed.wait(60)
    result = _run(tmp_path, "replay", "--rule", "T01", port=broker.port)
    assert "1 messages replayed" in result.stdout, result.stderr
    until(lambda: bool(heard))
    client.loop_stop()
    client.disconnect()
    assert heard == [(TOPIC, b'\xff{"odd"')]
    assert [kept.message.rule for kept in quarantine.list()] == [Rule.T06]


def test_replay_by_id_takes_that_one_alone(quarantine: Quarantine, tmp_path: Path,
                                           broker: Server) -> None:
    assert "1 messages replayed" in _run(tmp_path, "replay", "2", port=broker.port).stdout
    assert [kept.id for kept in quarantine.list()] == [1]


@pytest.mark.parametrize(("arguments", "said"), [
    (["replay"], "unclear what to replay"),
    (["replay", "1", "--all"], "unclear what to replay"),
    (["replay", "99"], "there is no message 99"),
    (["replay", "--all"], "refused"),
    (["list", "--rule", "T99"], "'T99' refuses no message; expected T01"),
    (["list", "--rule", "R01"], "'R01' refuses no message; expected T01"),
])
def test_wrong_wishes_are_one_line_and_change_nothing(
        quarantine: Quarantine, tmp_path: Path, arguments: list[str], said: str) -> None:
    result = _run(tmp_path, *arguments, port=free_port())
    assert result.returncode == 2
    assert said in result.stderr
    assert result.stderr.count("\n") == 1, result.stderr
    assert quarantine.count() == 2


def test_a_broker_that_knows_no_mqtt_5_is_spoken_to_in_3(quarantine: Quarantine,
                                                         tmp_path: Path) -> None:
    with EmbeddedBroker() as old:
        result = _run(tmp_path, "replay", "--all", port=old.port)
    assert (result.returncode, result.stdout) == (0, "2 messages replayed\n"), result.stderr
    assert quarantine.count() == 0

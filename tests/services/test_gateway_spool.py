"""The publisher against a real mosquitto: receipts, wills, restarts, and what a gateway says."""

import json
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers import Server
from tests.services.ingest_kit import until
from tests.services.spool_kit import SEATS, GatewayProcess

STATUS = "seatwatt/v1/hall/status/hall-a/gw"
RECEIPT = "seatwatt/v1/hall/receipt/hall-a/gw"


class Ear:
    """Hears everything, and can answer with receipts as ingest does."""

    def __init__(self, port: int) -> None:
        self.heard: list[tuple[str, bytes, bool]] = []
        self.answers = False
        self._lock = threading.Lock()
        self.client = Client(CallbackAPIVersion.VERSION2)
        self.client.on_message = self._on_message
        self.client.on_connect = lambda client, *_: client.subscribe("seatwatt/#", qos=1)
        self.client.connect("127.0.0.1", port)
        self.client.loop_start()

    def _on_message(self, client: Client, _data: Any, message: MQTTMessage) -> None:
        with self._lock:
            self.heard.append((message.topic, message.payload, message.retain))
        if self.answers and "/pack/" in message.topic:
            client.publish(RECEIPT, json.dumps([pack_id(message.payload)]))

    def packs(self) -> list[str]:
        """Ids of packs, as often as they came."""
        with self._lock:
            return [pack_id(payload) for topic, payload, _ in self.heard if "/pack/" in topic]

    def last(self, topic: str) -> bytes | None:
        """What was said last on a topic."""
        with self._lock:
            return next((payload for name, payload, _ in reversed(self.heard) if name == topic),
                        None)

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def pack_id(payload: bytes) -> str:
    found: str = json.loads(payload)[0]["vs"]
    return found


@pytest.fixture
def ear(broker: Server) -> Iterator[Ear]:
    """Listening before the gateway speaks."""
    one = Ear(broker.port)
    yield one
    one.close()


@pytest.fixture
def gateway(broker: Server, tmp_path: Path) -> Iterator[GatewayProcess]:
    """Not yet started."""
    one = GatewayProcess(tmp_path / "gateway", broker.port)
    yield one
    if one.process is not None:
        one.end(signal.SIGKILL)


def packs_waiting(gateway: GatewayProcess) -> int:
    return gateway.counts().get("packs", -1)


def test_a_pack_leaves_the_spool_only_on_its_receipt(gateway: GatewayProcess, ear: Ear) -> None:
    gateway.start()
    until(lambda: len(set(ear.packs())) >= 4, "packs come")
    gateway.enough()
    time.sleep(1.0)
    waiting = packs_waiting(gateway)
    assert waiting == len(set(ear.packs())) >= 4
    until(lambda: len(ear.packs()) > waiting, "the oldest is sent again")
    ear.answers = True
    until(lambda: packs_waiting(gateway) == 0, "all are receipted after they were sent again")
    assert gateway.counts()["resent_packs"] > 0
    assert gateway.end() == 0


def test_without_receipts_the_brokers_word_is_enough(gateway: GatewayProcess, ear: Ear) -> None:
    gateway.extra["SEATWATT_GATEWAY_RECEIPTS"] = "false"
    gateway.start()
    until(lambda: len(ear.packs()) >= 4, "packs come")
    gateway.enough()
    until(lambda: packs_waiting(gateway) == 0, "the spool empties")
    assert len(ear.packs()) == len(set(ear.packs()))


def test_online_and_offline_are_retained_whether_it_ends_or_is_killed(
        gateway: GatewayProcess, ear: Ear) -> None:
    gateway.start()
    until(lambda: ear.last(STATUS) == b"online", "it says online")
    assert gateway.end(signal.SIGTERM) == 0
    until(lambda: ear.last(STATUS) == b"offline", "it says offline")
    gateway.start()
    until(lambda: ear.last(STATUS) == b"online", "it says online again")
    gateway.end(signal.SIGKILL)
    until(lambda: ear.last(STATUS) == b"offline", "its will is published")
    late = Ear(gateway.mqtt_port)
    until(lambda: late.last(STATUS) == b"offline", "it is retained")
    assert json.loads(late.last(f"{STATUS}/devices") or b"") == {"devices": SEATS, "failed": {}}
    late.close()


def test_live_data_comes_first_after_an_outage_and_nothing_is_missing(
        broker: Server, gateway: GatewayProcess) -> None:
    broker.stop()
    gateway.extra["SEATWATT_GATEWAY_BACKLOG_DELAY_S"] = "4"
    gateway.start()
    until(lambda: packs_waiting(gateway) >= 6, "packs wait")
    broker.start()
    ear = Ear(broker.port)
    ear.answers = True
    until(lambda: bool(ear.packs()), "packs come")
    gateway.enough()
    until(lambda: packs_waiting(gateway) == 0, "the backlog drains")
    ear.close()
    numbers = [int(one.partition("-")[2]) for one in ear.packs()]
    assert set(numbers) == set(range(1, gateway.counts()["made"] + 1))
    assert gateway.end() == 0


def test_a_receipt_that_is_nonsense_is_a_line_in_the_log(gateway: GatewayProcess, ear: Ear
                                                         ) -> None:
    gateway.start()
    until(lambda: bool(ear.packs()), "packs come")
    for nonsense in (b"", b"not json", b'{"a": 1}', b"[1, null, [], \"x\"]", b"\xff\xfe"):
        ear.client.publish(RECEIPT, nonsense)
    until(lambda: "is no receipt; expected a JSON array of pack ids" in gateway.log(), "it says so")
    ear.answers = True
    seen = len(ear.packs())
    until(lambda: len(ear.packs()) > seen, "it goes on")
    assert "Traceback" not in gateway.log()


def test_a_gateway_without_a_broker_spools_and_says_so_once(
        broker: Server, gateway: GatewayProcess) -> None:
    broker.stop()
    gateway.start()
    until(lambda: packs_waiting(gateway) >= 6, "packs wait")
    assert gateway.end() == 0
    assert gateway.log().count("does not answer") == 1


def test_a_full_disk_does_not_stop_live_data(gateway: GatewayProcess, ear: Ear) -> None:
    """The process may write files of 400 kB and no more: SQLite meets that limit as it does the
    end of a disk."""
    gateway.file_bytes_max = 400_000
    gateway.start()
    until(lambda: "live packs go out from memory" in gateway.log(), "the spool is full", 90)
    seen = len(set(ear.packs()))
    until(lambda: len(set(ear.packs())) > seen + 4, "live packs still come")
    assert "Traceback" not in gateway.log()
    ear.answers = True
    until(lambda: gateway.counts().get("unspooled_readings", 0) > 0, "it counted them", 90)

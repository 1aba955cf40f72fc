"""The replaying publisher against a real broker: restarts, passwords, a full window."""

import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from seatwatt.settings import BrokerSettings
from seatwatt.simulators import publisher as publishing
from seatwatt.simulators.publisher import BrokerError, Publisher, client_for, connect
from tests.servers import Server, free_port, mosquitto, program
from tests.services.ingest_kit import until


def settings(port: int, **more: Any) -> BrokerSettings:
    return BrokerSettings.load(mqtt_host="127.0.0.1", mqtt_port=port, **more)


class Taker:
    """A subscriber that remembers what it saw, and its place in the broker."""

    def __init__(self, port: int) -> None:
        self.seen: list[bytes] = []
        self.subscribed = threading.Event()
        self._client = client_for(settings(port), "taker")
        self._client._clean_session = False
        self._client.on_connect = lambda client, *_: client.subscribe("t/#", 1)
        self._client.on_subscribe = lambda *_: self.subscribed.set()
        self._client.on_message = lambda _c, _u, message: self.seen.append(message.payload)
        connect(self._client, ("127.0.0.1", port), "broker")
        self._client.loop_start()
        assert self.subscribed.wait(60)

    def stop(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def taker(broker: Server) -> Iterator[Taker]:
    one = Taker(broker.port)
    yield one
    one.stop()


def test_all_arrive_in_order_however_small_the_window(broker: Server, taker: Taker) -> None:
    sent = [str(n).encode() for n in range(3_000)]
    with Publisher(settings(broker.port), window=7) as publisher:
        for payload in sent:
            publisher.publish("t/x", payload)
        publisher.drain()
    until(lambda: len(taker.seen) >= len(sent), "all arrive")
    assert taker.seen == sent


def test_more_messages_than_there_are_numbers(broker: Server, taker: Taker) -> None:
    count = 70_000
    with Publisher(settings(broker.port)) as publisher:
        for n in range(count):
            publisher.publish("t/x", b"%d" % n)
        publisher.drain()
    until(lambda: len(taker.seen) >= count, "all arrive")
    assert taker.seen == [b"%d" % n for n in range(count)]


def test_a_broker_that_starts_again_gets_what_it_had_not_acknowledged(broker: Server,
                                                                      taker: Taker) -> None:
    with Publisher(settings(broker.port), window=100) as publisher:
        for n in range(6_000):
            if n == 3_000:
                broker.stop()
                threading.Timer(0.5, broker.start).start()
            publisher.publish("t/x", b"%d" % n)
        publisher.drain()
        assert publisher.sent == 6_000
    until(lambda: len(set(taker.seen)) >= 6_000, "all arrive, some of them twice")


def test_a_broker_that_stays_away_is_one_line(broker: Server, monkeypatch: pytest.MonkeyPatch
                                              ) -> None:
    monkeypatch.setattr(publishing, "STALL_S", 1.0)
    with Publisher(settings(broker.port)) as publisher:
        broker.stop()

        def thousand() -> None:
            for _ in range(1000):
                publisher.publish("t/x", b"1")
            publisher.drain()

        with pytest.raises(BrokerError, match=f"MQTT broker 127.0.0.1:{broker.port}: "):
            thousand()


def test_a_broker_that_hangs_is_one_line(broker: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "STALL_S", 1.0)
    with Publisher(settings(broker.port)) as publisher:
        broker.freeze()
        try:
            publisher.publish("t/x", b"1")
            with pytest.raises(BrokerError, match="1 messages are without an answer for 1 s"):
                publisher.drain()
        finally:
            broker.thaw()


@pytest.mark.parametrize("topic", ["", "a/#", "a/+/b", "a\0b", "x" * 70_000])
def test_topics_that_no_broker_takes(broker: Server, topic: str) -> None:
    with Publisher(settings(broker.port)) as publisher, \
            pytest.raises(BrokerError, match="cannot be published"):
        publisher.publish(topic, b"1")


def test_user_and_password(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    subprocess.run([program("mosquitto_passwd"), "-b", "-c", str(passwords), "meter", "secret"],
                   check=True, capture_output=True)
    broker = mosquitto(tmp_path / "broker", f"allow_anonymous false\npassword_file {passwords}")
    config = broker.folder / "mosquitto.conf"
    config.write_text(config.read_text().replace("allow_anonymous true\n", ""))
    broker.start()
    try:
        right = settings(broker.port, mqtt_user="meter", mqtt_password=SecretStr("secret"))
        with Publisher(right) as publisher:
            publisher.publish("t/x", b"1")
            publisher.drain()
        wrong = settings(broker.port, mqtt_user="meter", mqtt_password=SecretStr("guess"))
        with pytest.raises(BrokerError, match=r"not authorised|bad user name"), Publisher(wrong):
            pytest.fail("it connected")
    finally:
        broker.stop()


def test_nobody_there() -> None:
    port = free_port()
    with pytest.raises(BrokerError, match=f"{port}: Connection refused"), \
            Publisher(settings(port)):
        pytest.fail("it connected")

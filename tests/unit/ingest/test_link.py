"""The network thread against a broker that does not behave: a socket that says what we want."""

import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwatt.ingest.intake import Delivery
from seatwatt.ingest.link import Link
from seatwatt.ingest.session import open_session
from seatwatt.ingest.takeovers import Takeovers
from seatwatt.settings import IngestSettings

TAKEN = b"\x20\x02\x00\x00"
GRANTED, NOT_GRANTED = b"\x01", b"\x80"


class OddBroker:
    """Takes each connection, answers CONNECT and SUBSCRIBE as told, sends `then` and hangs up."""

    def __init__(self, greeting: bytes, verdict: bytes, then: bytes = b"") -> None:
        self._greeting, self._verdict, self._then = greeting, verdict, then
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                connection.settimeout(30)
                connection.recv(4096)
                connection.sendall(self._greeting)
                if self._greeting:
                    asked = connection.recv(4096)
                    connection.sendall(b"\x90\x03" + asked[2:4] + self._verdict + self._then)
                    connection.shutdown(socket.SHUT_WR)
                    while connection.recv(4096):
                        continue

    def close(self) -> None:
        # A thread in accept() is woken by this, not by close() alone.
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(30)


@pytest.fixture
def brokers() -> Iterator[list[OddBroker]]:
    made: list[OddBroker] = []
    yield made
    for broker in made:
        broker.close()


def link_to(broker: OddBroker, folder: Path) -> Link:
    settings = IngestSettings(mqtt_port=broker.port, ingest_state=folder)
    delivered: list[Delivery] = []
    return Link(open_session(settings), delivered.append, lambda: True, lambda: 0, Takeovers(3))


def test_a_broker_that_grants_no_subscription_is_tried_ever_less_often(
        brokers: list[OddBroker], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    brokers.append(OddBroker(TAKEN, NOT_GRANTED))
    link = link_to(brokers[0], tmp_path)
    # False: of no use, so that the next try waits longer.
    assert [link._connection() for _ in range(4)] == [False] * 4
    assert "refuses our subscription to seatwatt/#" in link.state.problem
    assert (link.failed, link.sessions_lost) == ("", 0)
    assert len(caplog.messages) == 1
    link.stop()


def test_a_broker_that_says_nothing_is_said_in_the_log(
        brokers: list[OddBroker], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    brokers.append(OddBroker(b"", b""))
    link = link_to(brokers[0], tmp_path)
    assert [link._connection() for _ in range(4)] == [False] * 4
    message, = caplog.messages
    assert "took the connection and did not answer: it may expect TLS" in message
    assert link.failed == ""
    link.stop()


def test_what_is_not_mqtt_is_said_in_the_log(
        brokers: list[OddBroker], tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    brokers.append(OddBroker(TAKEN, GRANTED, b"\x30\xff\xff\xff\xff\x01"))
    link = link_to(brokers[0], tmp_path)
    assert link._connection()
    assert any("the broker sent what is not MQTT: a packet's length" in message
               for message in caplog.messages)
    link.stop()

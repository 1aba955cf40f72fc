"""A stream of messages to the broker at QoS 1, in order, with a bound on what is unacknowledged.

One thread, one socket: a general client spends most of its time handing messages from thread to
thread, and a recording of a million messages is to be replayed in a minute.
"""

import os
import select
import socket
import ssl
import time
from typing import Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from seatwatt.contract.errors import SeatwattError
from seatwatt.settings import BrokerSettings
from seatwatt.simulators import mqtt_packets
from seatwatt.simulators.mqtt_packets import Answers
from seatwatt.tls import broker_tls

CONNECT_WAIT_S = 10.0
STALL_S = 30.0
RETRY_EVERY_S = 0.5
WINDOW = 1000
_LOOK_EVERY = 64
"""Messages between two looks at what the broker answers."""
_READ_BYTES = 65_536


class BrokerError(SeatwattError):
    """The broker is not there, refuses us, or stopped taking messages."""


class Publisher:
    """A connection for as long as the `with` lasts; BrokerError in one line when it fails.

    `window` bounds the messages without a PUBACK: `publish` waits when it is full. A connection
    that breaks is made again, and what was not acknowledged is sent again, for up to STALL_S.
    """

    def __init__(self, settings: BrokerSettings, window: int = WINDOW) -> None:
        self.where = f"MQTT broker {settings.mqtt_host}:{settings.mqtt_port}"
        self.sent = 0
        self._settings, self._window = settings, min(window, mqtt_packets.MID_MAX)
        self._waiting: dict[int, bytes] = {}
        self._socket: socket.socket | None = None
        self._answers = Answers()

    def __enter__(self) -> Self:
        self._connect()
        return self

    def __exit__(self, *_: object) -> None:
        if self._socket is not None:
            try:
                self._socket.sendall(mqtt_packets.DISCONNECT)
            except OSError:
                self._socket.close()  # It is gone already; so are we.
            self._socket.close()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send one message; waits while the window is full."""
        if len(self._waiting) >= self._window:
            self._until(self._window * 9 // 10)
        name = topic.encode()
        if not name or len(name) > mqtt_packets.TOPIC_BYTES_MAX or set(topic) & {"+", "#", "\0"}:
            raise BrokerError(f"topic {topic!r} cannot be published")
        self.sent += 1
        mid = self._free_mid()
        packet = self._waiting[mid] = mqtt_packets.publish(name, payload, mid)
        try:
            self._open.sendall(packet)
            if self.sent % _LOOK_EVERY == 0:
                self._read(0.0)
        except OSError as error:
            self._recover(error)

    def drain(self) -> None:
        """Return when the broker has acknowledged every message."""
        self._until(0)

    @property
    def _open(self) -> socket.socket:
        if self._socket is None:
            raise BrokerError(f"{self.where}: not connected")
        return self._socket

    def _free_mid(self) -> int:
        mid = self.sent % mqtt_packets.MID_MAX + 1
        while mid in self._waiting:
            mid = mid % mqtt_packets.MID_MAX + 1
        return mid

    def _until(self, unacknowledged: int) -> None:
        since_s = time.monotonic()
        while (before := len(self._waiting)) > unacknowledged:
            try:
                self._read(1.0)
            except OSError as error:
                self._recover(error)
            if len(self._waiting) < before:
                since_s = time.monotonic()
            elif time.monotonic() - since_s > STALL_S:
                raise BrokerError(f"{self.where}: {before} messages are without an answer for "
                                  f"{STALL_S:.0f} s")

    def _read(self, timeout_s: float) -> None:
        """Take the acknowledgements that are there, or come in time. OSError: it is over."""
        opened = self._open
        pending = opened.pending() if isinstance(opened, ssl.SSLSocket) else 0
        if not pending and not select.select([opened], [], [], timeout_s)[0]:
            return
        data = opened.recv(_READ_BYTES)
        if not data:
            raise ConnectionResetError("the broker closed the connection")
        for kind, body in self._answers.cut(data):
            if kind == mqtt_packets.PUBACK:
                self._waiting.pop(int.from_bytes(body[:2], "big"), None)

    def _recover(self, error: OSError) -> None:
        """Connect again and send again what has no acknowledgement."""
        ends_s = time.monotonic() + STALL_S
        while True:
            try:
                self._connect()
                for packet in self._waiting.values():
                    self._open.sendall(mqtt_packets.again(packet))
                return
            except (OSError, BrokerError):
                if time.monotonic() > ends_s:
                    raise BrokerError(f"{self.where}: {error.strerror or error}") from None
                time.sleep(RETRY_EVERY_S)

    def _connect(self) -> None:
        settings = self._settings
        if self._socket is not None:
            self._socket.close()
        self._answers = Answers()
        try:
            opened = socket.create_connection((settings.mqtt_host, settings.mqtt_port),
                                              timeout=CONNECT_WAIT_S)
            opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if trust := broker_tls(settings):
                opened = trust.wrap_socket(opened, server_hostname=settings.mqtt_host)
            opened.sendall(mqtt_packets.connect(f"seatwatt-{os.urandom(6).hex()}",
                                                settings.mqtt_user,
                                                settings.mqtt_password.get_secret_value()))
            answer = _first(opened, self._answers)
        except OSError as error:
            raise BrokerError(f"{self.where}: {error.strerror or error}") from None
        if answer:
            opened.close()
            reason = mqtt_packets.REFUSALS.get(answer, f"refused with code {answer}")
            raise BrokerError(f"{self.where}: {reason}")
        opened.settimeout(STALL_S)
        self._socket = opened


def _first(opened: socket.socket, answers: Answers) -> int:
    """The code of the broker's answer to CONNECT; 0 is yes."""
    while data := opened.recv(_READ_BYTES):
        for kind, body in answers.cut(data):
            if kind == mqtt_packets.CONNACK and len(body) == 2:
                return body[1]
    raise ConnectionResetError("the broker closed the connection")


def client_for(settings: BrokerSettings, client_id: str = "") -> mqtt.Client:
    """A paho client with the user and TLS of the settings, for whoever subscribes."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id,
                         protocol=mqtt.MQTTv311)
    if settings.mqtt_user:
        client.username_pw_set(settings.mqtt_user, settings.mqtt_password.get_secret_value())
    if trust := broker_tls(settings):
        client.tls_set_context(trust)
    return client


def connect(client: mqtt.Client, address: tuple[str, int], where: str) -> None:
    """Open the connection, or say in one line why not."""
    try:
        client.connect(*address)
    except OSError as error:
        raise BrokerError(f"{where}: {error.strerror or error}") from None

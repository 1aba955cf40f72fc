"""A stream of messages to the broker at QoS 1, in order, with a bound on what is unacknowledged."""

import threading
import time
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from seatwatt.contract.errors import SeatwattError
from seatwatt.settings import BrokerSettings

CONNECT_WAIT_S = 10.0
STALL_S = 30.0
WINDOW = 1000


class BrokerError(SeatwattError):
    """The broker is not there, refuses us, or stopped taking messages."""


class Publisher:
    """A connection for as long as the `with` lasts; BrokerError in one line when it fails.

    `window` bounds the messages without a PUBACK: `publish` waits when it is full.
    """

    def __init__(self, settings: BrokerSettings, window: int = WINDOW) -> None:
        self.where = f"MQTT broker {settings.mqtt_host}:{settings.mqtt_port}"
        self._address = (settings.mqtt_host, settings.mqtt_port)
        self._window, self._sent, self._acknowledged = window, 0, 0
        self._progress = threading.Condition()
        self._answered, self._refusal = threading.Event(), ""
        self._client = client_for(settings)
        self._client.max_inflight_messages_set(window)
        self._client.on_connect = self._on_connect
        self._client.on_publish = self._on_publish

    @property
    def sent(self) -> int:
        """Messages handed to the network."""
        return self._sent

    def __enter__(self) -> Self:
        connect(self._client, self._address, self.where)
        self._client.loop_start()
        if not self._answered.wait(CONNECT_WAIT_S) or self._refusal:
            self.__exit__()
            raise BrokerError(f"{self.where}: {self._refusal or 'no answer'}")
        return self

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, topic: str, payload: bytes) -> None:
        """Hand over one message; waits while the window is full."""
        if self._sent - self._acknowledged >= self._window:
            self._wait(self._window * 9 // 10)
        try:
            self._client.publish(topic, payload, qos=1)
        except ValueError as error:
            raise BrokerError(f"topic {topic!r} cannot be published: {error}") from None
        self._sent += 1

    def drain(self) -> None:
        """Return when the broker has acknowledged every message."""
        self._wait(0)

    def _wait(self, unacknowledged: int) -> None:
        with self._progress:
            while self._sent - self._acknowledged > unacknowledged:
                before, since_s = self._acknowledged, time.monotonic()
                self._progress.wait(STALL_S)
                if self._acknowledged == before and time.monotonic() - since_s >= STALL_S:
                    missing = self._sent - self._acknowledged
                    raise BrokerError(f"{self.where}: {missing} messages are without an answer "
                                      f"for {STALL_S:.0f} s")

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any,
                    _properties: Any) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()

    def _on_publish(self, *_: Any) -> None:
        self._acknowledged += 1
        if self._acknowledged % 50 == 0 or self._acknowledged >= self._sent:
            with self._progress:
                self._progress.notify_all()


def client_for(settings: BrokerSettings, client_id: str = "") -> mqtt.Client:
    """A paho client with the user and TLS of the settings."""
    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id,
                         protocol=mqtt.MQTTv311)
    if settings.mqtt_user:
        client.username_pw_set(settings.mqtt_user, settings.mqtt_password.get_secret_value())
    if settings.mqtt_ca_file:
        client.tls_set(settings.mqtt_ca_file)
    return client


def connect(client: mqtt.Client, address: tuple[str, int], where: str) -> None:
    """Open the connection, or say in one line why not."""
    try:
        client.connect(*address)
    except OSError as error:
        raise BrokerError(f"{where}: {error.strerror or error}") from None

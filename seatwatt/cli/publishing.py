"""Publishing a bounded list of messages and knowing that the broker took each."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from seatwatt.contract.errors import InputError, StoreUnavailable
from seatwatt.settings import BrokerSettings
from seatwatt.tls import broker_tls

CONNECT_WAIT_S = 10.0
ACK_WAIT_S = 30.0
_INFLIGHT_MAX = 500
_OLD = "Unsupported protocol version"


class Publisher:
    """A connection to the broker for as long as the `with` lasts.

    It speaks MQTT 5 where the broker does, for only there a broker says that it will not take a
    message: to older clients it acknowledges what its access list forbids, and drops it.
    StoreUnavailable when the broker is not reached, refuses us, or takes too long.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._settings, self._trust = settings, broker_tls(settings)
        self._where = f"MQTT broker {settings.mqtt_host}:{settings.mqtt_port}"
        self._client = self._client_of(MQTTProtocolVersion.MQTTv5)

    def _client_of(self, protocol: MQTTProtocolVersion) -> mqtt.Client:
        settings = self._settings
        self._answered, self._refusal = threading.Event(), ""
        self._forbidden: dict[int, str] = {}
        client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=protocol)
        client.max_inflight_messages_set(_INFLIGHT_MAX)
        if settings.mqtt_user:
            client.username_pw_set(settings.mqtt_user, settings.mqtt_password.get_secret_value())
        if self._trust:
            client.tls_set_context(self._trust)
        client.on_connect = self._on_connect
        client.on_publish = self._on_publish
        return client

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any,
                    _properties: Any) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()

    def _on_publish(self, _client: Any, _userdata: Any, mid: int, reason: Any,
                    _properties: Any) -> None:
        if reason.is_failure:
            self._forbidden[mid] = str(reason)

    def __enter__(self) -> Self:
        answered = self._open()
        if self._refusal == _OLD:
            self._client = self._client_of(MQTTProtocolVersion.MQTTv311)
            answered = self._open()
        if not answered or self._refusal:
            self.__exit__()
            raise StoreUnavailable(f"{self._where}: {self._refusal or 'no answer'}")
        return self

    def _open(self) -> bool:
        """Connect; whether the broker answered. One that refuses our version is let go."""
        try:
            self._client.connect(self._settings.mqtt_host, self._settings.mqtt_port)
        except OSError as error:
            raise StoreUnavailable(f"{self._where}: {error.strerror or error}") from None
        self._client.loop_start()
        answered = self._answered.wait(CONNECT_WAIT_S)
        if self._refusal == _OLD:
            self.__exit__()
        return answered

    def __exit__(self, *_: object) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def publish(self, messages: Sequence[tuple[str, bytes]]) -> None:
        """Publish (topic, payload) at QoS 1; returns when the broker has taken all of them."""
        sent = []
        for topic, payload in messages:
            try:
                sent.append(self._client.publish(topic, payload, qos=1))
            except ValueError as error:
                raise InputError(f"topic {topic!r}", f"it cannot be published: {error}") from None
        deadline_s = time.monotonic() + ACK_WAIT_S
        for (topic, payload), each in zip(messages, sent, strict=True):
            each.wait_for_publish(max(0.0, deadline_s - time.monotonic()))
            if not each.is_published():
                raise StoreUnavailable(f"{self._where}: it did not take the {len(payload)} bytes "
                                       f"for {topic} in {ACK_WAIT_S:.0f} s (too large for it?); "
                                       "they stay where they are")
            if each.mid in self._forbidden:
                raise StoreUnavailable(f"{self._where}: {topic}: {self._forbidden[each.mid]}: "
                                       "this account may not write there; nothing was forgotten")

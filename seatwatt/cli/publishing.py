"""Publishing a bounded list of messages and knowing that the broker took each."""

import threading
import time
from collections.abc import Sequence
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from seatwatt.contract.errors import InputError, StoreUnavailable
from seatwatt.settings import BrokerSettings
from seatwatt.tls import broker_tls

CONNECT_WAIT_S = 10.0
ACK_WAIT_S = 30.0
_INFLIGHT_MAX = 500


class Publisher:
    """A connection to the broker for as long as the `with` lasts.

    StoreUnavailable when the broker is not reached, refuses us, or takes too long.
    """

    def __init__(self, settings: BrokerSettings) -> None:
        self._where = f"MQTT broker {settings.mqtt_host}:{settings.mqtt_port}"
        self._address = (settings.mqtt_host, settings.mqtt_port)
        self._answered = threading.Event()
        self._refusal = ""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv311)
        self._client.max_inflight_messages_set(_INFLIGHT_MAX)
        if settings.mqtt_user:
            self._client.username_pw_set(settings.mqtt_user,
                                         settings.mqtt_password.get_secret_value())
        if trust := broker_tls(settings):
            self._client.tls_set_context(trust)
        self._client.on_connect = self._on_connect

    def _on_connect(self, _client: Any, _userdata: Any, _flags: Any, reason: Any,
                    _properties: Any) -> None:
        self._refusal = str(reason) if reason.is_failure else ""
        self._answered.set()

    def __enter__(self) -> Self:
        try:
            self._client.connect(*self._address)
        except OSError as error:
            raise StoreUnavailable(f"{self._where}: {error.strerror or error}") from None
        self._client.loop_start()
        if not self._answered.wait(CONNECT_WAIT_S) or self._refusal:
            self.__exit__()
            raise StoreUnavailable(f"{self._where}: {self._refusal or 'no answer'}")
        return self

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
        for each in sent:
            each.wait_for_publish(max(0.0, deadline_s - time.monotonic()))
            if not each.is_published():
                raise StoreUnavailable(f"{self._where}: it did not take the messages in "
                                       f"{ACK_WAIT_S:.0f} s; they stay where they are")

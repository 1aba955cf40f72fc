"""Listens on the site's broker to devices that speak MQTT themselves. Only ever reads."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.reasoncodes import ReasonCode

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import SettingsError
from seatwatt.gateway.config import Broker
from seatwatt.gateway.drivers.talk import Message
from seatwatt.gateway.drivers.voices import Outcome, Voices
from seatwatt.gateway.ports import Clock, Fault, GatewayDeviceError, Report, Sink
from seatwatt.tls import tls_context

TICK_S = 1.0
KEEPALIVE_S = 30
RETRY_S = (1, 30)
SUBSCRIBE_MAX = 200
"""Filters in one packet; some brokers take no large ones."""


@dataclass(slots=True)
class MqttListener:
    """All devices on one broker. `own` is the gateway, for what concerns the broker itself."""

    broker: Broker
    own: Device
    voices: Voices
    clock: Clock

    @property
    def devices(self) -> Sequence[Device]:
        """Everything it gives samples of."""
        return self.voices.devices

    async def run(self, sink: Sink, report: Report) -> None:
        """Listen until cancelled; a broker that is away is waited for."""
        loop, ended = asyncio.get_running_loop(), asyncio.Event()

        def give(outcome: Outcome) -> None:
            for fault in outcome.faults:
                report(fault)
            if outcome.samples:
                sink(outcome.samples)

        def message(came: Message) -> None:
            give(self.voices.hear(came))

        def complain(detail: str) -> None:
            report(Fault(self.own, self.clock(), f"broker {self.broker}: {detail}"))

        def from_thread(call: Any, *given: object) -> None:
            # The network thread may outlive the loop by a moment.
            if not ended.is_set() and not loop.is_closed():
                loop.call_soon_threadsafe(call, *given)

        client = self._client(from_thread, message, complain)
        if self.voices.topics:
            client.connect_async(self.broker.host, self.broker.port, KEEPALIVE_S)
            client.loop_start()
        try:
            while True:
                give(self.voices.tick(self.clock()))
                await asyncio.sleep(TICK_S)
        finally:
            ended.set()
            client.disconnect()
            client.loop_stop()

    def _client(self, from_thread: Any, message: Any, complain: Any) -> Client:
        client = Client(CallbackAPIVersion.VERSION2, clean_session=True)
        if self.broker.user:
            client.username_pw_set(self.broker.user, self.broker.password)
        try:
            trust = tls_context(self.broker.ca_file, self.broker.cert_file, self.broker.key_file)
        except SettingsError as error:
            raise GatewayDeviceError(self.own, str(error)) from None
        if trust:
            client.tls_set_context(trust)
        client.reconnect_delay_set(*RETRY_S)

        def on_connect(client: Client, userdata: object, flags: ConnectFlags, reason: ReasonCode,
                       properties: object) -> None:
            if reason.is_failure:
                from_thread(complain, f"refuses us: {reason}")
            else:
                topics = [(topic, 0) for topic in self.voices.topics]
                for start in range(0, len(topics), SUBSCRIBE_MAX):
                    client.subscribe(topics[start:start + SUBSCRIBE_MAX])

        def on_message(client: Client, userdata: object, came: MQTTMessage) -> None:
            from_thread(message, Message(came.topic, bytes(came.payload), self.clock(),
                                         came.retain))

        def on_disconnect(client: Client, userdata: object, flags: DisconnectFlags,
                          reason: ReasonCode, properties: object) -> None:
            if reason.is_failure:
                from_thread(complain, f"connection lost: {reason}")

        def on_connect_fail(client: Client, userdata: object) -> None:
            from_thread(complain, "does not answer; trying again")

        client.on_connect, client.on_message = on_connect, on_message
        client.on_disconnect, client.on_connect_fail = on_disconnect, on_connect_fail
        return client

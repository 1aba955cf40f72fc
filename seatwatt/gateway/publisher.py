"""Publishing: one thread with the connection to the broker.

Every connection is a new client with a clean session, so that nothing of an old one is left in
it: what was on its way is known to the spool, which sends again what has no receipt.
"""

import json
import logging
import random
import threading
import time
from typing import Any

from paho.mqtt.client import Client, ConnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode
from paho.mqtt.reasoncodes import ReasonCode

from seatwatt.contract.devices import Device
from seatwatt.contract.topics import Topic
from seatwatt.gateway.publisher_flow import Flow
from seatwatt.gateway.spool import SpoolFull
from seatwatt.settings import GatewaySettings
from seatwatt.tls import broker_tls

LOG = logging.getLogger("seatwatt.gateway")
_TURN_S = 0.05
_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
_STEADY_S = 10.0
_SHORT = 3
"""So many short connections in a row are no accident."""
_REMIND_S = 60.0
_GOODBYE_S = 2.0
ONLINE, OFFLINE = b"online", b"offline"


class Publisher:
    """Sends what `flow` gives, brings it the receipts. `start()`, `stop()`."""

    def __init__(self, settings: GatewaySettings, site: str, gateway: Device, flow: Flow) -> None:
        """SettingsError when the certificate cannot be used."""
        self._settings, self._flow = settings, flow
        self._name = f"seatwatt-gateway-{site}-{gateway.zone}-{gateway.name}"
        self._pack, self._status, self._receipt = (
            str(Topic(site, channel, gateway.zone, gateway.name))
            for channel in ("pack", "status", "receipt"))
        self._address = f"{settings.mqtt_host}:{settings.mqtt_port}"
        self._mids: dict[int, str] = {}
        self._ready = self._stopping = False
        self._problem, self._said_s, self._tries = "", float("-inf"), 0
        self._parts: dict[str, bytes] = {}
        self._news: set[str] = set()
        self._lock = threading.Lock()
        self._wake = threading.Event()
        self._thread = threading.Thread(target=self._run, name="gateway-publisher", daemon=True)
        self._client()  # a certificate that is missing is found now

    @property
    def connected(self) -> bool:
        """Whether the broker has taken us and hears our packs."""
        return self._ready

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Connect, in our own time, and publish."""
        self._thread.start()

    def tell(self, part: str, payload: bytes) -> None:
        """From any thread: keep `payload` retained at `.../status/{zone}/{gateway}/{part}`."""
        with self._lock:
            self._parts[part] = payload
            self._news.add(part)

    def stop(self) -> None:
        """Send what can be sent within a moment, say goodbye, end the thread."""
        self._stopping = True
        self._wake.set()
        if self._thread.is_alive():
            self._thread.join(_GOODBYE_S + 10.0)

    def _client(self) -> Client:
        settings = self._settings
        client = Client(CallbackAPIVersion.VERSION2, client_id=self._name, clean_session=True,
                        reconnect_on_failure=False)
        if settings.mqtt_user:
            client.username_pw_set(settings.mqtt_user, settings.mqtt_password.get_secret_value())
        if trust := broker_tls(settings):
            client.tls_set_context(trust)
        client.max_inflight_messages_set(settings.gateway_window_packs)
        client.will_set(self._status, OFFLINE, qos=1, retain=True)
        client.on_connect = self._on_connect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        client.on_publish = self._on_publish
        return client

    def _run(self) -> None:
        while not self._stopping:
            begun_s = time.monotonic()
            # Whatever it was, only the thread's death would be worse: nothing would leave the
            # site any more and nobody would know.
            try:
                self._connection(self._client())
            except OSError as error:
                self._say(f"broker {self._address} does not answer: {error}")
            except Exception as error:
                LOG.exception("publisher")
                self._say(f"publisher: {type(error).__name__}: {error}: connecting again")
            self._ready = False
            self._tries = 0 if time.monotonic() - begun_s > _STEADY_S else self._tries + 1
            delay_s = _RETRY_S[min(self._tries, len(_RETRY_S) - 1)]
            if not self._stopping:
                self._wake.wait(delay_s * random.uniform(0.7, 1.3))

    def _connection(self, client: Client) -> None:
        """One connection from beginning to end; OSError when the broker does not answer."""
        self._mids.clear()
        self._problem_of_this = ""
        client.connect(self._settings.mqtt_host, self._settings.mqtt_port,
                       self._settings.gateway_keepalive_s)
        while not self._stopping:
            if client.loop(_TURN_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                self._say(self._problem_of_this or self._closed())
                return
            if self._ready:
                self._pump(client)
        self._goodbye(client)

    def _closed(self) -> str:
        hint = f"; does another gateway use the id {self._name}?" if self._tries >= _SHORT else ""
        return f"broker {self._address} closed the connection{hint}"

    def _pump(self, client: Client) -> None:
        try:
            for message in self._flow.next(time.monotonic()):
                info = client.publish(self._pack, message.payload, qos=1)
                if not self._settings.gateway_receipts:
                    self._mids[info.mid] = message.id
        except SpoolFull as error:
            self._say(str(error))
        with self._lock:
            news = {part: self._parts[part] for part in self._news}
            self._news.clear()
        for part, payload in news.items():
            client.publish(f"{self._status}/{part}", payload, qos=1, retain=True)

    def _goodbye(self, client: Client) -> None:
        deadline = time.monotonic() + _GOODBYE_S
        if self._ready:
            while self._flow.on_their_way and time.monotonic() < deadline:
                self._pump(client)
                client.loop(_TURN_S)
            # Said goodbye to, the broker does not publish our will.
            said = client.publish(self._status, OFFLINE, qos=1, retain=True)
            while not said.is_published() and time.monotonic() < deadline + 1.0:
                if client.loop(_TURN_S) != MQTTErrorCode.MQTT_ERR_SUCCESS:
                    return
        client.disconnect()
        client.loop(_TURN_S)

    def _on_connect(self, client: Client, _data: Any, _flags: ConnectFlags, reason: ReasonCode,
                    _properties: Any) -> None:
        if reason.is_failure:
            self._problem_of_this = f"broker {self._address} refuses us: {reason}"
            return
        if self._settings.gateway_receipts:
            client.subscribe(self._receipt, qos=1)
        else:
            self._begin(client)

    def _on_subscribe(self, client: Client, _data: Any, _mid: int, reasons: list[ReasonCode],
                      _properties: Any) -> None:
        if any(reason.is_failure for reason in reasons):
            self._problem_of_this = f"broker {self._address} refuses us {self._receipt}"
            client.disconnect()
        else:
            self._begin(client)

    def _begin(self, client: Client) -> None:
        client.publish(self._status, ONLINE, qos=1, retain=True)
        with self._lock:
            self._news.update(self._parts)
        self._flow.connected(time.monotonic())
        self._ready, self._problem = True, ""
        LOG.info("connected to broker %s as %s", self._address, self._name)

    def _on_message(self, _client: Client, _data: Any, message: MQTTMessage) -> None:
        try:
            ids = json.loads(message.payload)
        except ValueError:
            ids = None
        if isinstance(ids, list):
            self._flow.stored((one for one in ids if isinstance(one, str)), time.monotonic())
        else:
            self._say(f"{message.topic}: {message.payload[:60]!r} is no receipt; expected a JSON "
                      "array of pack ids")

    def _on_publish(self, _client: Client, _data: Any, mid: int, reason: ReasonCode,
                    _properties: Any) -> None:
        pack_id = self._mids.pop(mid, None)
        if pack_id is not None and not reason.is_failure:
            self._flow.stored([pack_id], time.monotonic())

    def _say(self, problem: str) -> None:
        """One line in the log when it is news, and once a minute while it stays so."""
        now_s = time.monotonic()
        if problem != self._problem or now_s - self._said_s > _REMIND_S:
            LOG.warning("%s; trying again", problem)
            self._said_s = now_s
        self._problem = problem

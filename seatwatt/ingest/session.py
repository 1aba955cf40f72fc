"""What is said to the broker when a connection begins: who we are and what we want to hear."""

import logging
import re
from typing import Any

from paho.mqtt.client import ConnectFlags
from paho.mqtt.reasoncodes import ReasonCode

from seatwatt.contract.errors import SettingsError
from seatwatt.contract.topics import BROKER_DROPPED
from seatwatt.ingest.subscriptions import Subscriptions
from seatwatt.ingest.wire import Wire
from seatwatt.settings import IngestSettings
from seatwatt.tls import broker_tls

_FILTER = re.compile(r"(?:(?:\+|[^+#/]*)/)*(?:#|\+|[^+#/]*)")
_FILTER_MAX = 1_000
LOG = logging.getLogger("seatwatt.ingest")


class Session:
    """Our session at the broker. `problem` is why the broker does not want us, if it does not."""

    def __init__(self, wire: Wire, subscriptions: Subscriptions, address: str,
                 client_id: str) -> None:
        self.wire, self.address, self.client_id = wire, address, client_id
        self._subscriptions = subscriptions
        wire.on_connect = self._on_connect
        wire.on_subscribe = self._on_subscribe
        wire.on_unsubscribe = self._on_unsubscribe
        self.taken = self.subscribed = False
        self._welcome_mid: int | None = None
        self._asks_welcome = True
        self.known = False
        """Whether the broker has had a session of ours, subscriptions and all, since we started."""
        self.lost = 0
        """Sessions the broker forgot, and with them the messages it held for us."""
        self.problem = ""

    def open(self) -> None:
        """Connect; OSError when the broker does not answer."""
        self.taken = self.subscribed = False
        self.problem = ""
        self.wire.reconnect()

    def close(self) -> bool:
        """The connection is over; whether the broker had taken us."""
        self.subscribed = False
        if self.wire.socket() is not None:
            self.wire.disconnect()
        return self.taken

    def _on_connect(self, wire: Any, _data: Any, flags: ConnectFlags, reason: ReasonCode,
                    _properties: Any) -> None:
        if reason.is_failure:
            self.problem = f"broker {self.address} refuses us: {reason}"
            return
        self.taken = True
        if not flags.session_present and self.known:
            self.lost += 1
            LOG.warning("broker %s lost our session: what it held for us is gone, gateways send "
                        "again what has no receipt", self.address)
        self._subscriptions.asked()
        if self._subscriptions.wanted:
            wire.subscribe([(name, 1) for name in self._subscriptions.wanted])
            self._ask_welcome(wire)
        else:
            self.subscribed = self.known = True  # only to fetch what still waits for us
        if self._subscriptions.removed:
            wire.unsubscribe(list(self._subscriptions.removed))

    def _ask_welcome(self, wire: Any) -> None:
        """In a packet of its own, for it may be refused; and once only where a broker hangs up
        on it."""
        if self._subscriptions.welcome and self._asks_welcome:
            self._asks_welcome = False
            _, self._welcome_mid = wire.subscribe(
                [(name, 0) for name in self._subscriptions.welcome])

    def _on_subscribe(self, wire: Any, _data: Any, mid: int, reasons: list[ReasonCode],
                      _properties: Any) -> None:
        if mid == self._welcome_mid:
            self._asks_welcome = True
        elif any(reason.is_failure for reason in reasons):
            self.problem = (f"broker {self.address} refuses our subscription to "
                            + ", ".join(self._subscriptions.wanted))
            wire.disconnect()
        else:
            self.subscribed = self.known = True
            LOG.info("connected to broker %s as %s", self.address, self.client_id)

    def _on_unsubscribe(self, *_ignored: Any) -> None:
        self._subscriptions.removal_confirmed()


def client_id(settings: IngestSettings) -> str:
    """The id of this worker, the same at every start."""
    return f"{settings.ingest_client_id}-{settings.ingest_worker}"


def filters(settings: IngestSettings) -> tuple[str, ...]:
    """What this worker subscribes: with several workers the shared form, which some brokers
    grant but never serve, so a single worker does without. A worker that is no longer wanted
    (its number is above theirs) subscribes nothing. SettingsError for what is no filter."""
    if settings.ingest_worker > settings.ingest_workers:
        return ()
    names = [name.strip() for name in settings.ingest_filters.split(",") if name.strip()]
    if not names:
        raise SettingsError("SEATWATT_INGEST_FILTERS: it names no topic filter; expected such as "
                            "seatwatt/#")
    for name in names:
        if (_FILTER.fullmatch(name) is None or name.startswith("$")
                or len(name) > _FILTER_MAX):
            raise SettingsError(f"SEATWATT_INGEST_FILTERS: {name[:_FILTER_MAX]!r} is no topic "
                                "filter; expected levels between slashes, + for any one, # at the "
                                "end for all below")
    if settings.ingest_workers == 1:
        return tuple(names)
    return tuple(f"$share/{settings.ingest_share}/{name}" for name in names)


def welcome(settings: IngestSettings) -> tuple[str, ...]:
    """What a worker would hear of the broker itself; one of them is enough."""
    return (BROKER_DROPPED,) if settings.ingest_worker == 1 else ()


def open_session(settings: IngestSettings) -> Session:
    """The session of this worker, not yet connected. SettingsError when a file is missing."""
    name = client_id(settings)
    wire = Wire(name)
    if settings.mqtt_user:
        wire.username_pw_set(settings.mqtt_user, settings.mqtt_password.get_secret_value())
    if trust := broker_tls(settings):
        wire.tls_set_context(trust)
    wire.connect_async(settings.mqtt_host, settings.mqtt_port, settings.ingest_keepalive_s)
    subscriptions = Subscriptions(settings.ingest_state / f"subscriptions-{name}.json",
                                  filters(settings), welcome(settings))
    return Session(wire, subscriptions, f"{settings.mqtt_host}:{settings.mqtt_port}", name)

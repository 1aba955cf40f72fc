"""A provisioned mosquitto, and clients that try the door."""

import os
import queue
import ssl
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from seatwatt.provision.access import INGEST, OPERATOR, Account, Door, gateway
from seatwatt.provision.accounts import provision_broker, provision_client
from seatwatt.provision.broker import BrokerPlan
from seatwatt.provision.folder import ProvisionFolder
from tests.servers import Server, accepts, free_port, program

NOW = datetime.now(UTC)  # noqa: TID251  # certificates of a real broker are good today
OWN = gateway("peshawar", "plant", "gw-1")
OTHER = gateway("peshawar", "plant", "gw-2")
ELSEWHERE = gateway("islamabad", "plant", "gw-1")
WAIT_S = 60.0


@dataclass
class SecureBroker:
    """mosquitto as `seatwatt provision` sets it up, and everybody's password."""

    folder: ProvisionFolder
    plan: BrokerPlan
    server: Server
    passwords: dict[str, str] = field(default_factory=dict)

    @classmethod
    def provisioned(cls, root: Path, *accounts: Account, **plan: Any) -> "SecureBroker":
        """Made, not yet started."""
        folder, runs_as = ProvisionFolder(root / "secrets"), "root" if os.geteuid() == 0 else ""
        made = BrokerPlan(**{"at": str(folder.broker), "data": str(folder.broker / "data"),
                             "bind": "127.0.0.1", "port": free_port(), "runs_as": runs_as,
                             "services_port": free_port(), **plan})
        provision_broker(folder, made, NOW)
        command = [program("mosquitto"), "-c", str(folder.broker / "mosquitto.conf")]
        ports = [made.port, made.services_port, *([made.plain_port] if made.plain_port else [])]
        broker = cls(folder, made, Server("mosquitto", command, root, made.port,
                                          lambda: all(map(accepts, ports))))
        for each in accounts:
            broker.add(each)
        return broker

    def add(self, who: Account, **how: Any) -> None:
        """Provision a client and remember its password."""
        self.passwords[who.name] = provision_client(self.folder, who, NOW, **how).password

    def port(self, who: Account) -> int:
        """Where it comes in."""
        return self.plan.port if who.door is Door.GATEWAYS else self.plan.services_port

    def env(self, who: Account) -> dict[str, str]:
        """Its settings, as its `client.env` says them."""
        lines = (self.folder.client(who.name) / "client.env").read_text().splitlines()
        return dict(line.split("=", 1) for line in lines)

    def trust(self, who: Account | None) -> ssl.SSLContext:
        """The authority, and the client's certificate if it is to show one."""
        context = ssl.create_default_context(cafile=self.folder.ca / "ca.pem")
        if who is not None:
            home = self.folder.client(who.name)
            context.load_cert_chain(home / "client.pem", home / "client.key")
        return context

    def client(self, who: Account, **options: Any) -> "Guest":
        """A client with everything it was given."""
        return Guest(port=self.port(who), user=who.name, password=self.passwords[who.name],
                     tls=self.trust(who), **options)


@dataclass
class Guest:
    """One MQTT client. `answer` is what the broker said to CONNECT, empty until it did."""

    port: int
    user: str = ""
    password: str = ""
    tls: ssl.SSLContext | None = None
    client_id: str = "guest"
    clean: bool = True
    protocol: int = mqtt.MQTTv311
    answer: str = ""
    lost: bool = False
    came: "queue.Queue[tuple[str, bytes]]" = field(default_factory=queue.Queue)
    acknowledged: list[tuple[int, str]] = field(default_factory=list)

    def connect(self) -> "Guest":
        """Connect and wait for the answer; OSError where there is none."""
        clean = {} if self.protocol == mqtt.MQTTv5 else {"clean_session": self.clean}
        self._mqtt = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self.client_id,
                                 protocol=self.protocol, reconnect_on_failure=False, **clean)
        if self.user:
            self._mqtt.username_pw_set(self.user, self.password)
        if self.tls:
            self._mqtt.tls_set_context(self.tls)
        self._mqtt.on_connect = lambda c, d, f, reason, p: setattr(self, "answer", str(reason))
        self._mqtt.on_message = lambda c, d, m: self.came.put((m.topic, m.payload))
        self._mqtt.on_publish = lambda c, d, mid, reason, p: self.acknowledged.append(
            (mid, str(reason)))
        self._mqtt.on_subscribe = lambda c, d, mid, reasons, p: self.acknowledged.append(
            (mid, str(reasons[0])))
        self._mqtt.connect("localhost", self.port)
        self.turn_until(lambda: bool(self.answer))
        return self

    def turn_until(self, happened: Any) -> None:
        """Serve the connection until it happened or the connection is gone."""
        deadline = time.monotonic() + WAIT_S
        while not happened() and not self.lost:
            assert time.monotonic() < deadline, "the broker did not answer"
            self.lost = self._mqtt.loop(0.05) != MQTTErrorCode.MQTT_ERR_SUCCESS

    def publish(self, topic: str, payload: bytes = b"[]", retain: bool = False) -> str:
        """At QoS 1; what the broker answered, empty where it closed the connection instead."""
        return self._answer(self._mqtt.publish(topic, payload, qos=1, retain=retain).mid)

    def subscribe(self, topic: str) -> str:
        """At QoS 1; what the broker answered."""
        mid = self._mqtt.subscribe(topic, 1)[1]
        assert mid is not None
        return self._answer(mid)

    def _answer(self, mid: int) -> str:
        self.turn_until(lambda: any(mid == each for each, _ in self.acknowledged))
        return next((reason for each, reason in self.acknowledged if each == mid), "")

    def heard_until(self, topic: str) -> list[str]:
        """Topics of what came, up to and with the first on `topic`."""
        topics: list[str] = []
        while topic not in topics:
            self.turn_until(lambda: not self.came.empty())
            assert not self.lost, f"the broker hung up; came so far: {topics}"
            topics.append(self.came.get()[0])
        return topics

    def close(self) -> None:
        """Say goodbye."""
        self._mqtt.disconnect()
        self._mqtt.loop(0.05)


EVERYONE = (OWN, OTHER, ELSEWHERE, INGEST, OPERATOR)

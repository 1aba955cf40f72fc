"""All simulated devices of a site, served until stopped."""

import asyncio
import logging
import socket
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from seatwatt.simulators.devices import nut, snmp, talkers
from seatwatt.simulators.devices.modbus import ModbusLine
from seatwatt.simulators.devices.plan import Part, gateway_config, planned
from seatwatt.simulators.devices.talkers import Published
from seatwatt.simulators.devices.truth import Truth
from seatwatt.simulators.publisher import BrokerError, Publisher

LOG = logging.getLogger("seatwatt.simulators")
UPS_EVERY_S = 2.0
LOOPBACK = "127.0.0.1"


def free_port() -> int:
    """A loopback port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind((LOOPBACK, 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True, kw_only=True)
class Site:
    """Servers and publishers of one site; `folder` holds what upsd and snmpd need.

    `seats_every_s` is the pace of plugs and motion sensors, on whole multiples of it. A gateway
    finds the servers at `host`; unless that is this machine alone they listen on all addresses.
    """

    truth: Truth
    folder: Path
    publisher: Publisher
    seats_every_s: int = 10
    host: str = LOOPBACK
    ports: Callable[[], int] = free_port
    parts: list[Part] = field(default_factory=list)
    _lines: list[ModbusLine] = field(default_factory=list)
    _nut: nut.NutServer | None = None
    _agents: dict[str, snmp.SnmpAgent] = field(default_factory=dict)

    def config(self, zone: str, broker: tuple[str, int]) -> str:
        """The gateway's configuration for these devices."""
        server = nut.NutServer(folder=self.folder, port=0, upses=())
        agent = snmp.SnmpAgent(folder=self.folder, port=0)
        return gateway_config(self.truth.world.site, zone, self.parts, broker, {
            "nut_user": server.user, "nut_password": server.password,
            "community": agent.community}, self.host)

    @property
    def _listen(self) -> str:
        return LOOPBACK if self.host == LOOPBACK else "0.0.0.0"

    async def start(self) -> None:
        """Start every server. OSError when a port is taken, SettingsError when a program is
        missing; then `stop` ends what was started."""
        self.folder.mkdir(parents=True, exist_ok=True)
        self.parts = planned(self.truth, self.ports)
        lines: dict[int, list[Part]] = {}
        for part in self.parts:
            if part.driver == "modbus":
                lines.setdefault(part.port, []).append(part)
        for port, parts in lines.items():
            units = {part.unit: (part.model, partial(self.truth.meter, part.device))
                     for part in parts}
            self._lines.append(ModbusLine(port, units, parts[0].framing, self._listen))
            await self._lines[-1].start()
        self._start_upses()

    def _start_upses(self) -> None:
        by_nut = [part for part in self.parts if part.driver == "nut"]
        if by_nut:
            self._nut = nut.NutServer(folder=self.folder / "nut", port=by_nut[0].port,
                                      listen=self._listen,
                                      upses=tuple(part.name for part in by_nut))
            self._nut.folder.mkdir(exist_ok=True)
        for part in self.parts:
            if part.driver == "snmp":
                folder = self.folder / f"snmp-{part.name}"
                folder.mkdir(exist_ok=True)
                self._agents[part.name] = snmp.SnmpAgent(folder=folder, port=part.port,
                                                          listen=self._listen)
        self.tell_upses()
        if self._nut is not None:
            self._nut.start()
        for agent in self._agents.values():
            agent.start()

    def tell_upses(self) -> None:
        """Let every UPS show what it would show now."""
        for part in self.parts:
            if part.driver == "nut" and self._nut is not None:
                self._nut.tell(part.name, nut.variables(self.truth.ups(part.device)))
            elif part.driver == "snmp":
                self._agents[part.name].tell(snmp.objects(self.truth.ups(part.device)))

    def messages(self) -> list[Published]:
        """What plugs and motion sensors publish at this instant."""
        now = self.truth.at(self.truth.clock())
        return [one for part in self.parts if (one := _message(part, now)) is not None]

    async def run(self) -> None:
        """Publish at the pace and keep the UPSs up to date, until cancelled."""
        await asyncio.gather(self._publish(), self._keep_upses())

    async def _publish(self) -> None:
        every_ms = self.seats_every_s * 1000
        while True:
            await asyncio.sleep((every_ms - self.truth.clock() % every_ms) / 1000 + 0.001)
            messages = self.messages()
            try:
                await asyncio.to_thread(self._send, messages)
            except BrokerError as error:
                # Plugs outlive their broker; what they said meanwhile is gone, as it would be.
                LOG.warning("%s", error)

    def _send(self, messages: list[Published]) -> None:
        for topic, payload in messages:
            self.publisher.publish(topic, payload)
        self.publisher.drain()

    async def _keep_upses(self) -> None:
        while True:
            await asyncio.sleep(UPS_EVERY_S)
            self.tell_upses()

    async def stop(self) -> None:
        """Stop every server; programs first, for they would outlive us."""
        if self._nut is not None:
            self._nut.stop()
            self._nut = None
        for agent in self._agents.values():
            agent.stop()
        self._agents = {}
        for line in self._lines:
            await line.stop()
        self._lines = []


def _message(part: Part, truth: Truth) -> Published | None:
    at_ms, name = truth.clock(), part.name
    if part.driver == "motion":
        return talkers.zigbee_motion(name, truth.occupied(part.device), at_ms)
    if part.driver not in ("tasmota", "shelly", "zigbee2mqtt"):
        return None
    now = truth.meter(part.device)
    if part.driver == "tasmota":
        return talkers.tasmota(name, now, at_ms, truth.world.site.time_zone)
    if part.driver == "shelly":
        return talkers.shelly(name, now, at_ms)
    return talkers.zigbee_plug(name, now, at_ms)

"""UPSs behind the real upsd (dummy-ups) and the real snmpd: values, changes, refusals."""

import asyncio
import ssl
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import trustme

from seatwatt.gateway.config import NutSource, SnmpSource
from seatwatt.gateway.drivers.nut import NutUps
from seatwatt.gateway.drivers.nut_client import quoted, tokens
from seatwatt.gateway.drivers.snmp import SnmpUps
from seatwatt.gateway.drivers.ups import Judge
from seatwatt.gateway.ports import Fault, GatewayDeviceError
from seatwatt.simulators.devices.nut import NutServer, variables
from seatwatt.simulators.devices.snmp import SnmpAgent, objects
from tests.servers import free_port, program
from tests.services.gateway_kit import (
    ON_BATTERY,
    ONLINE,
    T0,
    UPS,
    details,
    eventually,
    named,
)

Values = dict[str, float | str]


@pytest.fixture(scope="module")
def upsd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NutServer]:
    program("upsd")
    server = NutServer(folder=tmp_path_factory.mktemp("nut"), port=free_port(),
                       upses=("main", "dying"))
    for ups in server.upses:
        server.tell(ups, variables(ONLINE))
    server.start()
    yield server
    server.stop()


def nut(server_port: int, faults: list[Fault] | None = None, timeout_s: float = 3.0, **more: Any
        ) -> NutUps:
    source = NutSource(**({"host": "127.0.0.1", "port": server_port, "ups": "main"} | more))
    return NutUps(device=UPS, source=source, every_s=10, timeout_s=timeout_s,
                  judge=Judge(UPS, lambda: T0, (faults if faults is not None else []).append))


async def poll_nut(one: NutUps) -> Values:
    return named(await one.poll(T0))


def online(values: Values) -> bool:
    return values.get("status") == "OL CHRG"


async def refused(poll: Callable[[int], Awaitable[object]]) -> str:
    with pytest.raises(GatewayDeviceError) as caught:
        await poll(T0)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_ups_and_its_change_to_battery_over_one_connection(upsd: NutServer) -> None:
    async def watch() -> tuple[Values, Values]:
        one = nut(upsd.port, user=upsd.user, password=upsd.password)
        before = await eventually(lambda: poll_nut(one), online)
        upsd.tell("main", variables(ON_BATTERY))
        after = await eventually(lambda: poll_nut(one), lambda v: v.get("on_battery") == 1.0)
        await one.close()
        upsd.tell("main", variables(ONLINE))
        return before, after

    before, after = asyncio.run(watch())
    assert before == {
        "status": "OL CHRG", "on_battery": 0.0, "low_battery": 0.0, "replace_battery": 0.0,
        "overload": 0.0, "bypass": 0.0, "load": 42.0, "battery_charge": 93.0,
        "battery_runtime": 3000.0, "battery_voltage": 53.5, "input_voltage": 230.0,
        "input_frequency": 50.0, "output_voltage": 230.0, "power": 1200.0, "temperature": 31.5}
    assert (after["status"], after["low_battery"]) == ("OB DISCHRG LB", 1.0)
    assert (after["input_voltage"], after["input_frequency"]) == (0.0, 0.0)


@pytest.mark.parametrize(("more", "says"), [
    ({"user": "monitor", "password": "wrong"}, "refuses this user, password or address"),
    ({"ups": "nobody"}, "does not know this UPS (nobody)"),
    ({"tls": True}, "has TLS not set up"),
    ({"port": 1}, "cannot connect to upsd at 127.0.0.1:1: Connection refused"),
    ({"host": "no-such-host.invalid"}, "cannot connect to upsd at no-such-host.invalid"),
])
def test_what_refuses_us_is_one_line_with_the_upss_name(
        upsd: NutServer, more: dict[str, Any], says: str) -> None:
    text = asyncio.run(refused(nut(upsd.port, **more).poll))
    assert text.startswith("ups/plant/main: ")
    assert says in text


def test_a_ups_whose_driver_died_gives_no_data_and_not_the_last(upsd: NutServer) -> None:
    async def watch() -> str:
        one = nut(upsd.port, ups="dying")
        await eventually(lambda: poll_nut(one), online)
        upsd.stop_driver("dying")
        async with asyncio.timeout(30):
            while True:
                try:
                    await one.poll(T0)
                except GatewayDeviceError as error:
                    return error.detail
                await asyncio.sleep(0.2)

    text = asyncio.run(watch())
    assert "no driver running" in text or "no fresh data" in text


def certificates(folder: Path) -> Path:
    """A certificate store of NSS with a key of the server's own; the certificate as PEM."""
    certutil = program("certutil")  # Debian: libnss3-tools
    (folder / "noise").write_bytes(bytes(range(256)) * 8)
    (folder / "no-password").write_text("")
    store = ["-d", str(folder), "-f", str(folder / "no-password")]
    subprocess.run([certutil, "-N", *store], check=True, capture_output=True)
    subprocess.run([certutil, "-S", *store, "-n", "upsd", "-s", "CN=localhost", "-x", "-t", "CTu,,",
                    "-8", "localhost", "-z", str(folder / "noise"), "-v", "12"],
                   check=True, capture_output=True)
    pem = subprocess.run([certutil, "-L", "-d", str(folder), "-n", "upsd", "-a"], check=True,
                         capture_output=True).stdout
    (folder / "ca.pem").write_bytes(pem)
    return folder / "ca.pem"


def test_the_real_upsd_over_tls(tmp_path: Path) -> None:
    program("upsd")
    ca_file = certificates(tmp_path)
    server = NutServer(folder=tmp_path, port=free_port(), upses=("main",),
                       extra=f'CERTPATH "{tmp_path}"\nCERTIDENT "upsd" ""\nDISABLE_WEAK_SSL true')
    server.tell("main", variables(ONLINE))
    server.start()

    async def watch() -> Values:
        one = nut(server.port, host="localhost", tls=True, ca_file=str(ca_file), user=server.user,
                  password=server.password)
        values = await eventually(lambda: poll_nut(one), online)
        await one.close()
        return values

    try:
        assert asyncio.run(watch())["battery_charge"] == 93.0
    finally:
        server.stop()


class Talk(asyncio.Protocol):
    """A small upsd with TLS, whose certificate and whose garbage the test decides."""

    def __init__(self, answers: dict[str, str], context: ssl.SSLContext | None) -> None:
        self._answers, self._context = answers, context
        self._securing, self._held = False, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport: Any = transport

    def data_received(self, data: bytes) -> None:
        if self._securing:
            self._held += data
            return
        for line in data.decode().splitlines():
            self._transport.write(self._answers.get(line, "ERR UNKNOWN-COMMAND\n").encode())
            if line == "STARTTLS" and self._context is not None:
                self._securing = True
                self._task = asyncio.ensure_future(self._secure())

    async def _secure(self) -> None:
        loop = asyncio.get_running_loop()
        self._transport = await loop.start_tls(self._transport, self, self._context,
                                               server_side=True)
        self._securing = False
        self.data_received(self._held)


async def with_talk(answers: dict[str, str], context: ssl.SSLContext | None,
                    use: Callable[[int], Awaitable[Any]]) -> Any:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Talk(answers, context), "127.0.0.1", 0)
    try:
        return await use(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        await asyncio.sleep(0.02)


ANSWERS = {
    "STARTTLS": "OK STARTTLS\n", "USERNAME monitor": "OK\n", "PASSWORD p": "OK\n",
    "LOGIN main": "OK\n",
    "LIST VAR main": 'BEGIN LIST VAR main\nVAR main ups.status "OL"\n'
                     'VAR main ups.model "A \\"B\\" \\\\ C"\nEND LIST VAR main\n'}


@pytest.mark.parametrize("checked", [True, False])
def test_the_password_goes_over_tls(tmp_path: Path, checked: bool) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    async def use(port: int) -> Values:
        one = nut(port, user="monitor", password="p", tls=True,
                  ca_file=str(tmp_path / "ca.pem") if checked else "")
        values = await poll_nut(one)
        await one.close()
        return values

    assert asyncio.run(with_talk(ANSWERS, context, use))["status"] == "OL"


def test_a_certificate_of_somebody_else_is_refused(tmp_path: Path) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("127.0.0.1").configure_cert(context)
    trustme.CA().cert_pem.write_to_path(str(tmp_path / "ca.pem"))

    async def use(port: int) -> str:
        return await refused(nut(port, tls=True, ca_file=str(tmp_path / "ca.pem")).poll)

    assert "TLS failed: CERTIFICATE_VERIFY_FAILED" in asyncio.run(
        with_talk(ANSWERS, context, use))


@pytest.mark.parametrize(("answer", "says"), [
    ("ERR DATA-STALE\n", "has no fresh data"),
    ("ERR SOMETHING-NEW\n", "answers ERR SOMETHING-NEW"),
    ("HTTP/1.1 400 Bad Request\n", "garbage: 'HTTP/1.1 400 Bad Request'"),
    ("BEGIN LIST VAR main\nVAR other x y\n", "garbage: 'VAR other x y'"),
    ("\x00" * 70_000, "garbage: a line without an end"),
    ("BEGIN LIST VAR main\n", "does not answer within 0.5 s"),
])
def test_garbage_and_silence_are_one_line(answer: str, says: str) -> None:
    async def use(port: int) -> str:
        return await refused(nut(port, timeout_s=0.5).poll)

    assert says in asyncio.run(with_talk({"LIST VAR main": answer}, None, use))


def test_a_ups_that_shuts_down_is_not_made_to_wait_for_us() -> None:
    async def use(port: int) -> list[str]:
        one = nut(port, user="monitor", password="p")
        first = await poll_nut(one)
        assert one._connection is None
        return [str(first["status"]), str((await poll_nut(one))["status"])]

    answers = ANSWERS | {"LIST VAR main": 'BEGIN LIST VAR main\nVAR main ups.status "FSD OB"\n'
                                          "END LIST VAR main\n"}
    assert asyncio.run(with_talk(answers, None, use)) == ["FSD OB", "FSD OB"]


@pytest.mark.parametrize("word", ["plain", 'with "quotes"', "back\\slash", "a b"])
def test_words_are_quoted_as_upsd_reads_them(word: str) -> None:
    assert tokens(f"PASSWORD {quoted(word)}") == ["PASSWORD", word]


def test_a_problem_is_told_when_it_begins_and_not_at_every_poll() -> None:
    faults: list[Fault] = []
    judge = Judge(UPS, lambda: T0, faults.append)
    for load in ("660", "660", "42", "520"):
        judge.samples({"ups.status": "OL", "ups.load": load})
    assert [text.split()[1] for text in details(faults)] == ["660", "520"]


@pytest.fixture(scope="module")
def snmpd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SnmpAgent]:
    program("snmpd")
    agent = SnmpAgent(folder=tmp_path_factory.mktemp("snmp"), port=free_port())
    agent.tell(objects(ONLINE))
    agent.start()
    yield agent
    agent.stop()


V3: dict[str, Any] = {"user": "monitor", "auth": "sha256", "auth_password": "auth-pass-phrase",
                      "privacy": "aes", "privacy_password": "privacy-pass-phrase"}


def snmp(agent: SnmpAgent, timeout_s: float = 2.0, **more: Any) -> SnmpUps:
    source = SnmpSource(**({"host": "127.0.0.1", "port": agent.port} | more))
    return SnmpUps(device=UPS, source=source, every_s=10, timeout_s=timeout_s,
                   judge=Judge(UPS, lambda: T0, [].append))


async def poll_snmp(one: SnmpUps) -> Values:
    return named(await one.poll(T0))


@pytest.mark.parametrize("enter", [{"community": "watch-only"}, V3], ids=["v2c", "v3"])
def test_a_ups_by_snmp(snmpd: SnmpAgent, enter: dict[str, Any]) -> None:
    async def watch() -> tuple[Values, Values]:
        one = snmp(snmpd, **enter)
        snmpd.tell(objects(ONLINE))
        before = await eventually(lambda: poll_snmp(one), lambda v: v.get("status") == "OL")
        snmpd.tell(objects(ON_BATTERY))
        after = await poll_snmp(one)
        await one.close()
        return before, after

    before, after = asyncio.run(watch())
    assert before == {
        "status": "OL", "on_battery": 0.0, "low_battery": 0.0, "replace_battery": 0.0,
        "overload": 0.0, "bypass": 0.0, "load": 42.0, "battery_charge": 93.0,
        "battery_runtime": 3000.0, "battery_voltage": 53.5, "input_voltage": 230.0,
        "input_frequency": 50.0, "output_voltage": 230.0, "power": 1200.0, "temperature": 31.0}
    assert after["status"] == "OB DISCHRG LB ALARM"
    assert (after["on_battery"], after["low_battery"]) == (1.0, 1.0)


def test_while_the_snmp_library_warms_up_other_devices_are_served(snmpd: SnmpAgent) -> None:
    turns = 0

    async def others(one: SnmpUps) -> None:
        nonlocal turns
        while one._engine is None:
            turns += 1
            await asyncio.sleep(0)

    async def both() -> None:
        one = snmp(snmpd, community="watch-only")
        try:
            await asyncio.gather(one.poll(T0), others(one))
        finally:
            await one.close()

    asyncio.run(both())
    assert turns > 10


@pytest.mark.parametrize(("enter", "says"), [
    ({"community": "wrong"}, "does not answer within 0.3 s; wrong host, or it refuses"),
    (V3 | {"auth_password": "not-the-phrase"}, "wrong SNMP PDU digest"),
    (V3 | {"user": "nobody"}, "unknown USM user"),
    ({"community": "watch-only", "host": "no-such-host.invalid"}, "no-such-host.invalid"),
])
def test_what_the_agent_refuses(snmpd: SnmpAgent, enter: dict[str, Any], says: str) -> None:
    async def ask() -> str:
        one = snmp(snmpd, timeout_s=0.3, **enter)
        try:
            return await refused(one.poll)
        finally:
            await one.close()

    text = asyncio.run(ask())
    assert text.startswith("ups/plant/main: SNMP agent at ")
    assert says in text


def test_an_agent_without_the_ups_mib(snmpd: SnmpAgent) -> None:
    async def ask() -> str:
        snmpd.tell({})
        one = snmp(snmpd, community="watch-only")
        try:
            return await refused(one.poll)
        finally:
            await one.close()
            snmpd.tell(objects(ONLINE))

    assert "knows nothing of the UPS-MIB" in asyncio.run(ask())

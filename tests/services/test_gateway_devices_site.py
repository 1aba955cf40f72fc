"""A whole simulated site behind real servers and a real broker, read by the gateway's drivers."""

import asyncio
import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwatt.contract.devices import Device
from seatwatt.gateway.check import CheckRow, check
from seatwatt.gateway.config import Broker, GatewayConfig, UplinkSource
from seatwatt.gateway.config_file import load_gateway
from seatwatt.gateway.drivers.uplink import Uplink
from seatwatt.gateway.opening import open_devices
from seatwatt.gateway.ports import Fault, Sample
from seatwatt.settings import BrokerSettings
from seatwatt.simulators.devices.serving import Site
from seatwatt.simulators.devices.truth import Truth
from seatwatt.simulators.publisher import Publisher
from tests.servers import Server, free_port, mosquitto, program
from tests.services.gateway_kit import T0, Clock, eventually, named, truth

NOON = 1_791_270_000_000  # 2026-10-06 12:00 in Karachi: everybody works


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    server = mosquitto(tmp_path_factory.mktemp("mosquitto"))
    server.start()
    yield server
    server.stop()


@contextlib.asynccontextmanager
async def site_at(broker: Server, folder: Path, clock: Clock):  # type: ignore[no-untyped-def]
    """The site's servers and the gateway's configuration for them."""
    for name in ("upsd", "snmpd"):
        program(name)
    settings = BrokerSettings(mqtt_host="127.0.0.1", mqtt_port=broker.port)
    with Publisher(settings) as publisher:
        site = Site(truth=truth(folder, clock), folder=folder / "devices", publisher=publisher)
        try:
            await site.start()
            path = folder / "gateway.yaml"
            path.write_text(site.config("plant", ("127.0.0.1", broker.port)))
            yield site, load_gateway(path)
        finally:
            await site.stop()


def own(broker: Server) -> Broker:
    return Broker(host="127.0.0.1", port=broker.port)


async def checked(site: Site, config: GatewayConfig, broker: Server, clock: Clock
                  ) -> list[CheckRow]:
    """The check, while the site's plugs and sensors publish twice."""
    task = asyncio.ensure_future(check(config, own(broker), clock, listen_s=3.0))
    for _ in range(2):
        await asyncio.sleep(1.0)
        await asyncio.to_thread(site._send, site.messages())
    return await task


def test_every_device_of_a_site_is_read_and_shows_the_truth(
        broker: Server, tmp_path: Path) -> None:
    clock = Clock(NOON)

    async def read() -> tuple[list[CheckRow], Site, GatewayConfig]:
        async with site_at(broker, tmp_path, clock) as (site, config):
            await eventually(lambda: poll_ups(config), lambda ok: ok)
            return await checked(site, config, broker, clock), site, config

    rows, site, config = asyncio.run(read())
    assert [row for row in rows if row.problem] == []
    assert config.problems == ()
    told = {(row.device, row.quantity): row.value for row in rows}
    world = site.truth
    drivers = set()
    for part in site.parts:
        drivers.add(part.driver)
        if part.resolution_wh:
            name = "energy" if part.device.kind == "seat" else "energy_import"
            energy = world.meter(part.device).import_wh
            assert float(told[part.device, name]) == pytest.approx(
                energy, abs=part.resolution_wh), part
        if part.driver == "motion":
            assert told[part.device, "occupied"] == f"{world.occupied(part.device):d}"
    assert drivers == {"modbus", "tasmota", "shelly", "zigbee2mqtt", "motion", "nut", "snmp"}
    assert told[Device("ups", "plant", "two"), "status"] in ("OL", "OL CHRG", "OB DISCHRG ALARM")
    assert told[Device("uplink", "plant", "broker"), "up"] == "1"


async def poll_ups(config: GatewayConfig) -> bool:
    """Whether upsd has heard from its drivers."""
    opened = open_devices(config, Broker(host="127.0.0.1"), lambda: NOON, [].append, [].append)
    drivers = [one for one in opened.drivers if one.devices[0].kind == "ups"]
    states = []
    for one in drivers:
        states.append(named(list(await one.poll(NOON))).get("status"))
        await one.close()
    return all(state and state != "WAIT" for state in states)


def test_a_wrong_device_is_a_row_and_the_others_are_read(broker: Server, tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text(
        "gateway: gw-1\nsite: s\nzone: plant\ntime_zone: Asia/Karachi\ndevices:\n"
        f"  - {{device: uplink/plant/ok, driver: uplink, targets: ['127.0.0.1:{broker.port}']}}\n"
        f"  - {{device: meter/a/dead, driver: modbus, model: sdm120, host: 127.0.0.1, "
        f"port: {free_port()}, timeout_s: 0.5}}\n"
        "  - {device: meter/a/odd, driver: modbus, model: sdm999, host: h}\n"
        "  - {device: seat/a/001, driver: shelly, topic: nobody}\n")
    rows = asyncio.run(check(load_gateway(path), own(broker), lambda: T0, listen_s=0.3))
    assert [(str(row.device), row.quantity or row.problem.split(":")[0]) for row in rows] == [
        ("uplink/plant/ok", "up"), ("uplink/plant/ok", "loss"), ("uplink/plant/ok", "latency"),
        ("meter/a/dead", "cannot connect to 127.0.0.1"),
        ("seat/a/001", "nothing heard of it within 0.3 s"), ("meter/a/odd", str(path))]


def test_a_broker_that_is_away_is_told_with_the_gateways_name(tmp_path: Path) -> None:
    path = tmp_path / "gw.yaml"
    path.write_text("gateway: gw-1\nsite: s\nzone: plant\ntime_zone: Asia/Karachi\ndevices:\n"
                    "  - {device: seat/a/001, driver: shelly, topic: nobody}\n")
    away = Broker(host="127.0.0.1", port=free_port())
    rows = asyncio.run(check(load_gateway(path), away, lambda: T0, listen_s=0.5))
    assert (str(rows[0].device), rows[0].problem) == (
        "gateway/plant/gw-1", f"broker {away}: does not answer; trying again")


@pytest.mark.parametrize("password", ["right", "wrong"])
def test_a_broker_may_ask_for_a_password(tmp_path: Path, password: str) -> None:
    users = tmp_path / "users"
    subprocess.run([program("mosquitto_passwd"), "-b", "-c", str(users), "gateway", "right"],
                   check=True, capture_output=True)
    server = mosquitto(tmp_path / "broker", f"allow_anonymous false\npassword_file {users}")
    server.start()
    path = tmp_path / "gw.yaml"
    path.write_text("gateway: gw-1\nsite: s\nzone: plant\ntime_zone: Asia/Karachi\n"
                    f"listen: {{host: 127.0.0.1, port: {server.port}, user: gateway, "
                    f"password: {password}}}\n"
                    "devices:\n  - {device: seat/a/001, driver: shelly, topic: nobody}\n")
    try:
        rows = asyncio.run(check(load_gateway(path), Broker(host="none"), lambda: T0, listen_s=1.0))
    finally:
        server.stop()
    told = [row.problem for row in rows if row.device.kind == "gateway"]
    assert all(text.startswith(f"broker 127.0.0.1:{server.port}: ") for text in told)
    assert any("refuses us: Not authorized" in text for text in told) is (password == "wrong")


def test_a_dead_device_does_not_delay_the_others(broker: Server, tmp_path: Path) -> None:
    clock = Clock(NOON)

    async def race() -> tuple[float, int]:
        async with site_at(broker, tmp_path, clock) as (_, config):
            opened = open_devices(config, own(broker), clock, [].append, [].append)
            meters = [one for one in opened.drivers if one.devices[0].kind == "meter"]
            mute = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
            meters[0].line.address = type(meters[0].line.address)(  # type: ignore[attr-defined]
                "127.0.0.1", mute.sockets[0].getsockname()[1], "tcp")
            begun = time.monotonic()
            dead, *alive = [asyncio.ensure_future(one.poll(NOON)) for one in meters]
            samples = await asyncio.gather(*alive)
            took = time.monotonic() - begun
            assert not dead.done()
            await asyncio.gather(dead, return_exceptions=True)
            for one in opened.drivers:
                await one.close()
            mute.close()
            return took, len([one for row in samples for one in row])

    took_s, count = asyncio.run(race())
    assert count >= 20
    assert took_s < 3.0  # the dead one's own timeout


def test_the_listener_hears_again_after_the_broker_restarts(tmp_path: Path) -> None:
    server = mosquitto(tmp_path / "broker")
    server.start()
    clock = Clock(NOON)
    heard: list[Sample] = []
    faults: list[Fault] = []

    async def say(site: Site) -> None:
        settings = BrokerSettings(mqtt_host="127.0.0.1", mqtt_port=server.port)
        with Publisher(settings) as publisher:
            for topic, payload in site.messages():
                publisher.publish(topic, payload)
            publisher.drain()

    async def until(site: Site, count: int) -> None:
        async with asyncio.timeout(20):
            while len([s for s in heard if s.quantity.name == "energy"]) < count:
                clock.at_ms += 10_000
                await say(site)
                await asyncio.sleep(0.3)

    async def listen() -> None:
        async with site_at(server, tmp_path, clock) as (site, config):
            opened = open_devices(config, own(server), clock, heard.extend, faults.append)
            (listener,) = opened.listeners
            task = asyncio.ensure_future(listener.run(opened.sink, faults.append))
            await until(site, 9)
            await asyncio.to_thread(server.kill)
            await asyncio.to_thread(server.start)
            await until(site, len(heard) + 9)
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    try:
        asyncio.run(listen())
    finally:
        server.stop()
    assert any("connection lost" in fault.detail for fault in faults)


@pytest.mark.parametrize("open_port", [True, False])
def test_an_uplink_that_answers_or_refuses_is_up(broker: Server, open_port: bool) -> None:
    port = broker.port if open_port else free_port()
    one = uplink(("127.0.0.1", port))
    values = named(asyncio.run(poll(one)))
    assert (values["up"], values["loss"]) == (1.0, 0.0)
    assert 0 < float(values["latency"]) < 1000


def test_an_uplink_that_is_down_is_a_reading_too(broker: Server) -> None:
    down = named(asyncio.run(poll(uplink(("no-such-host.invalid", 443)))))
    assert down == {"up": 0.0, "loss": 100.0}
    half = named(asyncio.run(poll(uplink(("no-such-host.invalid", 443),
                                         ("127.0.0.1", broker.port)))))
    assert (half["up"], half["loss"]) == (1.0, 50.0)


def uplink(*targets: tuple[str, int]) -> Uplink:
    return Uplink(device=Device("uplink", "plant", "fibre"),
                  source=UplinkSource(targets=targets, tries=2), every_s=60, timeout_s=1.0,
                  clock=lambda: T0)


async def poll(one: Uplink) -> list[Sample]:
    samples = await one.poll(T0)
    await one.close()
    return samples


def test_a_truth_is_the_worlds(tmp_path: Path) -> None:
    clock = Clock(NOON)
    one: Truth = truth(tmp_path, clock)
    board = Device("meter", "hall-a", "board")
    before = one.meter(board).import_wh
    clock.at_ms += 3_600_000
    energy = one.world.energy(NOON, NOON + 3_600_000, 3600)[board, "energy_import"]
    assert one.meter(board).import_wh - before == pytest.approx(energy[0] / 1000, abs=1.0)

"""Meters over real Modbus servers: all models, both framings, dead units, refused gaps, garbage."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pymodbus.constants import ExcCodes
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from seatwatt.gateway.drivers.modbus import ModbusMeter
from seatwatt.gateway.drivers.modbus_line import Address, Line, Lines
from seatwatt.gateway.ports import Fault, GatewayDeviceError
from seatwatt.gateway.registers import Field, RegisterMap
from seatwatt.gateway.registers_file import load_map, models
from seatwatt.simulators.devices.modbus import ModbusLine
from tests.servers import free_port
from tests.services.gateway_kit import BOARD, METER, T0, details, named

HOUR = T0 // 3_600_000 * 3_600_000


def meter(line: Line, model: RegisterMap, unit: int = 1, faults: list[Fault] | None = None
          ) -> ModbusMeter:
    return ModbusMeter(device=BOARD, model=model, line=line, unit=unit, gauges_s=10,
                       registers_s=60, clock=lambda: T0,
                       report=(faults if faults is not None else []).append)


def line(port: int, framing: str = "tcp", timeout_s: float = 2.0) -> Line:
    return Lines().at(Address("127.0.0.1", port, framing), timeout_s)


@asynccontextmanager
async def serving(framing: str = "tcp") -> AsyncIterator[int]:
    """All models behind one port, units 1, 2 ... in the order of their names."""
    server = ModbusLine(free_port(), {number: (model, lambda: METER)
                                      for number, model in enumerate(models(), 1)}, framing)
    await server.start()
    try:
        yield server.port
    finally:
        await server.stop()


@pytest.mark.parametrize("framing", ["tcp", "rtu-over-tcp"])
def test_every_model_reads_what_its_server_shows(framing: str) -> None:
    async def read() -> dict[str, dict[str, float | str]]:
        async with serving(framing) as port:
            shared = line(port, framing)
            return {model: named(await meter(shared, load_map(model, Path()), unit).poll(HOUR))
                    for unit, model in enumerate(models(), 1)}

    for model, values in asyncio.run(read()).items():
        energy = 1_234_600.0 if model == "em340" else 1_234_567.0
        assert values["energy_import"] == pytest.approx(energy, abs=0.07), model
        assert values["energy_export"] == pytest.approx(42_000.0)
        assert values["power"] == pytest.approx(1500.0)
        assert values["voltage_l1"] == pytest.approx(230.1)
        assert values["frequency"] == 50.0


def test_registers_are_read_on_the_minute_only() -> None:
    async def read() -> tuple[set[str], set[str]]:
        async with serving() as port:
            one = meter(line(port), load_map("sdm630", Path()), 4)
            return (set(named(await one.poll(HOUR))), set(named(await one.poll(HOUR + 10_000))))

    on_minute, between = asyncio.run(read())
    assert on_minute - between == {"energy_import", "energy_export", "reactive_import"}
    assert "power" in between


@asynccontextmanager
async def custom(device: SimDevice | list[SimDevice]) -> AsyncIterator[int]:
    port = free_port()
    server = ModbusTcpServer(device, address=("127.0.0.1", port))
    await server.serve_forever(background=True)
    try:
        yield port
    finally:
        await server.shutdown()  # type: ignore[no-untyped-call]


def gapped(*addresses: int, gap_max: int = 50) -> RegisterMap:
    names = ("power", "frequency", "apparent_power", "voltage_l1")
    return RegisterMap(model="own", gap_max=gap_max, fields=tuple(
        Field(quantity=name, function=3, address=address, type="uint16")
        for name, address in zip(names, addresses, strict=False)))


def test_a_model_that_refuses_gaps_is_read_piece_by_piece_from_then_on() -> None:
    asked: list[tuple[int, int]] = []

    async def note(function: int, start: int, address: int, count: int, current: list[int],
                   written: object) -> ExcCodes | None:
        asked.append((address, count))
        return None

    async def read() -> list[dict[str, float | str]]:
        holes = [SimData(0, values=[40, 50], datatype=DataType.REGISTERS),
                 SimData(2, count=3, datatype=DataType.INVALID),
                 SimData(5, values=[60], datatype=DataType.REGISTERS)]
        faults: list[Fault] = []
        async with custom(SimDevice(1, holes, action=note)) as port:
            one = meter(line(port), gapped(0, 1, 5, 4), faults=faults)
            twice = [named(await one.poll(HOUR)) for _ in range(2)]
        assert len(faults) == 1
        assert "voltage_l1: " in faults[0].detail
        assert "illegal data address" in faults[0].detail
        return twice

    first, second = asyncio.run(read())
    assert first == second == {"power": 40.0, "frequency": 50.0, "apparent_power": 60.0}
    assert asked == [(0, 2), (5, 1), (0, 2), (5, 1)]


def test_a_block_that_is_refused_costs_that_block() -> None:
    faults: list[Fault] = []
    mixed = RegisterMap(model="own", fields=(
        Field(quantity="power", function=4, address=12, type="float32"),
        Field(quantity="frequency", function=3, address=70, type="float32")))

    async def read() -> dict[str, float | str]:
        async with serving() as port:
            return named(await meter(line(port), mixed, 3, faults).poll(HOUR))

    assert asyncio.run(read()) == {"power": 1500.0}
    assert [text.split(": ")[-1] for text in details(faults)] == ["illegal function"]


def test_values_that_no_meter_measures_are_faults_and_the_others_stand() -> None:
    faults: list[Fault] = []

    async def read() -> dict[str, float | str]:
        registers = SimData(0, values=[40, 5000], datatype=DataType.REGISTERS)
        async with custom(SimDevice(1, [registers])) as port:
            return named(await meter(line(port), gapped(0, 1), faults=faults).poll(HOUR))

    assert asyncio.run(read()) == {"power": 40.0}
    assert details(faults) == [
        "frequency: 5000 Hz is not believed; wrong model or word order?"]


def test_a_dead_port_and_a_wrong_host_are_one_line_with_the_devices_name() -> None:
    async def fail(host: str) -> str:
        one = meter(Lines().at(Address(host, free_port(), "tcp"), 1.0),
                    load_map("sdm120", Path()))
        with pytest.raises(GatewayDeviceError) as caught:
            await one.poll(HOUR)
        return str(caught.value)

    for host in ("127.0.0.1", "no-such-host.invalid"):
        text = asyncio.run(fail(host))
        assert text.startswith(f"meter/hall-a/board: cannot connect to {host}:")
        assert "\n" not in text


class Peer(asyncio.Protocol):
    """Answers every request with `words`, which are no Modbus, or with nothing."""

    def __init__(self, words: bytes) -> None:
        self._words = words

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self._words:
            self._transport.write(self._words)  # type: ignore[attr-defined]


@pytest.mark.parametrize("words", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b""])
@pytest.mark.parametrize("framing", ["tcp", "rtu-over-tcp"])
def test_a_device_that_answers_garbage_or_nothing(words: bytes, framing: str) -> None:
    async def fail() -> str:
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Peer(words), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        one = meter(line(port, framing, timeout_s=0.3), load_map("sdm120", Path()))
        with pytest.raises(GatewayDeviceError) as caught:
            await one.poll(HOUR)
        await one.close()
        server.close()
        await asyncio.sleep(0.01)
        return str(caught.value)

    text = asyncio.run(fail())
    assert text.startswith("meter/hall-a/board: ")
    assert "unit 1" in text
    assert "\n" not in text


def test_a_silent_unit_makes_its_neighbours_wait_ever_less_often() -> None:
    async def dawdle(*request: object) -> ExcCodes | None:
        await asyncio.sleep(1.0)
        return None

    async def poll() -> list[str]:
        cells = SimData(0, values=[40], datatype=DataType.REGISTERS)
        async with custom([SimDevice(1, [cells]), SimDevice(99, [cells], action=dawdle)]) as port:
            shared = line(port, timeout_s=0.4)
            good, dead = (meter(shared, gapped(0), unit) for unit in (1, 99))
            said = []
            for _ in range(4):
                assert named(await good.poll(HOUR)) == {"power": 40.0}
                with pytest.raises(GatewayDeviceError) as caught:
                    await dead.poll(HOUR)
                said.append(caught.value.detail)
            await good.close()
            await asyncio.sleep(1.1)
        return said

    said = asyncio.run(poll())
    assert all("unit 99" in text for text in said)
    assert ["asked less often" in text for text in said] == [False, False, True, True]


def test_a_meter_that_comes_back_is_read_again() -> None:
    async def poll() -> float | str:
        port = free_port()
        one = meter(line(port, timeout_s=0.5), load_map("sdm120", Path()))
        with pytest.raises(GatewayDeviceError):
            await one.poll(HOUR)
        server = ModbusLine(port, {1: ("sdm120", lambda: METER)})
        await server.start()
        assert named(await one.poll(HOUR))["power"] == 1500.0
        await server.stop()
        with pytest.raises(GatewayDeviceError):
            await one.poll(HOUR)
        await server.start()
        value = named(await one.poll(HOUR))["power"]
        await one.close()
        await server.stop()
        return value

    assert asyncio.run(poll()) == 1500.0

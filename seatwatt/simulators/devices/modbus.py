"""Modbus servers of simulated meters: one a meter, or one line with several units behind it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from pymodbus.constants import ExcCodes
from pymodbus.framer import FramerType
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

from seatwatt.simulators.devices.meters import MODELS, Model
from seatwatt.simulators.devices.truth import MeterNow

Now = Callable[[], MeterNow]


def unit(number: int, model: Model, now: Now) -> SimDevice:
    """A meter that fills its registers anew for every request."""
    low, words = model.image(now())

    async def refresh(function: int, start: int, address: int, count: int, current: list[int],
                      written: list[int] | list[bool] | None) -> ExcCodes | None:
        if function != model.function or written is not None:
            return ExcCodes.ILLEGAL_FUNCTION
        current[:] = model.image(now())[1]
        return None

    return SimDevice(number, [SimData(low, values=words, datatype=DataType.REGISTERS)],
                     action=refresh)


@dataclass(slots=True)
class ModbusLine:
    """A server; `units` maps the unit's number to its model and values."""

    port: int
    units: Mapping[int, tuple[str, Now]]
    framing: str = "tcp"
    listen: str = "127.0.0.1"
    _server: ModbusTcpServer | None = field(default=None)

    async def start(self) -> None:
        """Listen. OSError when the port is taken."""
        framer = FramerType.SOCKET if self.framing == "tcp" else FramerType.RTU
        devices = [unit(number, MODELS[model], now)
                   for number, (model, now) in self.units.items()]
        # A unit that is not there stays silent, as on a real line.
        self._server = ModbusTcpServer(devices, framer=framer, address=(self.listen, self.port),
                                       ignore_missing_devices=True)
        await self._server.serve_forever(background=True)

    async def stop(self) -> None:
        """Close the port and all connections."""
        if self._server is not None:
            await self._server.shutdown()  # type: ignore[no-untyped-call]
            self._server = None

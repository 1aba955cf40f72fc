"""One Modbus connection, shared by all devices behind it.

Many converters take one connection only and answer one request at a time, so requests stand in
a queue, and a device that does not answer is left out for a while rather than make others wait.
"""

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import dataclass, field

from pymodbus.client import AsyncModbusTcpClient
from pymodbus.exceptions import ModbusException
from pymodbus.framer import FramerType

FRAMINGS = {"tcp": FramerType.SOCKET, "rtu-over-tcp": FramerType.RTU}
ILLEGAL_ADDRESS = 2
REST_MAX_S = 30.0
EXCEPTIONS = {1: "illegal function", 2: "illegal data address", 3: "illegal data value",
              4: "device failure", 5: "acknowledge", 6: "device busy", 8: "memory parity error",
              10: "gateway path unavailable", 11: "gateway target does not respond"}

# The library tells every failed attempt on its own; we tell it once, with the device's name.
logging.getLogger("pymodbus.logging").setLevel(logging.CRITICAL)


class LineError(Exception):
    """No answer, or one that is none; `code` is the device's own exception, where it gave one."""

    def __init__(self, detail: str, code: int = 0) -> None:
        super().__init__(detail)
        self.code = code


@dataclass(frozen=True, slots=True)
class Address:
    """Where a line is."""

    host: str
    port: int
    framing: str

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(slots=True)
class Silence:
    """How often in a row a unit gave no answer, and until when it is left out."""

    failures: int = 0
    until_s: float = 0.0

    def count(self, now_s: float) -> None:
        """One more request without an answer: rest twice as long, from the second on."""
        self.failures += 1
        if self.failures > 1:
            self.until_s = now_s + min(2.0 ** self.failures, REST_MAX_S)


@dataclass(slots=True)
class Line:
    """A connection that is made when needed, and made anew after a failure."""

    address: Address
    timeout_s: float
    _client: AsyncModbusTcpClient | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    _silent: dict[int, Silence] = field(default_factory=dict)
    _units: set[int] = field(default_factory=set)

    async def read(self, unit: int, function: int, address: int, count: int) -> Sequence[int]:
        """`count` registers from `address` on; raises LineError."""
        self._units.add(unit)
        async with self._lock:
            self._check_rest(unit)
            try:
                words = await self._read(unit, function, address, count)
            except LineError as error:
                if not error.code:
                    self.close()
                    self._silent.setdefault(unit, Silence()).count(_now_s())
                raise
            self._silent.pop(unit, None)
            return words

    def _check_rest(self, unit: int) -> None:
        silence = self._silent.get(unit)
        if silence is not None and len(self._units) > 1 and _now_s() < silence.until_s:
            raise LineError(f"unit {unit} at {self.address} does not answer; it is asked less "
                            "often, so that the others on its line do not wait")

    async def _read(self, unit: int, function: int, address: int, count: int) -> Sequence[int]:
        client = await self._connected()
        ask = client.read_holding_registers if function == 3 else client.read_input_registers
        try:
            answer = await ask(address, count=count, device_id=unit)
        except (ModbusException, OSError) as error:
            raise LineError(f"no answer from {self.address} unit {unit}"
                            if "No response" in str(error) else
                            f"{self.address} unit {unit}: {_one_line(error)}") from None
        if answer.isError():
            code = int(getattr(answer, "exception_code", 0))
            raise LineError(f"{self.address} unit {unit} refused registers {address} to "
                            f"{address + count - 1}: {EXCEPTIONS.get(code, f'exception {code}')}",
                            code)
        if len(answer.registers) != count:
            raise LineError(f"{self.address} unit {unit} gave {len(answer.registers)} registers "
                            f"where {count} were asked for")
        return answer.registers

    async def _connected(self) -> AsyncModbusTcpClient:
        if self._client is None or not self._client.connected:
            self.close()
            client = AsyncModbusTcpClient(
                self.address.host, port=self.address.port, timeout=self.timeout_s, retries=0,
                framer=FRAMINGS[self.address.framing], reconnect_delay=0)
            self._client = client
            if not await client.connect():
                self.close()
                raise LineError(f"cannot connect to {self.address}")
        return self._client

    def close(self) -> None:
        """Let go of the connection."""
        if self._client is not None:
            self._client.close()
            self._client = None


def _now_s() -> float:
    return asyncio.get_running_loop().time()


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


class Lines:
    """Every line once."""

    def __init__(self) -> None:
        self._lines: dict[Address, Line] = {}

    def at(self, address: Address, timeout_s: float) -> Line:
        """The line at this address; the first who asks decides the timeout."""
        if address not in self._lines:
            self._lines[address] = Line(address, timeout_s)
        return self._lines[address]

"""An internet line, judged by how long TCP connections through it take, and how many fail.

A ping would need rights that a service should not have. A connection that is refused came through
all the same: the line is up, and the answer took its time.
"""

import asyncio
import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.gateway.config import UplinkSource
from seatwatt.gateway.ports import Clock, Sample

PAUSE_S = 0.05


@dataclass(slots=True, kw_only=True)
class Uplink:
    """One line. Down is a reading too: `up` 0 and `loss` 100."""

    device: Device
    source: UplinkSource
    every_s: int
    timeout_s: float
    clock: Clock

    @property
    def devices(self) -> Sequence[Device]:
        """The line itself."""
        return (self.device,)

    async def poll(self, at_ms: int) -> list[Sample]:
        """Every target several times; the targets side by side."""
        rows = await asyncio.gather(*(self._target(*one) for one in self.source.targets))
        tries = [took_ms for row in rows for took_ms in row]
        took = [took_ms for took_ms in tries if took_ms is not None]
        values = {"up": float(bool(took)),
                  "loss": round(100 * (len(tries) - len(took)) / len(tries), 3)}
        if took:
            values["latency"] = round(statistics.median(took), 3)
        now_ms = self.clock()
        return [Sample(self.device, quantity("uplink", name), now_ms, value)
                for name, value in values.items()]

    async def _target(self, host: str, port: int) -> list[float | None]:
        found = []
        for number in range(self.source.tries):
            await asyncio.sleep(PAUSE_S if number else 0)
            found.append(await self._connect(host, port))
        return found

    async def _connect(self, host: str, port: int) -> float | None:
        """Milliseconds that a connection took; None when none came about."""
        loop = asyncio.get_running_loop()
        begun_s = loop.time()
        try:
            async with asyncio.timeout(self.timeout_s):
                _, writer = await asyncio.open_connection(host, port)
        except ConnectionRefusedError:
            return (loop.time() - begun_s) * 1000
        except (OSError, TimeoutError):
            return None
        took_s = loop.time() - begun_s
        writer.transport.abort()
        return took_s * 1000

    async def close(self) -> None:
        """Nothing is held."""

"""A gateway over invented seats, for `seatwatt bench gateway`; and a day's outage on its disk.

`python -m seatwatt.cli._bench_seats SEATS` is the gateway's process: runtime, spool and publisher
are the real ones, only the devices' protocol is left out.
"""

import asyncio
import random
import signal
import sys
import time
from collections.abc import Iterator, Sequence

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.gateway.packs import Packer
from seatwatt.gateway.ports import Opened, Sample
from seatwatt.gateway.runtime import Clocks, Gateway
from seatwatt.gateway.spool import Spool
from seatwatt.settings import GatewaySettings

SITE = "bench"
OWN = Device("gateway", "hall-a", "gw")
GAUGES_S, REGISTERS_S, STATES_S = 10, 60, 300
_GAUGES = tuple(quantity("seat", name) for name in ("power", "voltage", "current"))
_ENERGY, _OCCUPIED = quantity("seat", "energy"), quantity("seat", "occupied")


class Seat:
    """Power, voltage and current every ten seconds, energy every minute, presence every five."""

    every_s = GAUGES_S

    def __init__(self, number: int) -> None:
        self.devices = [Device("seat", "hall-a", f"{number:03d}")]
        self._chance = random.Random(number)
        self._energy_wh = self._chance.uniform(0, 500_000)

    def samples(self, at_ms: int) -> list[Sample]:
        """What it shows at a planned time."""
        device, volts = self.devices[0], round(self._chance.gauss(225, 3), 1)
        watts = round(abs(self._chance.gauss(90, 40)), 1)
        self._energy_wh += watts * GAUGES_S / 3600
        gauges = (watts, volts, round(watts / volts, 3))
        made = [Sample(device, of, at_ms, value)
                for of, value in zip(_GAUGES, gauges, strict=True)]
        if at_ms % (REGISTERS_S * 1000) == 0:
            made.append(Sample(device, _ENERGY, at_ms, round(self._energy_wh, 1)))
        if at_ms % (STATES_S * 1000) == 0:
            made.append(Sample(device, _OCCUPIED, at_ms, float(watts > 60)))
        return made

    async def poll(self, at_ms: int) -> Sequence[Sample]:
        """As a driver does."""
        return self.samples(at_ms)

    async def close(self) -> None:
        """Nothing is open."""


def outage(spool: Spool, seats: int, hours: float, until_ms: int) -> Iterator[int]:
    """Spool what a gateway takes in so many hours before `until_ms`; gives the readings so far
    now and then."""
    every_ms, packer = GAUGES_S * 1000, Packer(SITE)
    makers = [Seat(number) for number in range(seats)]
    readings = 0
    start_ms = (until_ms - int(hours * 3_600_000)) // every_ms * every_ms
    for at_ms in range(start_ms, until_ms // every_ms * every_ms, every_ms):
        samples = [sample for seat in makers for sample in seat.samples(at_ms)]
        spool.commit(packer.drafts(samples))
        readings += len(samples)
        yield readings


def clocks() -> Clocks:
    """This machine's."""
    return Clocks(lambda: time.time_ns() // 1_000_000, lambda: time.monotonic_ns() // 1_000_000,
                  "bench")


async def _main(seats: int) -> None:
    gateway = Gateway(GatewaySettings.load(), SITE, OWN, clocks())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await gateway.run(Opened([Seat(number) for number in range(seats)], [], gateway.sink), stop)


if __name__ == "__main__":
    asyncio.run(_main(int(sys.argv[1])))

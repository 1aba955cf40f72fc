"""What the tests of the gateway's devices share: a world on a clock of its own, and waiting."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import date
from pathlib import Path
from typing import TypeVar

from seatwatt.contract.devices import Device
from seatwatt.contract.site import Site
from seatwatt.gateway.ports import Fault, GatewayDeviceError, Sample
from seatwatt.simulators.devices.truth import MeterNow, Truth, UpsNow
from seatwatt.simulators.world import World
from seatwatt.store.sitefiles import load_site

T = TypeVar("T")
BOARD = Device("meter", "hall-a", "board")
UPS = Device("ups", "plant", "main")
T0 = 1_790_000_100_000

METER = MeterNow(import_wh=1_234_567.0, export_wh=42_000.0, power_w=1500.0, voltage_v=230.1)
ONLINE = UpsNow(status="OL CHRG", charge_pct=93.0, load_pct=42.0, power_w=1200.0, runtime_s=3000,
                input_v=230.0)
ON_BATTERY = UpsNow(status="OB DISCHRG", charge_pct=15.0, load_pct=42.0, power_w=1200.0,
                    runtime_s=300, input_v=0.0)

SITE = """\
site: two-tenants
time_zone: Asia/Karachi
currency: PKR
zones:
  hall-a: {kind: hall, area_m2: 120, seats: 9}
  conf-1: {kind: conference, area_m2: 30}
  plant: {kind: plant}
meters:
  plant/grid: {source: grid, max_power_w: 50000}
  plant/main: {parent: supply, storage: true, max_power_w: 9000}
  plant/two: {parent: supply, storage: true, max_power_w: 5000}
  hall-a/board: {parent: plant/main, share: seats}
  conf-1/board: {parent: supply, share: seats}
seat_meters: {parent: "{zone}/board", max_power_w: 2300}
tenants: {alpha: {name: Alpha}}
leases: [{tenant: alpha, zones: [hall-a], from: 2026-01-01}]
"""


class Clock:
    """Milliseconds that stand still until they are set."""

    def __init__(self, at_ms: int) -> None:
        self.at_ms = at_ms

    def __call__(self) -> int:
        return self.at_ms


def site(folder: Path) -> Site:
    """A small site with every kind of device."""
    path = folder / "site.yaml"
    path.write_text(SITE)
    return load_site(path)


def truth(folder: Path, clock: Callable[[], int]) -> Truth:
    """Its world."""
    return Truth(World(site(folder), 7, date(2026, 10, 5)), clock)


def named(samples: list[Sample]) -> dict[str, float | str]:
    """Samples of one device by quantity."""
    return {sample.quantity.name: sample.value for sample in samples}


async def eventually(ask: Callable[[], Awaitable[T]], good: Callable[[T], bool],
                     within_s: float = 60.0) -> T:
    """Ask until the answer is good; failures of the device count as not yet."""
    async with asyncio.timeout(within_s):
        while True:
            try:
                if good(answer := await ask()):
                    return answer
            except GatewayDeviceError as error:
                last: object = error
            else:
                last = answer
            await asyncio.sleep(0.1)
            assert last is not None


def details(faults: list[Fault]) -> list[str]:
    """What was complained about."""
    return [fault.detail for fault in faults]

"""What each device of a world would show at this instant."""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from seatwatt.contract.devices import Device
from seatwatt.contract.leasetimes import local_date
from seatwatt.simulators.days import MINUTE_MS
from seatwatt.simulators.flow import BATTERY_MINUTES, DayFlow
from seatwatt.simulators.sampling import UPS_STATUS
from seatwatt.simulators.world import World

Clock = Callable[[], int]
MAINS_V, MAINS_HZ, BATTERY_V = 230.0, 50.0, 54.4


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterNow:
    """A meter or a plug: registers in watt-hours as the world counts them, unrounded."""

    import_wh: float
    export_wh: float = 0.0
    power_w: float = 0.0
    voltage_v: float = MAINS_V
    frequency_hz: float = MAINS_HZ


@dataclass(frozen=True, slots=True, kw_only=True)
class UpsNow:
    """A UPS: NUT's status words, and what its display shows."""

    status: str
    charge_pct: float
    load_pct: float
    power_w: float
    runtime_s: int
    input_v: float


class Truth:
    """Reads a world at `clock()`; every register is counted once an instant, for all devices."""

    def __init__(self, world: World, clock: Clock) -> None:
        self.world, self.clock = world, clock
        self._rows = {(r.device, r.quantity.name): i for i, r in enumerate(world.registers)}
        self._counted: tuple[int, list[int], list[int]] = (-1, [], [])

    def at(self, at_ms: int) -> "Truth":
        """The same world at one instant, so that all devices are read at it."""
        return Truth(self.world, lambda: at_ms)

    @property
    def meters(self) -> list[Device]:
        """Devices with a register of what they take in."""
        return [device for device, name in self._rows if name in ("energy", "energy_import")]

    @property
    def upses(self) -> list[Device]:
        """Devices with a battery."""
        return [Device("ups", node.device.zone, node.device.name)
                for node in self.world.layout.nodes if node.storage]

    def meter(self, device: Device) -> MeterNow:
        """A meter, or the plug of a seat."""
        now_ms, counts, before = self._counts()
        row = self._rows.get((device, "energy"), self._rows.get((device, "energy_import"), -1))
        back = self._rows.get((device, "energy_export"))
        gained = counts[row] - before[row]
        if back is not None:
            gained -= counts[back] - before[back]
        swing = math.sin(now_ms / 60_000.0)
        return MeterNow(import_wh=self._shown(row, counts[row]),
                        export_wh=0.0 if back is None else self._shown(back, counts[back]),
                        power_w=gained * 0.06, voltage_v=round(MAINS_V + 4 * swing, 1),
                        frequency_hz=round(MAINS_HZ + 0.1 * swing, 2))

    def _shown(self, row: int, counted: int) -> float:
        register = self.world.registers[row]
        return float(register.shown_wh(np.array([counted], dtype=np.int64))[0])

    def _counts(self) -> tuple[int, list[int], list[int]]:
        """Every register now and a minute ago."""
        now_ms = self.clock()
        if self._counted[0] != now_ms:
            before_ms = max(now_ms - MINUTE_MS, self.world.since_ms)
            both = self.world.counted(np.array([before_ms, now_ms], dtype=np.int64))
            self._counted = (now_ms, both[:, 1].tolist(), both[:, 0].tolist())
        return self._counted

    def occupied(self, device: Device) -> bool:
        """Whether somebody works at the seat, or is in the room."""
        flow, minute = self._now()
        layout = self.world.layout
        if device.kind == "seat":
            return bool(flow.worked[layout.seats.index((device.zone, device.name)), minute])
        rows = [row for row, room in enumerate(layout.rooms) if room.name == device.zone]
        return any(flow.people[row, minute] > 0 for row in rows)

    def ups(self, device: Device) -> UpsNow:
        """A UPS of the site."""
        flow, minute = self._now()
        nodes = self.world.layout.nodes
        row = next(i for i, node in enumerate(nodes) if node.storage
                   and (node.device.zone, node.device.name) == (device.zone, device.name))
        missing, through = int(flow.discharged[row, minute]), int(flow.nodes[row, minute])
        full = max(1, int(flow.nodes[row].max()) * BATTERY_MINUTES)
        dark = bool(flow.dark[minute])
        limit_w = nodes[row].max_power_w or 10_000.0
        charge = min(100.0, max(0.0, 100.0 - 100.0 * missing / full))
        return UpsNow(status=UPS_STATUS[2 if dark else int(missing > 0)],
                      charge_pct=round(charge, 1), power_w=round(through * 0.06, 1),
                      load_pct=round(min(150.0, through * 0.06 / limit_w * 100), 1),
                      runtime_s=max(60, round(charge / 100 * BATTERY_MINUTES * 60)),
                      input_v=0.0 if dark else MAINS_V)

    def _now(self) -> tuple[DayFlow, int]:
        now_ms = self.clock()
        flow = self.world.day(local_date(now_ms, self.world.site.time_zone))
        return flow, int((now_ms - flow.day.start_ms) // MINUTE_MS)

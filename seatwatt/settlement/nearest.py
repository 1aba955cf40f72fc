"""The nearest readings beyond the days that are read of a period."""

from collections.abc import Mapping

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.quantities import quantity
from seatwatt.settlement.readings import REGISTERS
from seatwatt.store.columns import with_neighbours
from seatwatt.store.ports import Column, Reader

Before = Mapping[str, Mapping[Device, tuple[int, float]]]
"""Name of a register quantity -> time and value of each device's last reading before."""


def readings_before(reader: Reader, site_id: str, at_ms: int) -> Before:
    """The last reading of every register before the time."""
    return {name: {device: _pair(column, 0) for device, column in reader.registers(
                       site_id, quantity(kind, name), at_ms, at_ms, 0).items()
                   if column.times_ms[0] < at_ms} for kind, name in REGISTERS}


def with_nearest(reader: Reader, site_id: str, whole: Mapping[tuple[Device, str], Column],
                 before: Before, high_ms: int, grid: IntervalGrid
                 ) -> dict[tuple[Device, str], Column]:
    """Where a register has nothing on the day before the period, its nearest reading before; where
    it has nothing after the period's end, its first from high_ms on. Registers that were only read
    before are there as well."""
    found: dict[tuple[Device, str], Column] = {}
    for kind, name in REGISTERS:
        inside = {device: column for (device, own), column in whole.items() if own == name}
        lacks = any(device not in inside or inside[device].times_ms[-1] < grid.end_ms
                    for device in inside.keys() | before[name].keys())
        after = {device: _pair(column, -1) for device, column in reader.registers(
            site_id, quantity(kind, name), high_ms, high_ms, 0).items()
            if column.times_ms[-1] >= high_ms} if lacks else {}
        found |= {(device, name): column for device, column in with_neighbours(
            inside, before[name], after, grid.start_ms, grid.end_ms).items()}
    return found


def _pair(column: Column, place: int) -> tuple[int, float]:
    return int(column.times_ms[place]), float(column.values[place])

"""What the devices of a simulated world report: registers and gauges at a pace, states on change.

Readings fall on whole multiples of the pace, so registers of one site are read at the same
instants, as load profiles of real meters are.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.quantities import Nature, quantity
from seatwatt.contract.readings import ReadingBatch, Series, SeriesBook
from seatwatt.contract.site import Site
from seatwatt.simulators.days import MINUTE_MS
from seatwatt.simulators.flow import BATTERY_MINUTES, DayFlow
from seatwatt.simulators.world import World

UPS_STATUS = ("OL", "OL CHRG", "OB DISCHRG")


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How often devices report, in seconds; states also on every change."""

    seat_s: int = 900
    node_s: int = 900
    state_s: int = 900
    seat_power: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """Readings as columns: index into the sampler's series, time, value."""

    series: NDArray[np.intp]
    times_ms: NDArray[np.int64]
    values: NDArray[np.float64]


class Sampler:
    """Reads a world as its devices would."""

    def __init__(self, world: World) -> None:
        self._world, self._book = world, SeriesBook()
        self._series: list[Series] = []
        self._index: dict[tuple[Device, str], int] = {}

    @property
    def site(self) -> Site:
        """The site that is simulated."""
        return self._world.site

    def readings(self, start_ms: int, end_ms: int, pace: Pace) -> ReadingBatch:
        """All readings taken in [start_ms, end_ms), rising in time."""
        parts = self._registers(start_ms, end_ms, pace)
        for flow in self._days(start_ms, end_ms):
            parts += self._states(flow, pace)
            parts += self._powers(flow, pace)
        return self._merge(parts, start_ms, end_ms)

    def _days(self, start_ms: int, end_ms: int) -> list[DayFlow]:
        flows, at_ms, zone = [], start_ms, self._world.site.time_zone
        while at_ms < end_ms:
            flows.append(self._world.day(local_date(at_ms, zone)))
            at_ms = flows[-1].day.end_ms
        return flows

    def _registers(self, start_ms: int, end_ms: int, pace: Pace) -> list[Columns]:
        parts = []
        registers = self._world.registers
        for seats, step_s in ((True, pace.seat_s), (False, pace.node_s)):
            rows = [i for i, r in enumerate(registers) if (r.device.kind == "seat") == seats]
            times = multiples(start_ms, end_ms, step_s)
            if not rows or not len(times):
                continue
            counted = self._world.counted(times)
            parts += [self._column(registers[i].device, registers[i].quantity.name, times,
                                   registers[i].shown_wh(counted[i])) for i in rows]
        return parts

    def _states(self, flow: DayFlow, pace: Pace) -> list[Columns]:
        layout, parts = self._world.layout, []
        for row, (zone, seat) in enumerate(layout.seats):
            parts.append(self._changing(flow, Device("seat", zone, seat), "occupied",
                                        flow.worked[row], pace.state_s))
        for row, room in enumerate(layout.rooms):
            device = Device("room", room.name, "presence")
            for name, values in (("people", flow.people[row]), ("occupied", flow.people[row] > 0)):
                parts.append(self._changing(flow, device, name, values, pace.state_s))
        for row, node in enumerate(layout.nodes):
            if node.storage:
                device = Device("ups", node.device.zone, node.device.name)
                parts += self._ups(flow, device, row, pace)
        return parts

    def _ups(self, flow: DayFlow, device: Device, row: int, pace: Pace) -> list[Columns]:
        missing = flow.discharged[row]
        full = max(1, int(flow.nodes[row].max()) * BATTERY_MINUTES)
        charge = np.clip(100.0 - 100.0 * missing / full, 0, 100).round(1)
        status = np.where(flow.dark, 2, np.where(missing > 0, 1, 0))
        limit_w = self._world.layout.nodes[row].max_power_w or 10_000.0
        load = np.clip(flow.nodes[row] * 0.06 / limit_w * 100, 0, 500).round(1)
        times = multiples(flow.day.start_ms, flow.day.end_ms, pace.node_s)
        minute = (times - flow.day.start_ms) // MINUTE_MS
        return [self._changing(flow, device, "status", status, pace.state_s),
                self._changing(flow, device, "on_battery", flow.dark, pace.state_s),
                self._column(device, "battery_charge", times, charge[minute]),
                self._column(device, "load", times, load[minute])]

    def _powers(self, flow: DayFlow, pace: Pace) -> list[Columns]:
        """Power of the running minute: every meter's, and every seat's where asked for."""
        layout = self._world.layout
        rows = [(node.device, flow.nodes[i]) for i, node in enumerate(layout.nodes)
                if node.metered and node.device.kind == "meter"]
        rows += [(node.device, flow.sources[i] - flow.exports[i])
                 for i, node in enumerate(layout.sources)]
        parts = [self._power(flow, device, row, pace.node_s) for device, row in rows]
        if pace.seat_power:
            parts += [self._power(flow, Device("seat", zone, seat), flow.seats[i], pace.seat_s)
                      for i, (zone, seat) in enumerate(layout.seats)]
        return parts

    def _power(self, flow: DayFlow, device: Device, milliwh: NDArray[np.int64], step_s: int
               ) -> Columns:
        times = multiples(flow.day.start_ms, flow.day.end_ms, step_s)
        minute = (times - flow.day.start_ms) // MINUTE_MS
        return self._column(device, "power", times, np.asarray(milliwh[minute] * 0.06).round(1))

    def _changing(self, flow: DayFlow, device: Device, name: str, values: NDArray[np.generic],
                  step_s: int) -> Columns:
        """A state on every change, and again at the pace for those who came later."""
        minutes = np.flatnonzero(np.diff(values.astype(np.int64), prepend=-1))
        regular = multiples(flow.day.start_ms, flow.day.end_ms, step_s) - flow.day.start_ms
        minutes = np.union1d(minutes, regular // MINUTE_MS)
        return self._column(device, name, flow.day.start_ms + minutes * MINUTE_MS,
                            values[minutes].astype(np.float64))

    def _column(self, device: Device, name: str, times_ms: NDArray[np.int64],
                values: NDArray[np.float64]) -> Columns:
        index = self._index.get((device, name))
        if index is None:
            index = self._index[device, name] = len(self._series)
            self._series.append(self._book.get(self._world.site.id, device,
                                               quantity(device.kind, name)))
        return Columns(np.full(len(times_ms), index, dtype=np.intp), times_ms, values)

    def _merge(self, parts: list[Columns], start_ms: int, end_ms: int) -> ReadingBatch:
        if not parts:
            return ReadingBatch()
        times = np.concatenate([part.times_ms for part in parts])
        inside = (times >= start_ms) & (times < end_ms)
        order = np.flatnonzero(inside)
        order = order[np.argsort(times[order], kind="stable")]
        series = [self._series[i]
                  for i in np.concatenate([part.series for part in parts])[order].tolist()]
        values = np.concatenate([part.values for part in parts])[order].tolist()
        return ReadingBatch(series, times[order].tolist(), [
            UPS_STATUS[int(value)] if one.quantity.nature is Nature.TEXT else value
            for one, value in zip(series, values, strict=True)])


def multiples(start_ms: int, end_ms: int, step_s: int) -> NDArray[np.int64]:
    """Whole multiples of the step in [start_ms, end_ms)."""
    step_ms = step_s * 1000
    return np.arange(-(-start_ms // step_ms) * step_ms, end_ms, step_ms, dtype=np.int64)

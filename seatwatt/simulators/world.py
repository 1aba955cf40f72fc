"""A simulated site whose truth is known: every register at every instant, from (seed, site, since).

Registers count integer milliwatt-hours since local midnight of `since`; the same arguments give
the same world in any process, so a publisher can stop and go on where the registers stand now.
"""

from collections import OrderedDict
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.quantities import Quantity, quantity
from seatwatt.contract.site import Node, Site
from seatwatt.simulators.chance import chance
from seatwatt.simulators.days import MINUTE_MS, LocalDay
from seatwatt.simulators.flow import DayFlow, day_flow
from seatwatt.simulators.layout import Layout

DAYS_KEPT = 3
SEAT_STEP_MILLIWH = 100
METER_STEP_MILLIWH = 1000


@dataclass(frozen=True, slots=True)
class Register:
    """One register: where its count began and how it is shown (milliwatt-hours)."""

    device: Device
    quantity: Quantity
    initial_milliwh: int
    step_milliwh: int
    """The resolution of its display."""
    modulus_milliwh: int = 0
    """Where the display starts again at 0; 0: never."""
    multiplier: float = 1.0

    def shown_wh(self, counted_milliwh: NDArray[np.int64]) -> NDArray[np.float64]:
        """What a reader sees, before the multiplier is applied."""
        counted = counted_milliwh if self.multiplier == 1.0 else np.rint(
            counted_milliwh / self.multiplier).astype(np.int64)
        if self.modulus_milliwh:
            counted = counted % self.modulus_milliwh
        return (counted // self.step_milliwh * self.step_milliwh) / 1000


class World:
    """The truth of one simulated site."""

    def __init__(self, site: Site, seed: int, since: date) -> None:
        self.site, self.seed, self.since = site, seed, since
        self.layout = Layout.of(site)
        self.registers = tuple(_registers(self.layout, seed))
        self._days: OrderedDict[date, tuple[DayFlow, NDArray[np.int64]]] = OrderedDict()
        self._before = [np.array([r.initial_milliwh for r in self.registers], dtype=np.int64)]

    @property
    def since_ms(self) -> int:
        """The first instant the world knows."""
        return LocalDay.of(self.since, self.site.time_zone).start_ms

    def day(self, day: date) -> DayFlow:
        """Everything about one local day."""
        return self._counted(day)[0]

    def counted(self, times_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Every register at rising instants: (registers, times), never reset or rolled over."""
        out = np.empty((len(self.registers), len(times_ms)), dtype=np.int64)
        done = 0
        while done < len(times_ms):
            flow, sums = self._counted(local_date(int(times_ms[done]), self.site.time_zone))
            until = int(np.searchsorted(times_ms, flow.day.end_ms))
            out[:, done:until] = _between(sums, times_ms[done:until] - flow.day.start_ms)
            done = until
        return out

    def energy(self, start_ms: int, end_ms: int, step_s: int) -> dict[tuple[Device, str],
                                                                      NDArray[np.int64]]:
        """Truth: milliwatt-hours of every register (device, quantity name) in each interval."""
        at = np.arange(start_ms, end_ms + 1, step_s * 1000, dtype=np.int64)
        steps = np.diff(self.counted(at), axis=1)
        return {(r.device, r.quantity.name): row
                for r, row in zip(self.registers, steps, strict=True)}

    def _counted(self, day: date) -> tuple[DayFlow, NDArray[np.int64]]:
        """The day, and every register at the start of each of its minutes and at its end."""
        if day < self.since:
            raise InputError("simulated world", f"{day} lies before its first day",
                             f"{self.since} or later")
        while len(self._before) <= (day - self.since).days:
            missing = self.since + timedelta(days=len(self._before) - 1)
            self._before.append(self._sums(missing)[1][:, -1].copy())
        return self._sums(day)

    def _sums(self, day: date) -> tuple[DayFlow, NDArray[np.int64]]:
        if day not in self._days:
            flow = day_flow(self.layout, self.seed, LocalDay.of(day, self.site.time_zone))
            sums = np.zeros((len(self.registers), flow.day.minutes + 1), dtype=np.int64)
            np.cumsum(_stack(self.layout, flow), axis=1, out=sums[:, 1:])
            sums += self._before[(day - self.since).days][:, None]
            self._days[day] = (flow, sums)
            while len(self._days) > DAYS_KEPT:
                self._days.popitem(last=False)
        return self._days[day]


def _between(sums: NDArray[np.int64], offsets_ms: NDArray[np.int64]) -> NDArray[np.int64]:
    minute, rest_ms = np.divmod(offsets_ms, MINUTE_MS)
    after = np.minimum(minute + 1, sums.shape[1] - 1)
    low = sums[:, minute]
    return np.asarray(low + (sums[:, after] - low) * rest_ms // MINUTE_MS)


def _registers(layout: Layout, seed: int) -> list[Register]:
    registers = []
    seat_meters = layout.site.seat_meters
    if seat_meters is not None:
        for zone, seat in layout.seats:
            registers.append(_register(
                Device("seat", zone, seat), "energy", seed, SEAT_STEP_MILLIWH, 4 * 10**8,
                seat_meters.register_modulus_wh, seat_meters.multiplier))
    registers += [_register(node.device, "energy_import", seed, METER_STEP_MILLIWH, 10**11,
                            node.register_modulus_wh, node.multiplier)
                  for node in (*layout.nodes, *layout.sources) if has_register(node)]
    registers += [_register(node.device, "energy_export", seed, METER_STEP_MILLIWH, 1, None,
                            node.multiplier) for node in exporters(layout)]
    return registers


def has_register(node: Node) -> bool:
    """Whether the node counts energy itself; a `ups` device only tells its state."""
    return node.metered and node.device.kind == "meter"


def exporters(layout: Layout) -> list[Node]:
    """Grid sources that may flow backwards: those beside a solar source."""
    solar = any(node.source == "solar" for node in layout.sources)
    return [node for node in layout.sources if node.source == "grid" and solar]


def _register(device: Device, name: str, seed: int, step_milliwh: int, initial_max: int,
              modulus_wh: float | None, multiplier: float) -> Register:
    modulus = round((modulus_wh or 0) * 1000)
    initial = int(chance(seed, "register", device, name).integers(initial_max))
    if modulus:
        initial %= modulus
    return Register(device, quantity(device.kind, name), initial, step_milliwh, modulus, multiplier)


def _stack(layout: Layout, flow: DayFlow) -> NDArray[np.int64]:
    """Energy a minute of every register, in the order of `_registers`."""
    seats = [flow.seats] if layout.site.seat_meters is not None else []
    nodes = flow.nodes[[i for i, node in enumerate(layout.nodes) if has_register(node)]]
    sources = flow.sources[[i for i, node in enumerate(layout.sources) if has_register(node)]]
    exporting = exporters(layout)
    exports = flow.exports[[i for i, node in enumerate(layout.sources) if node in exporting]]
    return np.vstack([*seats, nodes, sources, exports])

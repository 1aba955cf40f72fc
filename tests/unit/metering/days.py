"""One local day in Karachi, a constant 400 W, a reading each quarter of an hour: 100 Wh a step."""

from collections.abc import Iterable
from datetime import date, datetime
from zoneinfo import ZoneInfo

import numpy as np

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import Acceptance, Exchange
from seatwatt.metering import (
    MeterEnergy,
    MeterRules,
    Quality,
    RegisterColumn,
    Shape,
    meter_energy,
    register_curve,
)

ZONE = ZoneInfo("Asia/Karachi")
DAY = date(2026, 10, 7)
MIDNIGHT_MS = local_midnight_ms(DAY, ZONE)
QUARTER_MS = 900_000
HOUR_MS = 3_600_000
METER = Device("meter", "hall-a", "board")
SEAT = Device("seat", "hall-a", "017")
GRID = IntervalGrid.between(MIDNIGHT_MS, MIDNIGHT_MS + 24 * HOUR_MS, 1800, ZONE)
RULES = MeterRules(max_power_w=20_000)

Readings = dict[int, float]


def at(clock: str) -> int:
    """UTC milliseconds of a local time of the day, as `hh:mm` or `hh:mm:ss`."""
    hours, minutes, *seconds = (int(part) for part in clock.split(":"))
    return MIDNIGHT_MS + hours * HOUR_MS + minutes * 60_000 + sum(seconds) * 1000


def local(ms: int) -> str:
    """The local time of an instant as `hh:mm`."""
    return datetime.fromtimestamp(ms // 1000, ZONE).strftime("%H:%M")


def day(start_wh: float = 20_000.0, step_wh: float = 100.0) -> Readings:
    """Readings from 00:00 to 24:00, both included: 97 of them."""
    return {MIDNIGHT_MS + i * QUARTER_MS: start_wh + i * step_wh for i in range(97)}


def without(readings: Readings, start: str, end: str) -> Readings:
    """The readings without those strictly between two local times."""
    return {t: v for t, v in readings.items() if not at(start) < t < at(end)}


def column(readings: Readings | Iterable[tuple[int, float]]) -> RegisterColumn:
    """A column in the order given."""
    pairs = list(readings.items() if isinstance(readings, dict) else readings)
    return RegisterColumn(np.array([t for t, _ in pairs], np.int64),
                          np.array([v for _, v in pairs], np.float64))


def rules_of(energy: MeterEnergy) -> list[str]:
    """Names of the rules found, in order."""
    return [finding.rule.name for finding in energy.findings]


def total(energy: MeterEnergy) -> int:
    """Milliwatt-hours over the day."""
    return int(energy.energy_milliwh.sum())


def when(energy: MeterEnergy, quality: Quality) -> list[str]:
    """Local starts of the intervals of this quality."""
    return [local(GRID.boundaries_ms[i]) for i in np.flatnonzero(energy.quality == quality)]


def energy_of(readings: Readings, rules: MeterRules = RULES, *exchanges: Exchange,
              grid: IntervalGrid = GRID, accepted: tuple[Acceptance, ...] = (),
              shape: Shape | None = None) -> MeterEnergy:
    """What these readings of the board make of the day."""
    return meter_energy(METER, column(readings), grid, rules, exchanges, accepted, shape)


def shape_of(readings: Readings) -> Shape:
    """The shape that a board with these readings lends to what hangs below it."""
    return Shape(str(METER), ((1, register_curve(METER, column(readings), RULES)),))


def stopped(readings: Readings, start: str, end: str) -> Readings:
    """The same steps, but none from `start` to `end`."""
    lost = readings[at(end)] - readings[at(start)]
    return {t: v if t <= at(start) else readings[at(start)] if t < at(end) else v - lost
            for t, v in readings.items()}

"""The register tables of real meter models, as their servers fill them.

Written down here once more, apart from the gateway's maps: a slip in one does not pass unseen.
"""

import struct
from collections.abc import Callable
from dataclasses import dataclass

from seatwatt.simulators.devices.truth import MeterNow

Value = Callable[[MeterNow], float]

PHASES = 3
_PF = 0.95


def _phase_a(now: MeterNow) -> float:
    return now.power_w / now.voltage_v / PHASES


def _import_kwh(now: MeterNow) -> float:
    return now.import_wh / 1000


def _export_kwh(now: MeterNow) -> float:
    return now.export_wh / 1000


def _power_w(now: MeterNow) -> float:
    return now.power_w


def _apparent_va(now: MeterNow) -> float:
    return abs(now.power_w) / _PF


def _volts(now: MeterNow) -> float:
    return now.voltage_v


def _hertz(now: MeterNow) -> float:
    return now.frequency_hz


def _factor(now: MeterNow) -> float:
    return _PF


@dataclass(frozen=True, slots=True)
class Cell:
    """A value at an address: `code` as `struct` writes it, `per` units of the register to one."""

    address: int
    code: str
    value: Value
    per: float = 1.0
    low_first: bool = False

    def words(self, now: MeterNow) -> list[int]:
        """Its registers, high word first unless the model has it otherwise."""
        number = self.value(now) * self.per
        raw = struct.pack(self.code, number if self.code[1] in "fd" else round(number))
        words = [word for (word,) in struct.iter_unpack(">H", raw)]
        return words[::-1] if self.low_first else words


@dataclass(frozen=True, slots=True)
class Model:
    """A meter model: its function code, its cells, and the resolution of its energy register at
    100,000 kWh."""

    function: int
    cells: tuple[Cell, ...]
    resolution_wh: float

    def image(self, now: MeterNow) -> tuple[int, list[int]]:
        """The lowest address, and all registers from there on; those between cells are 0."""
        low = min(cell.address for cell in self.cells)
        high = max(cell.address + struct.calcsize(cell.code) // 2 for cell in self.cells)
        words = [0] * (high - low)
        for cell in self.cells:
            start = cell.address - low
            content = cell.words(now)
            words[start:start + len(content)] = content
        return low, words


def _floats(*pairs: tuple[int, Value]) -> tuple[Cell, ...]:
    return tuple(Cell(address, ">f", value) for address, value in pairs)


def _gavazzi(address: int, value: Value, per: float, code: str = ">i") -> Cell:
    return Cell(address, code, value, per, low_first=True)


MODELS: dict[str, Model] = {
    "sdm630": Model(4, _floats(
        (0x00, _volts), (0x02, _volts), (0x04, _volts),
        (0x06, _phase_a), (0x08, _phase_a), (0x0A, _phase_a),
        (0x34, _power_w), (0x38, _apparent_va), (0x3E, _factor), (0x46, _hertz),
        (0x48, _import_kwh), (0x4A, _export_kwh), (0x4C, _import_kwh)), 10.0),
    "sdm120": Model(4, _floats(
        (0x00, _volts), (0x06, lambda now: now.power_w / now.voltage_v), (0x0C, _power_w),
        (0x12, _apparent_va), (0x1E, _factor), (0x46, _hertz), (0x48, _import_kwh),
        (0x4A, _export_kwh), (0x4C, _import_kwh)), 10.0),
    "iem3155": Model(3, (
        *_floats((2999, _phase_a), (3001, _phase_a), (3003, _phase_a),
                 (3027, _volts), (3029, _volts), (3031, _volts),
                 (3059, lambda now: now.power_w / 1000),
                 (3075, lambda now: _apparent_va(now) / 1000), (3109, _hertz)),
        Cell(3203, ">q", _import_kwh, 1000), Cell(3207, ">q", _export_kwh, 1000),
        Cell(3219, ">q", _import_kwh, 1000)), 1.0),
    "em340": Model(4, (
        *(_gavazzi(address, _volts, 10) for address in (0, 2, 4)),
        *(_gavazzi(address, _phase_a, 1000) for address in (12, 14, 16)),
        _gavazzi(40, _power_w, 10), _gavazzi(49, _factor, 1000, ">h"),
        _gavazzi(51, _hertz, 10, ">h"), _gavazzi(52, _import_kwh, 10),
        _gavazzi(78, _export_kwh, 10)), 100.0),
}
"""Printed register numbers of Schneider are one above the protocol's addresses used here."""

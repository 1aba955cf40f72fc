"""Modbus register maps: which registers hold which quantity, and what their bytes mean. Pure.

Addresses are those of the protocol, counted from 0. A map is made by `registers_file`.
"""

import math
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Nature, Quantity

FORMATS = {"int16": ">h", "uint16": ">H", "int32": ">i", "uint32": ">I",
           "int64": ">q", "uint64": ">Q", "float32": ">f", "float64": ">d"}
"""Types of a field, as `struct` reads them once the words stand high word first."""

FUNCTIONS = (3, 4)
"""Read holding registers, read input registers: the only ones a meter is ever asked with."""

REGISTERS_MAX = 125
"""The longest request the protocol allows."""

SEAT_NAMES = {"energy_import": "energy", "power": "power", "voltage_l1": "voltage",
              "current_l1": "current"}
"""What a meter's quantity is called where the meter hangs at a seat; the others are not kept."""


def absent_of(type_: str) -> tuple[int, ...]:
    """The patterns that meters send for "not available", by type; a float's is NaN.

    An unsigned all-ones and the lowest and highest signed number are no honest measurement.
    """
    if type_.startswith("float"):
        return ()
    bits = int(type_.lstrip("uint"))
    if type_.startswith("u"):
        return (2**bits - 1,)
    return (2 ** (bits - 1) - 1, -(2 ** (bits - 1)))


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """One value in the registers: value = raw x scale, in the quantity's canonical unit."""

    quantity: str
    function: int
    address: int
    type: str
    low_word_first: bool = False
    scale: float = 1.0
    absent: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.type not in FORMATS:
            raise InputError("type", f"{self.type!r} is unknown", ", ".join(FORMATS))
        if self.function not in FUNCTIONS:
            raise InputError("function", f"{self.function} is unknown", "3 (holding) or 4 (input)")
        if not 0 <= self.address <= 65_536 - self.words:
            raise InputError("address", f"{self.address} is out of range", "0 to 65535")
        if not math.isfinite(self.scale) or self.scale == 0:
            raise InputError("scale", f"{self.scale} is no factor", "a number other than 0")

    @property
    def words(self) -> int:
        """How many registers it takes."""
        return struct.calcsize(FORMATS[self.type]) // 2

    @property
    def end(self) -> int:
        """The first address behind it."""
        return self.address + self.words

    def value(self, words: Sequence[int]) -> float | None:
        """The value of its registers; None when they say that there is none."""
        ordered = words[::-1] if self.low_word_first else words
        raw = struct.unpack(FORMATS[self.type], struct.pack(f">{len(ordered)}H", *ordered))[0]
        if raw in self.absent or not math.isfinite(raw):
            return None
        # 15 digits: 2301 x 0.1 is 230.1, not 230.10000000000002.
        return float(f"{raw * self.scale:.15g}")


@dataclass(frozen=True, slots=True)
class Block:
    """Registers read by one request, and the fields in it in order of address."""

    function: int
    address: int
    count: int
    fields: tuple[Field, ...]

    def values(self, words: Sequence[int]) -> Iterator[tuple[Field, float | None]]:
        """Each field with its value."""
        for one in self.fields:
            start = one.address - self.address
            yield one, one.value(words[start:start + one.words])


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMap:
    """A meter model: its fields, and how much it lets one request ask for."""

    model: str
    fields: tuple[Field, ...]
    registers_max: int = REGISTERS_MAX
    gap_max: int = 0
    """Registers between two fields that a request may read in vain."""
    title: str = field(default="", compare=False)

    def __post_init__(self) -> None:
        if not self.fields:
            raise InputError("fields", "there is none", "at least one field")
        if not 4 <= self.registers_max <= REGISTERS_MAX:
            raise InputError("registers_max", f"{self.registers_max} is out of range",
                             f"4 to {REGISTERS_MAX}")
        if not 0 <= self.gap_max <= REGISTERS_MAX:
            raise InputError("gap_max", f"{self.gap_max} is out of range", f"0 to {REGISTERS_MAX}")
        names = [one.quantity for one in self.fields]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice:
            raise InputError("fields", f"{twice} is given twice", "each quantity once")
        rising = _rising(self.fields)
        for low, high in pairwise(rising):
            if low.function == high.function and high.address < low.end:
                raise InputError("fields", f"{low.quantity} at 0x{low.address:04x} and "
                                 f"{high.quantity} at 0x{high.address:04x} overlap",
                                 "registers of their own for each field")

    def for_kind(self, kind: str) -> tuple[tuple[Field, Quantity], ...]:
        """The fields that a device of `kind` (meter, seat) can report, with their quantity."""
        named = ((one, SEAT_NAMES.get(one.quantity, "") if kind == "seat" else one.quantity)
                 for one in self.fields)
        return tuple((one, QUANTITIES[kind, name]) for one, name in named
                     if (kind, name) in QUANTITIES)


def plan(fields: Iterable[Field], registers_max: int, gap_max: int) -> tuple[Block, ...]:
    """The fewest requests that read all fields within the model's limits.

    Taking in fields in order of address until the next does not fit any more is the best there
    is: no request could begin later and still reach further.
    """
    groups: list[list[Field]] = []
    for one in _rising(fields):
        last = groups[-1] if groups else None
        if (last is not None and last[0].function == one.function
                and one.end - last[0].address <= registers_max
                and one.address - last[-1].end <= gap_max):
            last.append(one)
        else:
            groups.append([one])
    return tuple(Block(group[0].function, group[0].address, group[-1].end - group[0].address,
                       tuple(group)) for group in groups)


def is_register(quantity: Quantity) -> bool:
    """Whether the quantity counts up, and so is read on the minute."""
    return quantity.nature is Nature.REGISTER


def _rising(fields: Iterable[Field]) -> list[Field]:
    return sorted(fields, key=lambda one: (one.function, one.address))

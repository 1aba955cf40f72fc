"""Columns put together from pieces; what both adapters do with them."""

from collections.abc import Mapping

import numpy as np

from seatwatt.contract.devices import Device
from seatwatt.store.ports import Column

Nearest = Mapping[Device, tuple[int, float | str]]
"""One reading a device: its time and value."""


class ColumnBuilder:
    """Gathers consecutive pieces of each device's readings."""

    def __init__(self) -> None:
        self._pieces: dict[Device, list[Column]] = {}

    def add(self, device: Device, piece: Column) -> None:
        """Add a piece that is later than all before it; an empty one leaves no trace."""
        if len(piece.times_ms):
            self._pieces.setdefault(device, []).append(piece)

    def columns(self) -> dict[Device, Column]:
        """One column a device. Empties the builder, so that memory holds the readings once."""
        return {device: joined(self._pieces.pop(device)) for device in list(self._pieces)}


def joined(pieces: list[Column]) -> Column:
    """The pieces as one column."""
    if len(pieces) == 1:
        return pieces[0]
    return Column(np.concatenate([piece.times_ms for piece in pieces]),
                  np.concatenate([piece.values for piece in pieces]))


def with_neighbours(inside: Mapping[Device, Column], before: Nearest, after: Nearest,
                    start_ms: int, end_ms: int) -> dict[Device, Column]:
    """Columns that cover [start_ms, end_ms) and margins, with the nearest reading beyond a margin
    added where a device has nothing in that margin.

    `before` and `after` hold the nearest readings beyond the margins. A device that was first read
    after the later margin is absent.
    """
    found = {}
    for device in sorted({*inside, *before}):
        column = inside.get(device)
        pieces = [] if column is None else [column]
        if device in before and (column is None or column.times_ms[0] >= start_ms):
            pieces.insert(0, _single(before[device]))
        if device in after and (column is None or column.times_ms[-1] < end_ms):
            pieces.append(_single(after[device]))
        found[device] = joined(pieces)
    return found


def _single(reading: tuple[int, float | str]) -> Column:
    at_ms, value = reading
    return Column(np.array([at_ms], np.int64), np.array([value], np.float64))

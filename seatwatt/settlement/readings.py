"""A period's readings, from the store or from a recording, as metering and billing take them."""

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np

from seatwatt.billing.occupancy import HOLD_MS, occupied_spans, told_spans
from seatwatt.billing.result import Seat
from seatwatt.billing.spans import Spans
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.quantities import quantity
from seatwatt.metering.registers import RegisterColumn
from seatwatt.store.ports import Column, Reader
from seatwatt.store.recording import Columns, Recording

MARGIN_MS = 86_400_000
"""How far beside the period registers are read, so that what happened at its edges is judged with
the readings around it. The store adds the nearest reading beyond, where a gap is longer."""

REGISTERS = (("meter", "energy_import"), ("meter", "energy_export"), ("seat", "energy"))
OCCUPIED = quantity("seat", "occupied")


@dataclass(frozen=True, slots=True, eq=False)
class PeriodReadings:
    """Registers by (device, quantity name), when seats were occupied during the period, and when
    their sensors told whether they were."""

    registers: dict[tuple[Device, str], RegisterColumn]
    occupancy: dict[Seat, Spans]
    told: dict[Seat, Spans] = field(default_factory=dict)


def read_period(site_id: str, source: Reader | Recording, grid: IntervalGrid,
                with_occupancy: bool) -> PeriodReadings:
    """All that settling the grid's period needs; a recording is used whole, margins and all."""
    states: Iterable[tuple[Device, Column]] = ()
    if isinstance(source, Recording):
        registers = {(device, name): RegisterColumn(taken, values, received)
                     for kind, name in REGISTERS
                     for device, (taken, received, values)
                     in source.columns(quantity(kind, name)).items()}
        states = ((device, _in_order(columns))
                  for device, columns in source.columns(OCCUPIED).items())
    else:
        registers = {(device, name): RegisterColumn(column.times_ms, column.values)
                     for kind, name in REGISTERS
                     for device, column in source.registers(
                         site_id, quantity(kind, name), grid.start_ms, grid.end_ms,
                         MARGIN_MS).items()}
        if with_occupancy:
            return PeriodReadings(registers, *read_seats(site_id, source, grid))
    return PeriodReadings(registers, *(_spans(states, grid) if with_occupancy else ({}, {})))


def read_occupancy(site_id: str, reader: Reader, grid: IntervalGrid) -> dict[Seat, Spans]:
    """When seats were occupied."""
    return read_seats(site_id, reader, grid)[0]


def read_seats(site_id: str, reader: Reader, grid: IntervalGrid
               ) -> tuple[dict[Seat, Spans], dict[Seat, Spans]]:
    """When seats were occupied, and when it is known whether they were; a reading of the day
    before may hold into the first hours."""
    return _spans(reader.columns(site_id, OCCUPIED, grid.start_ms - HOLD_MS, grid.end_ms).items(),
                  grid)


def _spans(states: Iterable[tuple[Device, Column]], grid: IntervalGrid
           ) -> tuple[dict[Seat, Spans], dict[Seat, Spans]]:
    occupied, told = dict[Seat, Spans](), dict[Seat, Spans]()
    for device, column in states:
        seat = device.zone, device.name
        occupied[seat] = occupied_spans(column.times_ms, column.values).within(
            grid.start_ms, grid.end_ms)
        told[seat] = told_spans(column.times_ms).within(grid.start_ms, grid.end_ms)
    return occupied, told


def _in_order(columns: Columns) -> Column:
    """Sorted by time taken; of two readings at one time the one received later stands."""
    taken, received, values = columns
    order = np.lexsort((received, taken))
    taken, values = taken[order], values[order]
    last = np.append(taken[1:] != taken[:-1], True)
    return Column(taken[last], values[last])

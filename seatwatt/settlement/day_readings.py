"""Whole days of registers read from the store, as many at a time as memory likes."""

from collections.abc import Iterator, Sequence

import numpy as np

from seatwatt.contract.quantities import quantity
from seatwatt.metering.registers import RegisterColumn
from seatwatt.settlement.kept_day import DayRegister, day_register
from seatwatt.settlement.kept_rules import Day, KeepRules
from seatwatt.settlement.readings import REGISTERS
from seatwatt.store.ports import Column, Reader

_ROWS_AIM = 2_000_000
"""Readings that are read at a time, where the days allow it: some 32 MB."""
_DAYS_MAX = 8

DayRegisters = list[tuple[Day, list[DayRegister]]]


def read_days(reader: Reader, rules: KeepRules, days: Sequence[Day]) -> Iterator[DayRegisters]:
    """The days with the registers that have readings, condensed; days that follow one another are
    read together, as many as give about the rows we aim at."""
    at, length = 0, 1
    while at < len(days):
        end = at + 1
        while end < min(at + length, len(days)) and days[end].start_ms == days[end - 1].end_ms:
            end += 1
        chunk = _read(reader, rules, days[at:end])
        yield chunk
        rows = sum(register.count for _, registers in chunk for register in registers)
        length = max(1, min(_DAYS_MAX, 4 * length, (end - at) * _ROWS_AIM // max(rows, 1)))
        at = end

def pieces_by_day(column: Column, days: Sequence[Day]) -> Iterator[tuple[Day, RegisterColumn]]:
    """The readings of each day that has any."""
    edges = np.searchsorted(column.times_ms, [days[0].start_ms, *(day.end_ms for day in days)])
    for place, day in enumerate(days):
        inside = slice(int(edges[place]), int(edges[place + 1]))
        if inside.start < inside.stop:
            yield day, RegisterColumn(column.times_ms[inside], column.values[inside])

def _read(reader: Reader, rules: KeepRules, days: Sequence[Day]) -> DayRegisters:
    found: dict[Day, list[DayRegister]] = {day: [] for day in days}
    for kind, name in REGISTERS:
        columns = reader.columns(rules.site.id, quantity(kind, name), days[0].start_ms,
                                 days[-1].end_ms)
        for device, column in sorted(columns.items()):
            for day, readings in pieces_by_day(column, days):
                found[day].append(day_register(device, name, readings,
                                               rules.kept(device, readings, day)))
    return list(found.items())

"""Whole days of registers read from the store, some on their way while others are condensed."""

from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.metering.registers import RegisterColumn
from seatwatt.settlement.kept_day import DayRegister, day_register
from seatwatt.settlement.kept_rules import Day, KeepRules
from seatwatt.settlement.readings import REGISTERS
from seatwatt.store.ports import Column, Reader

_ROWS_AIM = 1_000_000
"""Readings that are read at a time, where the days allow it: some 16 MB."""
_DAYS_MAX = 8
_AT_ONCE = 2
"""Queries under way at a time: InfluxDB answers each on one core, and costs more than we do."""

DayRegisters = list[tuple[Day, list[DayRegister]]]
_Read = list[tuple[str, dict[Device, Column]]]


def read_days(reader: Reader, rules: KeepRules, days: Sequence[Day]) -> Iterator[DayRegisters]:
    """The days, in order, with the registers that have readings, condensed."""
    if not days:
        return
    devices = reader.devices(rules.site.id)
    first = _condensed(rules, days[:1], _read(reader, rules.site.id, devices, days[:1]))
    yield first
    rows = sum(register.count for _, registers in first for register in registers)
    length = max(1, min(_DAYS_MAX, _ROWS_AIM // max(rows, 1)))
    with ThreadPoolExecutor(_AT_ONCE, "reading") as pool:
        under_way: deque[tuple[Sequence[Day], Future[_Read]]] = deque()
        for chunk in _chunks(days[1:], length):
            under_way.append((chunk, pool.submit(_read, reader, rules.site.id, devices, chunk)))
            if len(under_way) > _AT_ONCE:
                came, read = under_way.popleft()
                yield _condensed(rules, came, read.result())
        for came, read in under_way:
            yield _condensed(rules, came, read.result())


def pieces_by_day(column: Column, days: Sequence[Day]) -> Iterator[tuple[Day, RegisterColumn]]:
    """The readings of each day that has any."""
    edges = np.searchsorted(column.times_ms, [days[0].start_ms, *(day.end_ms for day in days)])
    for place, day in enumerate(days):
        inside = slice(int(edges[place]), int(edges[place + 1]))
        if inside.start < inside.stop:
            yield day, RegisterColumn(column.times_ms[inside], column.values[inside])


def _chunks(days: Sequence[Day], length: int) -> Iterator[Sequence[Day]]:
    """Up to so many days that follow one another."""
    start = 0
    for at in range(1, len(days) + 1):
        if at == len(days) or at - start == length or days[at].start_ms != days[at - 1].end_ms:
            yield days[start:at]
            start = at


def _read(reader: Reader, site_id: str, devices: Sequence[Device], days: Sequence[Day]) -> _Read:
    return [(name, reader.columns(site_id, quantity(kind, name), days[0].start_ms,
                                  days[-1].end_ms, devices)) for kind, name in REGISTERS]


def _condensed(rules: KeepRules, days: Sequence[Day], read: _Read) -> DayRegisters:
    found: dict[Day, list[DayRegister]] = {day: [] for day in days}
    for name, columns in read:
        for device, column in sorted(columns.items()):
            for day, readings in pieces_by_day(column, days):
                found[day].append(day_register(device, name, readings,
                                               rules.kept(device, readings, day)))
    return list(found.items())

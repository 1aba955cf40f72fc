"""Kept days compared with the store, by count and sum of every register.

InfluxDB goes through all its readings for that, so it is asked for many days at a time, and by two
queries at once.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Engine

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.ledger.kept import kept_registers
from seatwatt.settlement.kept_day import decode_day
from seatwatt.settlement.kept_rules import Day
from seatwatt.settlement.readings import REGISTERS
from seatwatt.store.ports import Reader, Sums

_AT_ONCE = 2
"""Queries under way at a time: InfluxDB answers each on one core."""
_DEVICES_MAX = 32
"""Devices of a query: so few that all queries end at about the same time."""

_OfDay = dict[tuple[Device, str], tuple[int, float]]
"""Count and sum of each register."""


@dataclass(frozen=True, slots=True)
class _Question:
    """What one query is about: a register of some devices, on equally long days in a row."""

    kind: str
    name: str
    devices: Sequence[Device]
    days: Sequence[Day]

    def ask(self, reader: Reader, site_id: str) -> dict[Device, Sums]:
        start_ms, step_ms = self.days[0].start_ms, self.days[0].end_ms - self.days[0].start_ms
        return reader.sums(site_id, quantity(self.kind, self.name), self.devices, start_ms,
                           self.days[-1].end_ms, step_ms)


def days_as_kept(engine: Engine, reader: Reader, site_id: str, days: Sequence[Day]) -> set[date]:
    """Those of these kept days of which the store has as many readings of each register, of the
    same sum. Days are in order."""
    if not days:
        return set()
    now, starts = _sums(reader, site_id, days), {day.date: day.start_ms for day in days}
    right = set()
    for row in kept_registers(engine, site_id, starts):
        day = row.head.day
        kept = {(each.device, each.name): each
                for each in decode_day(row.registers, starts[day])}
        if kept.keys() == now[day].keys() and all(
                kept[key].is_as(*sums) for key, sums in now[day].items()):
            right.add(day)
    return right


def _sums(reader: Reader, site_id: str, days: Sequence[Day]) -> dict[date, _OfDay]:
    questions = list(_questions(reader.devices(site_id), days))
    dates = {day.start_ms: day.date for day in days}
    found: dict[date, _OfDay] = {day.date: {} for day in days}
    with ThreadPoolExecutor(_AT_ONCE, "comparing") as pool:
        answers = pool.map(lambda question: question.ask(reader, site_id), questions)
        for question, answer in zip(questions, answers, strict=True):
            for device, sums in answer.items():
                for at_ms, count_and_sum in sums.items():
                    found[dates[at_ms]][device, question.name] = count_and_sum
    return found


def _questions(devices: Sequence[Device], days: Sequence[Day]) -> Iterator[_Question]:
    for row in _rows(days):
        for kind, name in REGISTERS:
            own = [device for device in devices if device.kind == kind]
            for start in range(0, len(own), _DEVICES_MAX):
                yield _Question(kind, name, own[start:start + _DEVICES_MAX], row)


def _rows(days: Sequence[Day]) -> Iterator[Sequence[Day]]:
    """Days that follow one another, none of which is longer or shorter: where clocks change, some
    are."""
    start = 0
    for at in range(1, len(days) + 1):
        if at == len(days) or days[at].start_ms != days[at - 1].end_ms or (
                days[at].end_ms - days[at].start_ms
                != days[start].end_ms - days[start].start_ms):
            yield days[start:at]
            start = at

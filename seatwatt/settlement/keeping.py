"""Registers of a period, from days that are kept in the ledger; the store is read for the others.

A kept day stands for the store's while the declarations are those it was kept under, and the
store's marks of it are the same (`store/marks.py`). What another program wrote leaves no mark, so
days are compared with the store by count and sum as well, how often is said by `Trust`. Whatever
is found otherwise is read again and kept anew.
"""

import hashlib
from bisect import bisect_left
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice

import numpy as np
from sqlalchemy import Engine

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.quantities import quantity
from seatwatt.contract.site import Site
from seatwatt.ledger.kept import (
    KeptDay,
    KeptHead,
    keep_days,
    kept_heads,
    kept_registers,
    note_checked,
)
from seatwatt.metering.registers import RegisterColumn
from seatwatt.metering.site import EXPORT, register_name
from seatwatt.settlement.comparing import days_as_kept
from seatwatt.settlement.day_readings import DayRegisters, pieces_by_day, read_days
from seatwatt.settlement.kept_day import (
    DayRegister,
    content_of,
    content_of_day,
    decode_day,
    encode_day,
)
from seatwatt.settlement.kept_rules import Day, KeepRules, days_around
from seatwatt.settlement.nearest import readings_before, with_nearest
from seatwatt.settlement.readings import REGISTERS
from seatwatt.store.marks import read_marks
from seatwatt.store.ports import Column, Reader

CHECK_MS = 3_600_000
"""How often a day that bears marks is compared with the store all the same."""
DRAFT_CHECK_MS = 24 * CHECK_MS
"""As long a draft believes it: it is reviewed, and compared when it is approved."""

_AT_ONCE = 2
_KEPT_AT_ONCE = 32
"""Kept days in memory before they are unpacked: some 8 MB of a large site."""

Key = tuple[Device, str]
Registers = dict[Key, RegisterColumn]
Seen = tuple[str, str]
"""What a period's readings are at: digests of the store's marks, and of what kept days hold."""


@dataclass(frozen=True, slots=True)
class Trust:
    """Days compared with the store at these moments or earlier are compared again: days that
    Seatwatt's own writers marked; and days without a mark, which another program must have
    filled."""

    marked_since_ms: int = -1
    unmarked_since_ms: int = -1

    @classmethod
    def usual(cls, now_ms: int) -> "Trust":
        """Our own marks are believed for an hour; who fills the store beside us leaves none."""
        return cls(now_ms - CHECK_MS, now_ms)

    @classmethod
    def for_draft(cls, now_ms: int) -> "Trust":
        """Somebody waits for it, and jobs compare: the interval job each hour, nightly drafts."""
        return cls(now_ms - DRAFT_CHECK_MS, now_ms)

    @classmethod
    def for_approval(cls, drafted_ms: int, now_ms: int) -> "Trust":
        """A day is believed if it was compared since it was drafted, and within the hour."""
        return cls(max(drafted_ms - 1, now_ms - CHECK_MS), now_ms)

    @classmethod
    def none(cls, now_ms: int) -> "Trust":
        """Every day is compared."""
        return cls(now_ms, now_ms)


@dataclass(frozen=True, slots=True, eq=False)
class PeriodRegisters:
    """The registers of a period with a day on either side, and a digest of all their readings in
    the store, kept or not."""

    registers: Registers
    digest: str


@dataclass(frozen=True, slots=True, eq=False)
class _Known:
    """What is known of some days before any is read: rules, marks, and the heads that hold."""

    rules: KeepRules
    marks: Mapping[date, str]
    heads: Mapping[date, KeptHead]

    def stale(self, days: Sequence[Day]) -> list[Day]:
        return [day for day in days if day.date not in self.heads]


@dataclass(frozen=True, slots=True, eq=False)
class Keeper:
    """Gives registers, and keeps the days it had to read. `now_ms` is when."""

    engine: Engine
    reader: Reader
    now_ms: int = 0
    trust: Trust = field(default_factory=Trust)

    def period(self, site: Site, grid: IntervalGrid, by_hand: Collection[tuple[Key, int]] = ()
               ) -> PeriodRegisters:
        """The registers of the grid's period. `by_hand` tells of which registers an operator gave
        a reading, and of what time."""
        days = days_around(site, grid.start_ms, grid.end_ms)
        parts: dict[Key, list[DayRegister]] = {}
        said: dict[Key, list[str]] = {}
        with ThreadPoolExecutor(1, "beside") as beside:
            # The store answers while days are unpacked.
            before = beside.submit(readings_before, self.reader, site.id, days[0].start_ms)
            for day, registers in self._days(site, days):
                for each in registers:
                    key = each.device, each.name
                    parts.setdefault(key, []).append(each)
                    said.setdefault(key, []).append(f"{day} {each.count} {each.content.hex()}")
        whole = {key: _joined([each.column for each in some]) for key, some in parts.items()}
        for key, column in self._spoken_of(site, days, by_hand):
            whole[key] = column
            said[key] = [f"{day.date} {len(piece)} {content_of(piece).hex()}"
                         for day, piece in pieces_by_day(column, days)]
        found = with_nearest(self.reader, site.id, whole, before.result(), days[-1].end_ms, grid)
        return PeriodRegisters({key: RegisterColumn(column.times_ms, column.values)
                                for key, column in found.items()}, _digest(found, said, days))

    def seen(self, site: Site, grid: IntervalGrid) -> Seen | None:
        """While it stays, so does whatever is computed from the period; None where a day bears no
        mark, so that this tells nothing of it."""
        days = days_around(site, grid.start_ms, grid.end_ms)
        marks = self._marks(site.id, days)
        heads = kept_heads(self.engine, site.id, days[0].date, _after(days))
        if not any(marks.values()) or any(not marks[day] for day in heads):
            return None
        return (_said(marks.items()),
                _said((day, head.content) for day, head in sorted(heads.items())))

    def state(self, site: Site, grid: IntervalGrid) -> str:
        """A digest of all that `period` would give and of all that was written to its days, without
        putting it together: while it stays, so does whatever is computed from the period."""
        days = days_around(site, grid.start_ms, grid.end_ms)
        contents = self._refresh(site, days)
        marks = self._marks(site.id, days)
        lines = [f"{day.date} {contents.get(day.date)} {marks[day.date]}" for day in days]
        for kind, name in REGISTERS:
            for at_ms in (days[0].start_ms, days[-1].end_ms):
                beside = self.reader.registers(site.id, quantity(kind, name), at_ms, at_ms, 0)
                lines += [f"{device} {column.times_ms.tolist()} {column.values.tolist()}"
                          for device, column in sorted(beside.items())]
        return hashlib.blake2b("\n".join(lines).encode(), digest_size=16).hexdigest()

    def refresh(self, site: Site, start_ms: int, end_ms: int) -> dict[date, str]:
        """Keep the days that [start_ms, end_ms) touches as the store has them now; the digest of
        each that has readings."""
        return self._refresh(site, days_around(site, start_ms, end_ms)[1:-1])

    def _refresh(self, site: Site, days: Sequence[Day]) -> dict[date, str]:
        known = self._known(site, days)
        contents = {day: head.content for day, head in known.heads.items()}
        for read, registers in self._read(days, known):
            if registers:
                contents[read.date] = content_of_day(registers)
        return contents

    def _days(self, site: Site, days: Sequence[Day]) -> list[tuple[date, list[DayRegister]]]:
        """All of the days, in their order."""
        known = self._known(site, days)
        starts = {day.date: day.start_ms for day in days}
        found = {day.date: registers for day, registers in self._read(days, known)}
        with ThreadPoolExecutor(_AT_ONCE, "unpacking") as pool:
            kept = kept_registers(self.engine, site.id, known.heads)
            while some := list(islice(kept, _KEPT_AT_ONCE)):
                found |= zip([each.head.day for each in some], pool.map(
                    lambda each: decode_day(each.registers, starts[each.head.day]), some),
                    strict=True)
        # Another process may have let go of a day meanwhile.
        gone = [day for day in days if day.date in known.heads and day.date not in found]
        found |= {day.date: registers for chunk in read_days(self.reader, known.rules, gone)
                  for day, registers in chunk}
        return [(day.date, found.get(day.date, [])) for day in days]

    def _known(self, site: Site, days: Sequence[Day]) -> _Known:
        rules, marks = KeepRules.of(site), self._marks(site.id, days)
        heads = {day: head for day, head in kept_heads(
                     self.engine, site.id, days[0].date, _after(days)).items()
                 if head.rules == rules.digest and head.mark == marks[day]}
        due = [day for day in days if day.date in heads and heads[day.date].checked_at_ms <= (
            self.trust.marked_since_ms if marks[day.date] else self.trust.unmarked_since_ms)]
        right = days_as_kept(self.engine, self.reader, site.id, due)
        note_checked(self.engine, site.id, [heads[day] for day in sorted(right)], self.now_ms)
        wrong = {day.date for day in due} - right
        return _Known(rules, marks, {day: head for day, head in heads.items()
                                     if day not in wrong})

    def _marks(self, site_id: str, days: Sequence[Day]) -> dict[date, str]:
        """A digest of each day's marks; empty without any."""
        marks = sorted(read_marks(self.reader, site_id, days[0].start_ms,
                                  days[-1].end_ms).items())
        times, found = [at_ms for at_ms, _ in marks], {}
        for day in days:
            inside = slice(bisect_left(times, day.start_ms), bisect_left(times, day.end_ms))
            own = "\n".join(f"{at_ms} {mark:.0f}" for at_ms, mark in marks[inside])
            found[day.date] = hashlib.blake2b(own.encode(), digest_size=16
                                              ).hexdigest() if own else ""
        return found

    def _read(self, days: Sequence[Day], known: _Known) -> Iterator[tuple[Day, list[DayRegister]]]:
        """Read from the store the days that are not kept, and keep them."""
        for chunk in read_days(self.reader, known.rules, known.stale(days)):
            self._keep(chunk, known)
            yield from chunk

    def _keep(self, chunk: DayRegisters, known: _Known) -> None:
        """Keep the days that have readings and whose marks stood still while they were read."""
        site_id, now = known.rules.site.id, self._marks(known.rules.site.id,
                                                        [day for day, _ in chunk])
        keep_days(self.engine, site_id, [
            KeptDay(registers=encode_day(registers, day.start_ms), head=KeptHead(
                day=day.date, rules=known.rules.digest, mark=known.marks[day.date],
                content=content_of_day(registers), checked_at_ms=self.now_ms))
            for day, registers in chunk if registers and now[day.date] == known.marks[day.date]])

    def _spoken_of(self, site: Site, days: Sequence[Day], by_hand: Collection[tuple[Key, int]]
                   ) -> Iterator[tuple[Key, Column]]:
        """All readings of the registers of which somebody said something in these days."""
        start_ms, end_ms = days[0].start_ms, days[-1].end_ms
        declared = [(each.meter, each.at_ms) for each in site.exchanges]
        declared += [(each.meter, each.at_ms) for each in site.acceptances]
        said = [*by_hand, *(((device, name), at_ms) for device, at_ms in declared
                            for name in (register_name(device), EXPORT))]
        wanted = {key for key, at_ms in said if start_ms <= at_ms <= end_ms}
        for kind, name in REGISTERS:
            devices = sorted(device for device, of in wanted if of == name and device.kind == kind)
            if devices:
                columns = self.reader.columns(site.id, quantity(kind, name), start_ms, end_ms,
                                              devices)
                yield from (((device, name), column) for device, column in columns.items())


def _after(days: Sequence[Day]) -> date:
    return days[-1].date + timedelta(days=1)


def _said(days: Iterable[tuple[date, str]]) -> str:
    lines = "\n".join(f"{day} {what}" for day, what in days)
    return hashlib.blake2b(lines.encode(), digest_size=16).hexdigest()


def _joined(columns: Sequence[RegisterColumn]) -> Column:
    return Column(np.concatenate([column.times_ms for column in columns]),
                  np.concatenate([column.values_wh for column in columns]))


def _digest(found: Mapping[Key, Column], said: Mapping[Key, Sequence[str]], days: Sequence[Day]
            ) -> str:
    """Of all readings: day by day, and the nearest ones beyond the days by themselves."""
    digest = hashlib.blake2b(digest_size=32)
    for (device, name), column in sorted(found.items(), key=lambda item: item[0]):
        beyond = (column.times_ms < days[0].start_ms) | (column.times_ms >= days[-1].end_ms)
        alone = [f"{at_ms} {value!r}" for at_ms, value in zip(
            column.times_ms[beyond].tolist(), column.values[beyond].tolist(), strict=True)]
        lines = [f"{device}/{name}", *said.get((device, name), ()), *alone]
        digest.update("\n".join([*lines, ""]).encode())
    return digest.hexdigest()

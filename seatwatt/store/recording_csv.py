"""Readings as CSV: `time,kind,zone,device,quantity,value`, in canonical units.

`time` is RFC 3339 with its offset, or seconds or milliseconds since 1970: a number from 1e11 on is
milliseconds (1e11 s is the year 5138, 1e11 ms is 1973). A flag is 0 or 1. A row has no time of
receipt: it counts as received when it was taken, and of two rows at the same time the later stands.
"""

import csv
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from seatwatt.contract.encoding import check_no_mark
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Nature
from seatwatt.contract.topics import PREFIX
from seatwatt.store.recording_files import Chunk
from seatwatt.store.recording_messages import Message, at_ms

COLUMNS = ("time", "kind", "zone", "device", "quantity", "value")

_FLAGS = {"0": False, "1": True, "0.0": False, "1.0": True, "false": False, "true": True}
_MILLISECONDS_FROM = 1e11
_TIMES_MAX = 100_000


class CsvRows:
    """The rows of one CSV file. The columns may stand in any order, which the header tells."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._order: list[int] | None = None
        self._times: dict[str, int | None] = {}
        self._line = 0

    def place(self) -> str:
        """File and line of the row that was read last."""
        return f"{self._path}:{self._line}"

    def rows(self, chunk: Chunk) -> Iterator[list[str]]:
        """The rows' fields in the order of COLUMNS. InputError names file and line."""
        reader = csv.reader(self._text(chunk).split("\n"), skipinitialspace=True, strict=True)
        try:
            for row in reader:
                if row and self._order is None:
                    self._order = self._header(chunk.line + reader.line_num - 1, row)
                elif row and self._order is not None:
                    if len(row) != len(COLUMNS):
                        raise csv.Error(f"{len(row)} fields")
                    self._line = chunk.line + reader.line_num - 1
                    yield [row[index] for index in self._order]
        except csv.Error as error:
            raise InputError(f"{self._path}:{chunk.line + reader.line_num - 1}", str(error),
                             ",".join(COLUMNS)) from None

    def _text(self, chunk: Chunk) -> str:
        check_no_mark(str(self._path), chunk.line, chunk.text)
        try:
            return chunk.text.replace(b"\r\n", b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError as error:
            line = chunk.line + chunk.text[:error.start].count(b"\n")
            raise InputError(f"{self._path}:{line}", "it is not UTF-8", "UTF-8 text") from None

    def _header(self, line: int, row: list[str]) -> list[int]:
        names = [name.strip().lower() for name in row]
        if sorted(names) != sorted(COLUMNS):
            raise InputError(f"{self._path}:{line}", "neither a recorded message nor the header "
                             "of a CSV", ",".join(COLUMNS))
        return [names.index(column) for column in COLUMNS]

    def taken_at_ms(self, text: str) -> int | None:
        """A time as milliseconds since 1970; None when it is none. Remembers, for times recur."""
        if text not in self._times:
            if len(self._times) >= _TIMES_MAX:
                self._times.clear()
            self._times[text] = _time(text)
        return self._times[text]

    def message(self, site_id: str, row: list[str]) -> Message:
        """A row as the message that its device would have sent."""
        time, kind, zone, device, name, value = row
        taken_at_ms = self.taken_at_ms(time)
        record: dict[str, object] = {"n": name}
        if taken_at_ms is not None:
            record["t"] = taken_at_ms / 1000
        quantity = QUANTITIES.get((kind, name))
        if quantity is not None and quantity.unit:
            record["u"] = quantity.unit
        nature = quantity.nature if quantity is not None else Nature.GAUGE
        record |= _value(value, nature)
        return Message(taken_at_ms or 0, f"{PREFIX}/{site_id}/{kind}/{zone}/{device}",
                       json.dumps([record]).encode())


def _time(text: str) -> int | None:
    try:
        number = float(text)
    except ValueError:
        return _instant(text)
    if not abs(number) < 1e15:
        return None
    return round(number if number >= _MILLISECONDS_FROM else number * 1000)


def _instant(text: str) -> int | None:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at_ms(instant) if instant.tzinfo else None


def _value(text: str, nature: Nature) -> dict[str, object]:
    if nature is Nature.STATE and text.lower() in _FLAGS:
        return {"vb": _FLAGS[text.lower()]}
    try:
        return {"vs": text} if nature is Nature.TEXT else {"v": float(text)}
    except ValueError:
        return {"vs": text}

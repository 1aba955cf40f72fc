"""Packs that look like an earlier one: their numbers, time and id are cut out, nothing is parsed.

The packs of a gateway hold the same records in the same order; from one to the next only numbers,
time and the pack's id change. A `Shape` is the text of a pack without these. A payload has the
shape when the text with the payload's own numbers in it is the payload, byte for byte; then what
was true of the pack it was learned from (JSON, records, names, units) is true of it, and only
numbers, time and id are left to judge. Whatever does not fit goes the way of all messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from operator import getitem, mul
from typing import Annotated, Any, NamedTuple, Protocol

import msgspec
from msgspec import UNSET, UnsetType

from seatwatt.contract._senml_rules import YEAR_2000_MS, is_pack_id
from seatwatt.contract.quantities import Quantity
from seatwatt.contract.readings import Layout, ReadingBatch, Run, Series, SeriesBook
from seatwatt.contract.topics import Topic

WORTH_BYTES = 1000
"""A smaller message is read as fast record by record."""
HELD_MAX = 30_000
"""Readings in all shapes of a book, a hundred large packs; beyond that, some 8 MB, all are
forgotten."""
PAUSE_MAX = 63
"""Of packs that never look alike, every so many-th is still tried."""

_YEAR_2000_S = YEAR_2000_MS / 1000
_BASE_TIME = re.compile(rb'"bt": ?([-+.0-9eE]+),')
_ID = re.compile(rb'"vs": ?"')
_ENDS_BYTES = 256
"""The record with the pack's id is the first or the last."""
_NO_TIME, _VALUE, _TEXT = b'"bt":,', b'"v":', b'"vs":'
_DIGITS = b"0123456789-.,"
"""What a store may be given as it came; an exponent sends a pack the usual way."""
_NUMBERS = msgspec.json.Decoder(list[float])

Found = tuple[ReadingBatch, str | None]
"""Readings, and the pack's id."""


class PlainRecord(Protocol):
    """What is looked at of a record when a shape is learned."""

    u: str
    v: float | UnsetType
    t: float
    bt: float | UnsetType
    vs: str | UnsetType


class Cut(NamedTuple):
    """A payload with time and id taken out."""

    text: bytes
    pieces: list[bytes]
    """The text, cut before each closing brace."""
    time: bytes
    times: int
    """How often the time stood in the payload."""
    pack_id: str | None

    @property
    def key(self) -> tuple[int, bytes, bytes]:
        """Tells most shapes apart: the number of records, and who the second and the last are."""
        return (len(self.pieces), self.pieces[1].rpartition(b":")[0],
                self.pieces[-2].rpartition(b":")[0])


def cut(payload: bytes) -> Cut | None:
    """The payload without time and id; None when it has no time or is too short for a shape."""
    found = _BASE_TIME.search(payload)
    if found is None:
        return None
    text = payload.replace(found[0], _NO_TIME)
    times = (len(payload) - len(text)) // (len(found[0]) - len(_NO_TIME))
    pack_id = None
    vs = _ID.search(text, 0, _ENDS_BYTES) or _ID.search(text, max(0, len(text) - _ENDS_BYTES))
    if vs:
        stop = text.find(b'"', vs.end())
        pack_id = text[vs.end():stop].decode("ascii", "replace")
        text = text[:vs.end()] + text[stop:]
    pieces = text.split(b"}")
    return Cut(text, pieces, found[1], times, pack_id) if len(pieces) > 2 else None


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """What packs that look alike have in common; their numbers are in records [first, stop)."""

    layout: Layout
    parts: list[bytes]
    """The text around the numbers, which go into every second place."""
    pieces: int
    first: int
    stop: int
    places: list[slice]
    """Where in each of these pieces its number is."""
    times: int
    has_id: bool
    numbers: msgspec.json.Decoder[tuple[float, ...]]
    """Of as many numbers; where they are in canonical units, of numbers within their bounds."""
    factors: list[float]
    """To the canonical units; empty when all are 1."""

    def read(self, of: Cut, latest_s: float) -> Found | None:
        """The readings; None when the payload has another shape or anything in it is odd."""
        if len(of.pieces) != self.pieces or of.times != self.times:
            return None
        texts: list[Any] = list(map(getitem, of.pieces[self.first:self.stop], self.places))
        parts = self.parts.copy()
        parts[1::2] = texts
        numbers = b",".join(texts)
        if b"".join(parts) != of.text or numbers.translate(None, _DIGITS):
            return None
        try:
            time_s, = _NUMBERS.decode(b"[%b]" % of.time)
            values: list[Any] = list(self.numbers.decode(b"[%b]" % numbers))
        except (msgspec.MsgspecError, ValueError):
            return None
        if not _YEAR_2000_S <= time_s <= latest_s or not self._is_id(of.pack_id):
            return None
        if self.factors:
            values, texts = list(map(mul, values, self.factors)), []
            if not all(map(_is_within, self.layout.series, values)):
                return None
        series, at_ms = list(self.layout.series), round(time_s * 1000)
        return ReadingBatch(series, [at_ms] * len(series), values,
                            [Run(0, self.layout, at_ms, texts)]), of.pack_id

    def _is_id(self, pack_id: str | None) -> bool:
        """A backslash begins what is not read here."""
        return not self.has_id or (pack_id is not None and "\\" not in pack_id
                                   and is_pack_id(pack_id))


def learned(of: Cut, records: Sequence[PlainRecord], batch: ReadingBatch) -> Shape | None:
    """The shape of a pack that was read record by record; None when not all of its readings are
    numbers of one time, written last in their records."""
    valued = [bool(record.v is not UNSET) for record in records]
    if True not in valued or len(of.pieces) != len(records) + 1:
        return None
    first = valued.index(True)
    stop = first + len(batch)
    readings = records[first:stop]
    heads, texts = zip(*map(_at_value, of.pieces[first:stop]), strict=True)
    if not (sum(valued) == len(readings) == of.text.count(_VALUE) and all(valued[first:stop])
            and _tell_time(of, records, batch) and _tell_id(of, records)
            and _spell(texts, readings)):
        return None
    quantities = [series.quantity for series in batch.series]
    factors = [row.units[record.u] for row, record in zip(quantities, readings, strict=True)]
    parts = [b""] * (2 * len(heads) + 1)
    parts[0] = b"}".join([*of.pieces[:first], heads[0]])
    parts[2:-1:2] = [b"}" + head for head in heads[1:]]
    parts[-1] = b"}".join([b"", *of.pieces[stop:]])
    return Shape(Layout(tuple(batch.series)), parts, len(of.pieces), first, stop,
                 [slice(len(head), None) for head in heads], of.times, of.pack_id is not None,
                 _decoder(quantities, factors), factors if set(factors) != {1.0} else [])


def _at_value(piece: bytes) -> tuple[bytes, bytes]:
    number = piece.rpartition(_VALUE)[2].lstrip(b" ")
    return piece[:len(piece) - len(number)], number


def _tell_time(of: Cut, records: Sequence[PlainRecord], batch: ReadingBatch) -> bool:
    """The one base time is all that the text says about time."""
    told = [record.bt for record in records if record.bt is not UNSET]
    return (len(set(batch.taken_at_ms)) == len(set(told)) == 1
            and len(told) == of.times == of.text.count(_NO_TIME)
            and _NUMBERS.decode(b"[%b]" % of.time) == told[:1]
            and not any(record.t for record in records))


def _tell_id(of: Cut, records: Sequence[PlainRecord]) -> bool:
    """The only text is the pack's id, or there is none."""
    texts = [record.vs for record in records if record.vs is not UNSET]
    return (texts == ([] if of.pack_id is None else [of.pack_id])
            and len(texts) == of.text.count(_TEXT))


def _spell(texts: Sequence[bytes], readings: Sequence[PlainRecord]) -> bool:
    """The texts are the records' numbers."""
    numbers = b",".join(texts)
    try:
        values: list[float] = _NUMBERS.decode(b"[%b]" % numbers)
    except msgspec.MsgspecError:
        return False
    return not numbers.translate(None, _DIGITS) and values == [one.v for one in readings]


def _decoder(quantities: Sequence[Quantity], factors: Sequence[float]
             ) -> msgspec.json.Decoder[tuple[float, ...]]:
    canonical = set(factors) == {1.0}
    bounds: list[Any] = [Annotated[float, msgspec.Meta(ge=row.low, le=row.high)]
                         if canonical else float for row in quantities]
    return msgspec.json.Decoder(tuple[tuple(bounds)])  # type: ignore[misc]


def _is_within(series: Series, value: float) -> bool:
    return series.quantity.low <= value <= series.quantity.high


class _Pace:
    """When to try: packs that look like none before are tried ever more seldom."""

    def __init__(self) -> None:
        self._pause = self._skip = 0

    def is_due(self) -> bool:
        if self._skip:
            self._skip -= 1
            return False
        return True

    def hit(self) -> None:
        self._pause = 0

    def missed(self) -> None:
        self._pause = self._skip = min(2 * self._pause + 1, PAUSE_MAX)


class Shapes:
    """The shapes that the packs of a book's topics have had."""

    def __init__(self, book: SeriesBook) -> None:
        self._book = book
        self._known: dict[tuple[Topic, tuple[int, bytes, bytes]], Shape] = {}
        self._held = 0

    @classmethod
    def of(cls, book: SeriesBook) -> Shapes:
        """What `book` remembers."""
        return book.notes(Shapes, lambda: cls(book))

    def cut(self, payload: bytes, topic: Topic) -> Cut | None:
        """For `read` and `learn`; None when a try is not worth it."""
        return cut(payload) if self._pace(topic).is_due() else None

    def read(self, of: Cut, topic: Topic, latest_s: float) -> Found | None:
        """The readings of a pack that has a known shape and nothing odd in it."""
        shape = self._known.get((topic, of.key))
        found = shape.read(of, latest_s) if shape else None
        if found:
            self._pace(topic).hit()
        return found

    def learn(self, of: Cut, topic: Topic, records: Sequence[PlainRecord],
              batch: ReadingBatch) -> None:
        """Remember the shape of a pack that `read` did not know, if it has one."""
        self._pace(topic).missed()
        shape = learned(of, records, batch)
        if shape is None:
            return
        self._held += len(batch)
        if self._held > HELD_MAX:
            self._known.clear()
            self._held = len(batch)
        self._known[topic, of.key] = shape

    def _pace(self, topic: Topic) -> _Pace:
        return self._book.notes((_Pace, topic), _Pace)

"""Answers of /query in bulk: msgpack rows are decoded as one array, never point by point.

A row of one time in milliseconds and one float is always the same 19 bytes in msgpack: 0x92
(array of two), 0xd3 and eight bytes, 0xcb and eight bytes. A whole block of them is read in
place; any other row (texts, several columns, nulls, times before 1970-02-20) is unpacked as usual.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgpack
import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.errors import StoreError, StoreMisconfigured, StoreUnavailable
from seatwatt.store.ports import Column

BODY_TYPE = "X-Body-Type"
"""Our name for the answer's content type, hidden from the client's own decoder."""

_ROW = np.dtype([("array", "u1"), ("int", "u1"), ("time", ">i8"), ("float", "u1"),
                 ("value", ">f8")])
_PASSING = ("timeout", "interrupted", "killed", "closed", "max-concurrent-queries")


@dataclass(frozen=True, slots=True, eq=False)
class Block:
    """Consecutive rows of one series of one statement; a series may come in several blocks."""

    statement: int
    tags: dict[str, str]
    columns: Sequence[str]
    rows: NDArray[np.void] | list[list[Any]]

    def column(self) -> Column:
        """Time and value of a numeric block; rows without a value are left out."""
        if isinstance(self.rows, np.ndarray):
            return Column(self.rows["time"].astype(np.int64), self.rows["value"].astype(np.float64))
        kept = [(row[0], row[1]) for row in self.rows if row[1] is not None]
        try:
            return Column(np.array([at for at, _ in kept], np.int64),
                          np.array([value for _, value in kept], np.float64))
        except ValueError:
            raise StoreMisconfigured(f"field {self.columns[1]} is not a number in the store; "
                                     "another program wrote it") from None

    def table(self) -> list[list[Any]]:
        """The rows as lists, whatever they hold."""
        if isinstance(self.rows, np.ndarray):
            return [[at, value] for at, value in
                    zip(self.rows["time"].tolist(), self.rows["value"].tolist(), strict=True)]
        return self.rows

    def pairs(self) -> list[tuple[int, float | str]]:
        """Time and value of every row that has one; numbers as floats."""
        return [(int(row[0]), row[1] if isinstance(row[1], str) else float(row[1]))
                for row in self.table() if row[1] is not None]


def decode(body: bytes, content_type: str) -> list[Block]:
    """The blocks of an answer; raises the StoreError an error in it amounts to."""
    try:
        if content_type.startswith("application/x-msgpack"):
            return list(_MsgpackAnswer(body).blocks())
        return [block for line in body.splitlines() for block in _blocks(json.loads(line))]
    except (ValueError, KeyError, TypeError, AttributeError, msgpack.UnpackException) as error:
        raise StoreUnavailable(f"the answer to a query is cut short or no answer: {error}"
                               ) from None


def _blocks(answer: dict[str, Any]) -> Iterator[Block]:
    if "error" in answer:
        raise query_error(answer["error"])
    for result in answer["results"]:
        if "error" in result:
            raise query_error(result["error"])
        for series in result.get("series", ()):
            yield Block(result.get("statement_id", 0), series.get("tags") or {},
                        series["columns"], series.get("values", []))


def query_error(words: str) -> StoreError:
    """An error inside an answer of status 200: passing trouble, or else a wrong set-up."""
    if any(mark in words for mark in _PASSING):
        return StoreUnavailable(words)
    return StoreMisconfigured(words)


class _MsgpackAnswer:
    """Walks the documents of a chunked answer: {results: [{statement_id, series: [{...}]}]}."""

    def __init__(self, body: bytes) -> None:
        self._body = body
        self._unpacker = msgpack.Unpacker(max_buffer_size=max(len(body), 1), strict_map_key=False)
        self._unpacker.feed(body)

    def blocks(self) -> Iterator[Block]:
        while self._unpacker.tell() < len(self._body):
            for key in self._keys():
                if key == "results":
                    for _ in range(self._unpacker.read_array_header()):
                        yield from self._result()
                else:
                    self._other(key)

    def _result(self) -> Iterator[Block]:
        statement = 0
        for key in self._keys():
            if key == "statement_id":
                statement = self._unpacker.unpack()
            elif key == "series":
                for _ in range(self._unpacker.read_array_header()):
                    yield self._series(statement)
            else:
                self._other(key)

    def _series(self, statement: int) -> Block:
        tags: dict[str, str] = {}
        columns: list[str] = []
        rows: NDArray[np.void] | list[list[Any]] = []
        for key in self._keys():
            if key == "tags":
                tags = self._unpacker.unpack()
            elif key == "columns":
                columns = self._unpacker.unpack()
            elif key == "values":
                rows = self._rows(len(columns))
            else:
                self._other(key)
        return Block(statement, tags, columns, rows)

    def _rows(self, width: int) -> NDArray[np.void] | list[list[Any]]:
        count, start = self._unpacker.read_array_header(), self._unpacker.tell()
        end = start + count * _ROW.itemsize
        if width == 2 and count and end <= len(self._body):
            rows = np.frombuffer(self._body, _ROW, count, start)
            if ((rows["array"] == 0x92) & (rows["int"] == 0xd3) & (rows["float"] == 0xcb)).all():
                self._unpacker.read_bytes(end - start)
                return rows
        return [self._unpacker.unpack() for _ in range(count)]

    def _keys(self) -> Iterator[str]:
        for _ in range(self._unpacker.read_map_header()):
            yield self._unpacker.unpack()

    def _other(self, key: str) -> None:
        if key == "error":
            raise query_error(self._unpacker.unpack())
        self._unpacker.skip()

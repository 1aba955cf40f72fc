"""Readings and derived points as InfluxDB line protocol, millisecond timestamps.

`seat,device=017,site=workaround,zone=hall-a energy_wh=412387.5,power_w=86.4 1790000000250`

Every number is written as a float (no `i`), so that no field ever changes type, and in its
shortest exact form, so that 1e9 Wh survives to the milliwatt-hour.
"""

import sys
from collections.abc import Iterable

import msgspec

from seatwatt.contract.errors import StoreRefused
from seatwatt.contract.quantities import QUANTITIES
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.store.ports import DerivedPoint
from seatwatt.store.tags import ABOUT_PEOPLE, about_people, stored_tags

_NAME = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\"})
_NUMBERS = b"0123456789+-.e,"
_BITS = {quantity: 1 << n for n, quantity in enumerate(QUANTITIES.values())}
_encode_json = msgspec.json.Encoder().encode


class LineSerialiser:
    """Serialises batches; keeps the escaped parts of up to `series_max` series."""

    def __init__(self, series_max: int = 200_000) -> None:
        self._series_max = series_max
        self._parts: dict[Series, tuple[str, str, int]] = {}

    def serialise(self, batch: ReadingBatch) -> bytes:
        """One line a device and time, wherever in the batch its fields stand; another for what is
        about people, which is forgotten earlier.

        Of two readings of one series and time only the later is written: what a server makes of
        a field that comes twice differs between generations.
        """
        if not batch.values:
            return b""
        texts = _texts(batch.values)
        in_order = self._in_order(batch, texts)
        return _encode(self._regrouped(batch, texts) if in_order is None else in_order)

    def _in_order(self, batch: ReadingBatch, texts: list[str]) -> str | None:
        """The usual batch, twice as fast: the fields of a device and time follow one another, none
        twice. None when that is not so."""
        parts, pieces = self._parts, [""]
        add = pieces.append
        lines: set[tuple[str, int]] = set()
        last_head, last_at_ms, bits, count = "", 0, 0, 0
        for series, at_ms, text in zip(batch.series, batch.taken_at_ms, texts, strict=True):
            try:
                head, field, bit = parts[series]
            except KeyError:
                head, field, bit = self._learn(series)
            if head is last_head and at_ms == last_at_ms:
                if bits & bit:
                    return None
                bits |= bit
                add(f",{field}{text}")
            else:
                add(f" {last_at_ms}\n{head}{field}{text}")
                last_head, last_at_ms, bits, count = head, at_ms, bit, count + 1
                lines.add((head, at_ms))
        if len(lines) < count:
            return None
        pieces[1] = pieces[1].partition("\n")[2]
        add(f" {last_at_ms}")
        return "".join(pieces)

    def _regrouped(self, batch: ReadingBatch, texts: list[str]) -> str:
        latest = dict(zip(zip(batch.series, batch.taken_at_ms, strict=True), texts, strict=True))
        lines: dict[tuple[str, int], list[str]] = {}
        for (series, at_ms), text in latest.items():
            head, field, _ = self._parts.get(series) or self._learn(series)
            lines.setdefault((head, at_ms), []).append(field + text)
        return "\n".join([f"{head}{','.join(fields)} {at_ms}"
                          for (head, at_ms), fields in lines.items()])

    def _learn(self, series: Series) -> tuple[str, str, int]:
        if len(self._parts) >= self._series_max:
            self._parts.clear()
        device, quantity = series.device, series.quantity
        about = ",{}={}".format(*ABOUT_PEOPLE) if about_people(quantity) else ""
        head = (f"{device.kind}{about},device={_name(device.name)},site={_name(series.site)},"
                f"zone={_name(device.zone)} ")
        # Interned, so that the series of one device are told by identity.
        found = self._parts[series] = (sys.intern(head), f"{quantity.field}=", _BITS[quantity])
        return found


def derived_lines(points: Iterable[DerivedPoint]) -> bytes:
    """Derived points, one a line; a point without fields says nothing and is left out."""
    return _encode("\n".join([_derived_line(point) for point in points if point.fields]))


def _derived_line(point: DerivedPoint) -> str:
    tags = "".join(f",{_name(key)}={_name(value)}" for key, value in stored_tags(point))
    fields = ",".join(f"{_name(key)}={_field(value)}" for key, value in point.fields)
    return f"{point.measurement.translate(_MEASUREMENT)}{tags} {fields} {point.time_ms}"


def _texts(values: list[float | str]) -> list[str]:
    """Each value as it stands in a line. The JSON encoder writes floats four times as fast as
    `repr`, in the same shortest form; what it writes otherwise is done one by one."""
    try:
        encoded: bytes = _encode_json(values)
    except (TypeError, ValueError, UnicodeEncodeError):
        encoded = b""
    if encoded.translate(None, _NUMBERS) != b"[]":
        return [_field(value) for value in values]
    return encoded[1:-1].decode().split(",")


def _name(text: str) -> str:
    return text.translate(_NAME)


def _field(value: float | str) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_STRING)}"'
    return repr(float(value))


def _encode(lines: str) -> bytes:
    try:
        return lines.encode()
    except UnicodeEncodeError as error:
        raise StoreRefused(f"text is not valid Unicode: {error.reason}") from None

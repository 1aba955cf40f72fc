"""Readings and derived points as InfluxDB line protocol, millisecond timestamps.

`seat,device=017,site=workaround,zone=hall-a energy_wh=412387.5,power_w=86.4 1790000000250`

Every number is written as a float (no `i`), so that no field ever changes type, and in its
shortest exact form or with the digits it was sent in, so that 1e9 Wh survives to the
milliwatt-hour.
"""

import sys
from collections.abc import Iterable

import msgspec

from seatwatt.contract.errors import StoreRefused
from seatwatt.contract.quantities import QUANTITIES
from seatwatt.contract.readings import Layout, ReadingBatch, Series
from seatwatt.store.line_forms import Form, Part, Seen
from seatwatt.store.ports import DerivedPoint
from seatwatt.store.tags import ABOUT_PEOPLE, about_people, stored_tags

_NAME = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\"})
_NUMBERS = b"0123456789+-.e,"
_HALVED_BYTES = 200_000
"""A body of some two thousand lines: halves of a smaller one cost the server more a line."""
_BITS = {quantity: 1 << n for n, quantity in enumerate(QUANTITIES.values())}
_encode_json = msgspec.json.Encoder().encode


class LineSerialiser:
    """Serialises batches; keeps the escaped parts of up to `series_max` series, and forms of a
    fifth as many (10 MB)."""

    def __init__(self, series_max: int = 200_000) -> None:
        self._series_max = series_max
        self._parts: dict[Series, Part] = {}
        self._forms: dict[Layout, Form | None] = {}
        self._form_series = 0

    def serialise(self, batch: ReadingBatch) -> bytes:
        """One line a device and time, wherever in the batch its fields stand; another for what is
        about people, which is forgotten earlier.

        Of two readings of one series and time only the later is written: what a server makes of
        a field that comes twice differs between generations.
        """
        if not batch.values:
            return b""
        in_order = self._in_order(batch)
        return self._regrouped(batch) if in_order is None else in_order

    def _in_order(self, batch: ReadingBatch) -> bytes | None:
        """The usual batch, several times as fast: the fields of a device and time follow one
        another, none twice. None when that is not so."""
        seen, at = Seen(), 0
        blocks: list[bytes | None] = []
        for start, layout, at_ms, texts in batch.runs:
            form = self._forms[layout] if layout in self._forms else self._new_form(layout)
            if form is None or not seen.add(form.heads, at_ms):
                return None
            if at < start:
                blocks.append(self._one_by_one(batch.part(at, start), seen))
            at = start + len(layout.series)
            blocks.append(form.lines(texts or _encoded(batch.values[start:at]), at_ms))
        if at < len(batch):
            blocks.append(self._one_by_one(batch.part(at, len(batch)) if at else batch, seen))
        found = [block for block in blocks if block is not None]
        return b"\n".join(found) if len(found) == len(blocks) and seen.once else None

    def _one_by_one(self, batch: ReadingBatch, seen: Seen) -> bytes | None:
        """The lines of what is in no run; None when a field comes twice in one."""
        parts, pieces, texts = self._parts, [""], _texts(batch.values)
        add, add_line = pieces.append, seen.lines.add
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
                add_line((head, at_ms))
        seen.count += count
        pieces[1] = pieces[1].partition("\n")[2]
        add(f" {last_at_ms}")
        return _encode("".join(pieces))

    def _new_form(self, layout: Layout) -> Form | None:
        if self._form_series > self._series_max // 5:
            self._forms.clear()
            self._form_series = 0
        self._form_series += len(layout.series)
        found = Form.of([self._parts.get(series) or self._learn(series)
                         for series in layout.series])
        self._forms[layout] = found
        return found

    def _regrouped(self, batch: ReadingBatch) -> bytes:
        texts = _texts(batch.values)
        latest = dict(zip(zip(batch.series, batch.taken_at_ms, strict=True), texts, strict=True))
        lines: dict[tuple[str, int], list[str]] = {}
        for (series, at_ms), text in latest.items():
            head, field, _ = self._parts.get(series) or self._learn(series)
            lines.setdefault((head, at_ms), []).append(field + text)
        return _encode("\n".join([f"{head}{','.join(fields)} {at_ms}"
                                  for (head, at_ms), fields in lines.items()]))

    def _learn(self, series: Series) -> Part:
        if len(self._parts) >= self._series_max:
            self._parts.clear()
        device, quantity = series.device, series.quantity
        about = ",{}={}".format(*ABOUT_PEOPLE) if about_people(quantity) else ""
        head = (f"{device.kind}{about},device={_name(device.name)},site={_name(series.site)},"
                f"zone={_name(device.zone)} ")
        # Interned, so that the series of one device are told by identity.
        found = self._parts[series] = (sys.intern(head), f"{quantity.field}=", _BITS[quantity])
        return found


def halves(lines: bytes) -> tuple[bytes, ...]:
    """The lines in two bodies of about one size; in one when they are few, or hold a text, in
    which a line feed may stand."""
    if len(lines) < _HALVED_BYTES or b'"' in lines:
        return lines,
    middle = lines.index(b"\n", len(lines) // 2)
    return lines[:middle], lines[middle + 1:]


def derived_lines(points: Iterable[DerivedPoint]) -> bytes:
    """Derived points, one a line; a point without fields says nothing and is left out."""
    return _encode("\n".join([_derived_line(point) for point in points if point.fields]))


def _derived_line(point: DerivedPoint) -> str:
    tags = "".join(f",{_name(key)}={_name(value)}" for key, value in stored_tags(point))
    fields = ",".join(f"{_name(key)}={_field(value)}" for key, value in point.fields)
    return f"{point.measurement.translate(_MEASUREMENT)}{tags} {fields} {point.time_ms}"


def _encoded(numbers: list[float | str]) -> list[bytes]:
    return [text.encode() for text in _texts(numbers)]


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

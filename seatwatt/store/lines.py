"""Readings and derived points as InfluxDB line protocol, millisecond timestamps.

`seat,device=017,site=workaround,zone=hall-a occupied=1.0,power_w=86.4 1790000000250`

Every number is written as a float (no `i`), so that no field ever changes type; `repr` of a
float is its shortest exact form, so 1e9 Wh survives to the milliwatt-hour.
"""

from collections.abc import Iterable

from seatwatt.contract.errors import StoreRefused
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.store.ports import DerivedPoint
from seatwatt.store.tags import stored_tags

_NAME = str.maketrans({",": "\\,", "=": "\\=", " ": "\\ "})
_MEASUREMENT = str.maketrans({",": "\\,", " ": "\\ "})
_STRING = str.maketrans({'"': '\\"', "\\": "\\\\"})


class LineSerialiser:
    """Serialises batches; keeps the escaped parts of up to `series_max` series."""

    def __init__(self, series_max: int = 200_000) -> None:
        self._series_max = series_max
        self._parts: dict[Series, tuple[str, str]] = {}

    def serialise(self, batch: ReadingBatch) -> bytes:
        """One line a device and time, wherever in the batch its fields stand.

        Of two readings of one series and time only the later is written: what a server makes of
        a field that comes twice differs between generations.
        """
        latest = dict(zip(zip(batch.series, batch.taken_at_ms, strict=True), batch.values,
                          strict=True))
        parts = self._parts
        lines: dict[tuple[str, int], list[str]] = {}
        last_head, last_at_ms, fields = "", -1, []
        for (series, at_ms), value in latest.items():
            try:
                head, name = parts[series]
            except KeyError:
                head, name = self._learn(series)
            if head is not last_head or at_ms != last_at_ms:
                last_head, last_at_ms = head, at_ms
                fields = lines.setdefault((head, at_ms), [])
            fields.append(name + (repr(value) if value.__class__ is float else _field(value)))
        return _encode([f"{head}{','.join(fields)} {at_ms}"
                       for (head, at_ms), fields in lines.items()])

    def _learn(self, series: Series) -> tuple[str, str]:
        if len(self._parts) >= self._series_max:
            self._parts.clear()
        device = series.device
        head = (f"{device.kind},device={_name(device.name)},site={_name(series.site)},"
                f"zone={_name(device.zone)} ")
        found = self._parts[series] = (head, f"{series.quantity.field}=")
        return found


def derived_lines(points: Iterable[DerivedPoint]) -> bytes:
    """Derived points, one a line; a point without fields says nothing and is left out."""
    return _encode([_derived_line(point) for point in points if point.fields])


def _derived_line(point: DerivedPoint) -> str:
    tags = "".join(f",{_name(key)}={_name(value)}" for key, value in stored_tags(point))
    fields = ",".join(f"{_name(key)}={_field(value)}" for key, value in point.fields)
    return f"{point.measurement.translate(_MEASUREMENT)}{tags} {fields} {point.time_ms}"


def _name(text: str) -> str:
    return text.translate(_NAME)


def _field(value: float | str) -> str:
    if isinstance(value, str):
        return f'"{value.translate(_STRING)}"'
    return repr(float(value))


def _encode(lines: list[str]) -> bytes:
    """The lines as one body; StoreRefused where text is not valid Unicode (a lone surrogate)."""
    try:
        return "\n".join(lines).encode()
    except UnicodeEncodeError as error:
        raise StoreRefused(f"text is not valid Unicode: {error.reason}") from None

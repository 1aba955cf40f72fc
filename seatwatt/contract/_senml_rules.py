"""The careful path of SenML decoding: each record is resolved and judged; rules T01, T03 to T12."""

from __future__ import annotations

import json
import math

from seatwatt.contract._senml_names import Names, Refused, short
from seatwatt.contract.quantities import Nature, Quantity
from seatwatt.contract.readings import ReadingBatch, Refusal
from seatwatt.contract.rules import Rule

AHEAD_MS_MAX = 300_000
YEAR_2000_MS = 946_684_800_000
YEAR_10000_S = 253_402_300_800
VERSION_MAX = 10
TEXT_MAX = 200
PACK_ID_MAX = 80

_BASES = ("bn", "bt", "bu", "bv", "bs")
_VALUES = ("v", "vs", "vb", "vd")

Json = dict[str, object]


def judge_message(payload: bytes, names: Names, received_at_ms: int, batch: ReadingBatch,
                  refusals: list[Refusal]) -> str | None:
    """Append the message's readings to `batch`, why others are none to `refusals`; the pack's id.

    A base field that is wrong costs the records that use it.
    """
    try:
        records = _records(payload)
    except Refused as refused:
        refusals.append(Refusal(refused.rule, refused.detail))
        return None
    latest_ms = received_at_ms + AHEAD_MS_MAX
    base: Json = {}
    pack_id: str | None = None
    for index, record in enumerate(records):
        try:
            pack_id = _judge(record, base, names, latest_ms, batch) or pack_id
        except Refused as refused:
            refusals.append(Refusal(refused.rule, refused.detail, index))
    if not len(batch) and not refusals and pack_id is None:
        refusals.append(Refusal(Rule.T01, "no record holds a value"))
    return pack_id


def _records(payload: bytes) -> list[object]:
    """T01: the message as a whole is not SenML JSON that we understand."""
    try:
        # Whole numbers as floats: thousands of digits then are infinite instead of an error.
        message = json.loads(payload.decode(), parse_int=float)
    except (ValueError, RecursionError) as error:
        raise Refused(Rule.T01, f"not JSON: {short(str(error))}") from None
    if not isinstance(message, list) or not message:
        raise Refused(Rule.T01, "not an array of records")
    for record in message:
        if isinstance(record, dict):
            _check_understood(record)
    return message


def _check_understood(record: Json) -> None:
    for label in record:
        if label.endswith("_"):
            raise Refused(Rule.T01, f"field {short(label)} must be understood, and is not")
    version = record.get("bver", VERSION_MAX)
    if not isinstance(version, float | int) or not version <= VERSION_MAX:
        raise Refused(Rule.T01, f"SenML version {short(version)}; at most {VERSION_MAX}")


def _judge(record: object, base: Json, names: Names, latest_ms: int, batch: ReadingBatch
           ) -> str | None:
    """Append the record's reading; the pack's id where the record is that."""
    if not isinstance(record, dict):
        raise Refused(Rule.T01, f"{short(record)} is not a record")
    base.update({label: record[label] for label in _BASES if label in record})
    if record.keys() <= {*_BASES, "bver"}:
        return None
    series = names.series(_text(base, "bn") + _text(record, "n"))
    if series is None:
        return _pack_id(record)
    taken_at_ms = _taken_at_ms(record, base, latest_ms)
    factor = _factor(record, base, series.quantity)
    batch.append(series, taken_at_ms, _value(record, base, series.quantity, factor))
    return None


def _text(fields: Json, label: str) -> str:
    """T01: a name that is no text."""
    text = fields.get(label, "")
    if not isinstance(text, str):
        raise Refused(Rule.T01, f"{label} is {short(text)}; expected a text")
    return text


def _taken_at_ms(record: Json, base: Json, latest_ms: int) -> int:
    """T05 no absolute time, T06 before 2000, T07 ahead of the time of receipt."""
    seconds = _number(base, "bt", Rule.T05) + _number(record, "t", Rule.T05)
    told = "bt" in base or "t" in record
    if not told or not math.isfinite(seconds) or seconds < 0:
        raise Refused(Rule.T05, f"{seconds!r} s; expected seconds since 1970")
    # A number of seconds beyond all years would be no number of milliseconds at all.
    taken_at_ms = round(min(seconds, YEAR_10000_S) * 1000)
    if taken_at_ms < YEAR_2000_MS:
        raise Refused(Rule.T06, f"{seconds!r} s since 1970")
    if seconds >= YEAR_10000_S:
        raise Refused(Rule.T07, f"{seconds!r} s since 1970 is beyond the year 9999; are these "
                                "milliseconds?")
    if taken_at_ms > latest_ms:
        ahead_s = (taken_at_ms - latest_ms + AHEAD_MS_MAX) / 1000
        raise Refused(Rule.T07, f"{seconds!r} s since 1970 is {ahead_s:.0f} s ahead")
    return taken_at_ms


def _number(fields: Json, label: str, rule: Rule) -> float:
    number = fields.get(label, 0.0)
    if isinstance(number, bool) or not isinstance(number, float):
        raise Refused(rule, f"{label} is {short(number)}; expected a number")
    return number


def _factor(record: Json, base: Json, quantity: Quantity) -> float:
    """T04: the unit is not among those of the quantity; a missing one is the empty unit. The base
    unit is that of the numbers around it: what is true, false or a text takes none."""
    takes_none = quantity.nature in (Nature.STATE, Nature.TEXT) and "v" not in record
    unit = record.get("u", "" if takes_none else base.get("bu", ""))
    factor = quantity.units.get(unit) if isinstance(unit, str) else None
    if factor is None:
        known = ", ".join(each or "none" for each in quantity.units)
        raise Refused(Rule.T04, f"{quantity.name} in {short(unit)}; expected {known}")
    return factor


def _value(record: Json, base: Json, quantity: Quantity, factor: float) -> float | str:
    """T11 wrong type, T09 not finite, T08 out of bounds; in the canonical unit."""
    label, value = _only_value(record)
    if quantity.nature is Nature.TEXT:
        return _text_value(label, value)
    if quantity.nature is Nature.STATE and label == "vb" and isinstance(value, bool):
        return float(value)
    if label != "v" or isinstance(value, bool) or not isinstance(value, float):
        raise Refused(Rule.T11, f"{label} is {short(value)}; expected "
                      + ("vb: true or false" if quantity.nature is Nature.STATE else "v: a number"))
    number = (value + _number(base, "bv", Rule.T11)) * factor if "bv" in base else value * factor
    if not math.isfinite(value) or math.isnan(number):
        raise Refused(Rule.T09, f"{quantity.name} is {value!r}")
    if not quantity.low <= number <= quantity.high:
        raise Refused(Rule.T08, f"{quantity.name} is {number:.15g} {quantity.unit}; expected "
                                f"{quantity.low:.15g} to {quantity.high:.15g}")
    if quantity.nature is Nature.STATE and number not in (0.0, 1.0):
        raise Refused(Rule.T08, f"{quantity.name} is {number:.15g}; expected 0 or 1")
    return number


def _only_value(record: Json) -> tuple[str, object]:
    labels = [label for label in _VALUES if label in record]
    if len(labels) != 1 or "s" in record:
        what = "s is a sum" if "s" in record else f"{len(labels)} values"
        raise Refused(Rule.T11, f"{what}; expected exactly one of {', '.join(_VALUES)}")
    return labels[0], record[labels[0]]


def _text_value(label: str, value: object) -> str:
    if label != "vs" or not isinstance(value, str):
        raise Refused(Rule.T11, f"{label} is {short(value)}; expected vs: a text")
    if not is_text(value):
        raise Refused(Rule.T08, f"{short(value)}; expected up to {TEXT_MAX} printable characters")
    return value


def _pack_id(record: Json) -> str:
    label, value = _only_value(record)
    if label != "vs" or not isinstance(value, str):
        raise Refused(Rule.T11, f"the pack's id is {short(value)}; expected vs: a text")
    if not is_pack_id(value):
        raise Refused(Rule.T08, f"the pack's id is {short(value)}; expected 1 to {PACK_ID_MAX} "
                                "printable ASCII characters")
    return value


def is_text(value: str) -> bool:
    """Whether a text may be stored."""
    return len(value) <= TEXT_MAX and value.isprintable()


def is_pack_id(value: str) -> bool:
    """Whether a text may name a pack."""
    return 0 < len(value) <= PACK_ID_MAX and value.isascii() and value.isprintable()

"""SenML JSON (RFC 8428) -> readings, checked record by record.

Three paths give the same answer. A pack that looks like an earlier one is not parsed at all
(`_senml_shapes`). The fast path takes messages in which every record is as our gateways and any
plain client write it: typed decoding, names and units looked up in what earlier messages taught.
The first odd record sends the whole message to the careful path (`_senml_rules`), which knows all
of RFC 8428 and says which rule a record breaks.
"""

from dataclasses import dataclass, field

import msgspec
from msgspec import UNSET, UnsetType

from seatwatt.contract._senml_names import Names
from seatwatt.contract._senml_rules import (
    AHEAD_MS_MAX,
    YEAR_2000_MS,
    is_pack_id,
    is_text,
    judge_message,
)
from seatwatt.contract._senml_shapes import WORTH_BYTES, Shapes
from seatwatt.contract.quantities import Nature
from seatwatt.contract.readings import ReadingBatch, Refusal, Series, SeriesBook
from seatwatt.contract.rules import Rule
from seatwatt.contract.topics import Topic

__all__ = ["AHEAD_MS_MAX", "PAYLOAD_BYTES_MAX", "YEAR_2000_MS", "Decoded", "Names", "Record",
           "decode", "decode_carefully", "decode_records"]

PAYLOAD_BYTES_MAX = 1_000_000
"""A larger message is refused (T10): three thousand records take a fifth of it."""



class Record(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    """A plain record. One with any other field (`bu`, `bv`, `bver`, `s` ...) is odd."""

    n: str = ""
    v: float | UnsetType = UNSET
    u: str = ""
    vb: bool | UnsetType = UNSET
    t: float = 0.0
    bn: str | UnsetType = UNSET
    bt: float | UnsetType = UNSET
    vs: str | UnsetType = UNSET


_YEAR_2000_S = YEAR_2000_MS / 1000
_DECODER = msgspec.json.Decoder(list[Record])


@dataclass(slots=True)
class Decoded:
    """What a message holds: its good readings, and why the other records are none.

    A refusal whose `record` is None costs the whole message. `pack_id` is what the gateway waits
    to see in a receipt.
    """

    batch: ReadingBatch = field(default_factory=ReadingBatch)
    refusals: list[Refusal] = field(default_factory=list)
    pack_id: str | None = None


def decode(payload: bytes, topic: Topic, received_at_ms: int, book: SeriesBook) -> Decoded:
    """The readings of one message. Never raises: whatever is wrong is a refusal.

    Values are in canonical units, times in UTC milliseconds; records stand in message order.
    """
    if len(payload) > PAYLOAD_BYTES_MAX:
        return _whole(Rule.T10, f"{len(payload)} bytes; at most {PAYLOAD_BYTES_MAX}")
    if not topic.carries_readings:
        return _whole(Rule.T02, f"no readings are expected on {topic}")
    shapes = Shapes.of(book) if len(payload) >= WORTH_BYTES else None
    pack = shapes.cut(payload, topic) if shapes else None
    if shapes and pack and (found := shapes.read(pack, topic,
                                                 (received_at_ms + AHEAD_MS_MAX) / 1000)):
        return Decoded(found[0], [], found[1])
    try:
        records = _DECODER.decode(payload)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return decode_carefully(payload, topic, received_at_ms, book)
    decoded = decode_records(records, Names.of(topic, book), received_at_ms)
    if decoded and shapes and pack:
        shapes.learn(pack, topic, records, decoded.batch)
    return decoded or decode_carefully(payload, topic, received_at_ms, book)


def _whole(rule: Rule, detail: str) -> Decoded:
    return Decoded(refusals=[Refusal(rule, detail)])


def decode_carefully(payload: bytes, topic: Topic, received_at_ms: int, book: SeriesBook
                     ) -> Decoded:
    """As `decode`, record by record, with every rule of SenML; some ten times slower."""
    decoded = Decoded()
    decoded.pack_id = judge_message(payload, Names.of(topic, book), received_at_ms,
                                    decoded.batch, decoded.refusals)
    return decoded


def decode_records(records: list[Record], names: Names, received_at_ms: int) -> Decoded | None:
    """As `decode`, from plain records; None when any of them is odd."""
    latest_s = (received_at_ms + AHEAD_MS_MAX) / 1000
    base_name, base_s, offset_s, taken_at_ms = "", 0.0, 0.0, 0
    shelf = names.under(base_name)
    pack_id: str | None = None
    series: list[Series] = []
    times: list[int] = []
    values: list[float | str] = []
    for record in records:
        if record.bn is not UNSET:
            base_name = record.bn
            shelf = names.under(base_name)
        if record.bt is not UNSET or record.t != offset_s:
            base_s = base_s if record.bt is UNSET else record.bt
            offset_s = record.t
            if not _YEAR_2000_S <= base_s + offset_s <= latest_s:
                return None
            taken_at_ms = round((base_s + offset_s) * 1000)
        known = shelf.get(record.n)
        if known is None or known[0] != record.u:
            known = names.learn(base_name, record.n, record.u)
            if known is None:
                return None
        _, of, factor, low, high = known
        if of is None:
            pack_id = _pack_id(record)
            if pack_id is None:
                return None
            continue
        value: float | str | None
        if not factor:
            value = _state_or_text(record, of.quantity.nature)
        elif record.v is UNSET or record.vb is not UNSET or record.vs is not UNSET:
            return None
        else:
            value = record.v * factor
            if not low <= value <= high:
                return None
        if value is None or not taken_at_ms:
            return None
        series.append(of)
        times.append(taken_at_ms)
        values.append(value)
    return Decoded(ReadingBatch(series, times, values), [], pack_id) if records else None


def _state_or_text(record: Record, nature: Nature) -> float | str | None:
    """The value of a plain record that is no number; None when it is odd."""
    if record.v is not UNSET:
        return None
    if nature is Nature.STATE:
        return None if record.vb is UNSET or record.vs is not UNSET else float(record.vb)
    return record.vs if record.vs is not UNSET and record.vb is UNSET and is_text(record.vs
                                                                                 ) else None


def _pack_id(record: Record) -> str | None:
    """The pack's id; None when it is odd."""
    if record.vs is UNSET or record.v is not UNSET or record.vb is not UNSET:
        return None
    return record.vs if is_pack_id(record.vs) else None

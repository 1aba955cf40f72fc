"""SenML to readings: each rule refuses its record alone, and both paths agree."""

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Nature, quantity
from seatwatt.contract.readings import ReadingBatch, Series, SeriesBook
from seatwatt.contract.senml import (
    PAYLOAD_BYTES_MAX,
    Decoded,
    Names,
    decode,
    decode_carefully,
    decode_records,
)
from seatwatt.contract.senmlwrite import encode_device, encode_pack
from seatwatt.contract.topics import Topic

NOW_MS = 1_790_000_000_250
NOW_S = 1_790_000_000.25
SEAT = Topic("s", "seat", "hall-a", "017")
METER = Topic("s", "meter", "plant", "grid")
UPS = Topic("s", "ups", "plant", "ups-1")
PACK = Topic("s", "pack", "plant", "gw-1")


def read(message: Any, topic: Topic = SEAT) -> Decoded:
    payload = message if isinstance(message, bytes) else json.dumps(message).encode()
    return decode(payload, topic, NOW_MS, SeriesBook())


def readings(decoded: Decoded) -> list[tuple[str, str, int, float | str]]:
    batch = decoded.batch
    return [(str(series.device), series.quantity.name, at, value) for series, at, value
            in zip(batch.series, batch.taken_at_ms, batch.values, strict=True)]


def rules(decoded: Decoded) -> list[tuple[str, int | None]]:
    return [(refusal.rule.name, refusal.record) for refusal in decoded.refusals]


def record(**fields: Any) -> dict[str, Any]:
    return {"bt": NOW_S, **fields}


def test_the_message_of_the_design_is_three_readings() -> None:
    decoded = read([
        {"bn": "seat/hall-a/017/", "bt": NOW_S, "n": "occupied", "vb": True},
        {"n": "power", "u": "W", "v": 86.4}, {"n": "energy", "u": "Wh", "v": 412387.5}])
    assert readings(decoded) == [
        ("seat/hall-a/017", "occupied", NOW_MS, 1.0), ("seat/hall-a/017", "power", NOW_MS, 86.4),
        ("seat/hall-a/017", "energy", NOW_MS, 412387.5)]
    assert decoded.refusals == []
    assert decoded.pack_id is None


def test_a_pack_holds_many_devices_and_its_own_id() -> None:
    decoded = read([
        {"n": "gateway/plant/gw-1/pack", "vs": "7-42"},
        {"bn": "seat/hall-a/001/", "bt": NOW_S, "n": "energy", "u": "kWh", "v": 1.5},
        {"bn": "ups/plant/ups-1/", "n": "status", "vs": "OL CHRG"},
        {"n": "on_battery", "vb": False, "t": -1}], PACK)
    assert readings(decoded) == [
        ("seat/hall-a/001", "energy", NOW_MS, 1500.0),
        ("ups/plant/ups-1", "status", NOW_MS, "OL CHRG"),
        ("ups/plant/ups-1", "on_battery", NOW_MS - 1000, 0.0)]
    assert decoded.pack_id == "7-42"
    assert decoded.refusals == []


def test_the_base_fields_of_rfc_8428_are_resolved() -> None:
    """The RFC's own example of one device, with our names: bu is a default, bt a base."""
    decoded = read([
        {"bn": "meter/plant/grid/", "bt": 1.780000000001e9, "bu": "A", "bver": 5,
         "n": "voltage_l1", "u": "V", "v": 120.1},
        {"n": "current_l1", "t": -5, "v": 1.2}, {"n": "current_l1", "t": -4, "v": 1.3},
        {"bv": 100, "n": "current_l1", "v": 1.5}], METER)
    assert [row[1:] for row in readings(decoded)] == [
        ("voltage_l1", 1780000000001, 120.1), ("current_l1", 1779999995001, 1.2),
        ("current_l1", 1779999996001, 1.3), ("current_l1", 1780000000001, 101.5)]


def test_the_base_unit_is_that_of_numbers_alone() -> None:
    decoded = read([{"bn": "seat/hall-a/017/", "bt": NOW_S, "bu": "W", "n": "power", "v": 86.4},
                    {"n": "occupied", "vb": True}, {"n": "occupied", "u": "", "t": 1, "v": 0},
                    {"n": "occupied", "t": 2, "v": 1}, {"n": "occupied", "u": "W", "vb": True}])
    assert [row[1:] for row in readings(decoded)] == [
        ("power", NOW_MS, 86.4), ("occupied", NOW_MS, 1.0), ("occupied", NOW_MS + 1000, 0.0)]
    assert [(refusal.rule.name, refusal.record) for refusal in decoded.refusals] == [
        ("T04", 3), ("T04", 4)]


def test_a_time_in_milliseconds_is_told_as_such() -> None:
    refusal, = read([record(bt=NOW_MS, n="power", u="W", v=1)]).refusals
    assert refusal.rule.name == "T07"
    assert refusal.detail.endswith("is beyond the year 9999; are these milliseconds?")


def test_a_record_of_base_fields_alone_is_no_reading_and_no_fault() -> None:
    decoded = read([{"bn": "seat/hall-a/017/", "bt": NOW_S, "bver": 10},
                    {"n": "power", "u": "kW", "v": 0.0864}])
    assert readings(decoded) == [("seat/hall-a/017", "power", NOW_MS, 86.4)]
    assert decoded.refusals == []


BAD_RECORDS = [
    ("T01", 5), ("T01", record(n=5, u="W", v=1)),
    ("T03", record(n="humidity", u="%", v=1)), ("T03", record(n="hall-a/017/power", u="W", v=1)),
    ("T03", record(n="", u="W", v=1)),
    ("T04", record(n="power", v=1)), ("T04", record(n="power", u="Wh", v=1)),
    ("T04", record(n="power", u=5, v=1)), ("T04", record(n="occupied", u="W", v=1)),
    ("T06", record(bt=0, n="power", u="W", v=1)), ("T05", record(bt=-1, n="power", u="W", v=1)),
    ("T06", record(bt=61.5, n="power", u="W", v=1)),
    ("T05", record(bt="now", n="power", u="W", v=1)),
    ("T05", record(t=True, n="power", u="W", v=1)),
    ("T05", record(bt=float("nan"), n="power", u="W", v=1)),
    ("T06", record(bt=268435456, n="power", u="W", v=1)),
    ("T06", record(bt=946684799.999, n="power", u="W", v=1)),
    ("T07", record(bt=NOW_S + 300.001, n="power", u="W", v=1)),
    ("T07", record(bt=1e300, n="power", u="W", v=1)),
    ("T07", record(bt=1e308, n="power", u="W", v=1)),
    ("T08", record(n="energy", u="Wh", v=-0.001)), ("T08", record(n="power", u="kW", v=1e308)),
    ("T08", record(n="occupied", v=0.5)), ("T08", record(n="occupied", v=2)),
    ("T09", record(n="power", u="W", v=float("nan"))),
    ("T09", record(n="power", u="W", v=float("inf"))),
    ("T11", record(n="power", u="W", v="86.4")), ("T11", record(n="power", u="W", v=True)),
    ("T11", record(n="power", u="W", v=None)), ("T11", record(n="power", u="W", vb=True)),
    ("T11", record(n="power", u="W")), ("T11", record(n="power", u="W", v=1, s=2)),
    ("T11", record(n="power", u="W", v=1, vs="1")), ("T11", record(n="power", u="W", vd="MQ")),
    ("T11", record(n="occupied", vb=1)), ("T11", record(n="occupied", vs="true")),
    ("T12", record(n="seat/hall-a/018/power", u="W", v=1)),
]


@pytest.mark.parametrize(("rule", "bad"), BAD_RECORDS)
def test_a_bad_record_is_refused_alone(rule: str, bad: Any) -> None:
    good = {"bn": "", "bt": NOW_S, "t": 0, "n": "voltage", "u": "V", "v": 230}
    decoded = read([good, bad, good])
    assert rules(decoded) == [(rule, 1)]
    assert [row[1] for row in readings(decoded)] == ["voltage", "voltage"]


@pytest.mark.parametrize(("rule", "bad"), [
    ("T03", record(n="energy", u="Wh", v=1)), ("T03", record(n="desk/a/1/energy", u="Wh", v=1)),
    ("T03", record(n="seat/A/1/energy", u="Wh", v=1)), ("T03", record(n="seat/a/1/x", v=1)),
    ("T12", record(n="gateway/plant/gw-2/pack", vs="1-1")),
    ("T11", record(n="gateway/plant/gw-1/pack", v=1)),
    ("T11", record(n="gateway/plant/gw-1/pack", vs="1", v=1)),
    ("T08", record(n="gateway/plant/gw-1/pack", vs="")),
    ("T08", record(n="gateway/plant/gw-1/pack", vs="\u00e9")),
    ("T08", record(n="ups/plant/ups-1/status", vs="OL\n")),
    ("T08", record(n="ups/plant/ups-1/status", vs="x" * 201)),
    ("T11", record(n="ups/plant/ups-1/status", v=1))])
def test_a_bad_record_of_a_pack_is_refused_alone(rule: str, bad: Any) -> None:
    good = {"n": "seat/hall-a/001/voltage", "bt": NOW_S, "u": "V", "v": 230}
    decoded = read([good, bad, good], PACK)
    assert rules(decoded) == [(rule, 1)]
    assert len(decoded.batch) == 2


@pytest.mark.parametrize("payload", [
    b"", b"hello", b"{}", b"[]", b"null", b"\xff\xfe", b'[{"n":"power"', b"[" * 200_000,
    b'\xef\xbb\xbf[{"n":"power","u":"W","v":1}]',
    b'[{"bt":1790000000,"n":"power","u":"W","v":1,"hold_":1}]',
    b'[{"bt":1790000000,"n":"power","u":"W","v":1},{"bver":11}]', b"[{}]",
    b'[{"bn":"seat/hall-a/017/","bt":1790000000}]',
    b'[{"bt":1790000000,"n":"power","u":"W","v":1},{"bver":"10"}]'])
def test_what_is_not_senml_is_refused_whole(payload: bytes) -> None:
    assert rules(read(payload)) == [("T01", None)]


def test_numbers_beyond_a_double_are_not_finite() -> None:
    for digits in (b"1e999", b"-1e999", b"NaN", b"1" * 5000):
        payload = b'[{"bt":1790000000.25,"n":"power","u":"W","v":' + digits + b"}]"
        assert rules(read(payload)) == [("T09", 0)]


def test_a_message_too_large_or_on_a_channel_is_not_looked_into() -> None:
    assert rules(read(b" " * (PAYLOAD_BYTES_MAX + 1))) == [("T10", None)]
    assert rules(read(b"[]", Topic("s", "status", "plant", "gw-1"))) == [("T02", None)]


def test_exactly_five_minutes_ahead_is_still_taken() -> None:
    assert len(read([record(bt=NOW_S + 300, n="power", u="W", v=1)]).batch) == 1


def test_an_unknown_field_is_passed_over_as_the_rfc_asks() -> None:
    assert readings(read([record(n="power", u="W", v=1, ut=60, note="x")])) == [
        ("seat/hall-a/017", "power", NOW_MS, 1.0)]


def test_a_wrong_base_field_costs_the_records_that_use_it() -> None:
    decoded = read([record(bn=5, n="power", u="W", v=1), {"n": "power", "u": "W", "v": 2},
                    {"bn": "", "n": "power", "u": "W", "v": 3}])
    assert rules(decoded) == [("T01", 0), ("T01", 1)]
    assert decoded.batch.values == [3.0]


def test_a_wrong_base_value_is_the_wrong_type() -> None:
    assert rules(read([record(bv="1", n="power", u="W", v=1)])) == [("T11", 0)]


def test_a_state_may_come_as_a_number() -> None:
    assert read([record(n="occupied", v=1), {"n": "occupied", "v": 0}]).batch.values == [1.0, 0.0]


def test_a_register_of_1e9_wh_keeps_its_milliwatt_hours_in_any_unit() -> None:
    for unit, written in (("Wh", "999999999.999"), ("kWh", "999999.999999"),
                          ("J", "3599999999996.4")):
        payload = f'[{{"bt":{NOW_S},"n":"energy","u":"{unit}","v":{written}}}]'.encode()
        (value,) = read(payload).batch.values
        assert isinstance(value, float)
        assert round(value * 1000) == 999999999999


def test_a_unit_that_changes_from_message_to_message_is_converted_each_time() -> None:
    book = SeriesBook()
    values = [decode(json.dumps([record(n="power", u=unit, v=2)]).encode(), SEAT, NOW_MS, book)
              .batch.values for unit in ("W", "kW", "W")]
    assert values == [[2.0], [2000.0], [2.0]]


def test_a_full_book_forgets_and_still_decodes() -> None:
    book = SeriesBook(limit=3)
    payload = json.dumps([record(n=f"seat/a/{i}/power", u="W", v=i) for i in range(20)]).encode()
    for _ in range(3):
        assert decode(payload, PACK, NOW_MS, book).batch.values == [float(i) for i in range(20)]


_numbers = st.floats(allow_nan=False, allow_infinity=False)
_series = st.sampled_from(sorted(QUANTITIES.values(), key=lambda row: (row.kind, row.name)))


@st.composite
def batches(draw: st.DrawFn, kind: str | None = None) -> ReadingBatch:
    book, batch = SeriesBook(), ReadingBatch()
    for _ in range(draw(st.integers(1, 12))):
        row = draw(_series.filter(lambda q: kind in (None, q.kind)))
        name = "d" if kind else draw(st.sampled_from(["d", "e"]))
        value: float | str
        if row.nature is Nature.TEXT:
            value = draw(st.text(st.characters(codec="utf-8"), max_size=20)
                         .filter(str.isprintable))
        elif row.nature is Nature.STATE:
            value = draw(st.sampled_from([0.0, 1.0]))
        else:
            value = draw(st.floats(row.low, row.high))
        at_ms = draw(st.integers(946_684_800_000, NOW_MS + 300_000))
        batch.append(book.get("s", Device(row.kind, "z", name), row), at_ms, value)
    return batch


def plain(batch: ReadingBatch) -> list[tuple[str, str, int, float | str]]:
    return readings(Decoded(batch))


@given(batches())
def test_a_pack_written_is_read_back_exactly(batch: ReadingBatch) -> None:
    payload = encode_pack(batch, Device("gateway", "plant", "gw-1"), "1-2")
    decoded = decode(payload, PACK, NOW_MS, SeriesBook())
    assert readings(decoded) == plain(batch)
    assert (decoded.refusals, decoded.pack_id) == ([], "1-2")
    assert plain(batch) == readings(decode_carefully(payload, PACK, NOW_MS, SeriesBook()))


@given(batches(kind="ups"))
def test_a_device_s_message_written_is_read_back_exactly(batch: ReadingBatch) -> None:
    decoded = decode(encode_device(batch), Topic("s", "ups", "z", "d"), NOW_MS, SeriesBook())
    assert readings(decoded) == plain(batch)
    assert decoded.refusals == []


def test_what_is_not_finite_is_not_written() -> None:
    series = SeriesBook().get("s", Device("seat", "a", "1"), quantity("seat", "power"))
    with pytest.raises(InputError, match="power: nan is not a finite number"):
        encode_pack(ReadingBatch([series], [NOW_MS], [float("nan")]))


_json = st.recursive(st.none() | st.booleans() | _numbers | st.text(max_size=5),
                     lambda inner: st.lists(inner, max_size=3)
                     | st.dictionaries(st.text(max_size=3), inner, max_size=3), max_leaves=6)
_labels = st.sampled_from(["bn", "bt", "bu", "bv", "bs", "bver", "n", "u", "v", "vs", "vb", "vd",
                           "s", "t", "ut", "x_"])
_likely = st.sampled_from([
    "power", "energy", "occupied", "status", "seat/hall-a/017/", "seat/hall-a/017/power", "W", "Wh",
    "", "gateway/plant/gw-1/pack", "1-2", True, False, 0, 1, -5, 10, 86.4, NOW_S, 1e9, 0.0, 5e8])
_records = st.lists(st.dictionaries(_labels, _likely | _json, max_size=6) | _json, max_size=5)
_topics = st.sampled_from([SEAT, PACK, UPS, METER])


@given(st.binary(max_size=200), _topics)
def test_arbitrary_bytes_never_raise(payload: bytes, topic: Topic) -> None:
    decoded = decode(payload, topic, NOW_MS, SeriesBook())
    assert decoded.refusals or len(decoded.batch) or decoded.pack_id


@given(_records, _topics, st.booleans())
@example([record(n="power", u="W", v=1), {"vb": True}], SEAT, True)
@example([{"n": "occupied", "vb": True}], SEAT, True)
def test_both_paths_agree_and_every_record_is_accounted_for(
        message: list[Any], topic: Topic, warm: bool) -> None:
    payload = json.dumps(message).encode()
    book = SeriesBook()
    if warm:
        decode(payload, topic, NOW_MS, book)
    fast = decode(payload, topic, NOW_MS, book)
    careful = decode_carefully(payload, topic, NOW_MS, book)
    assert (fast.batch, fast.refusals, fast.pack_id) == (
        careful.batch, careful.refusals, careful.pack_id)
    if all(refusal.record is not None for refusal in fast.refusals):
        assert len(fast.batch) + len(fast.refusals) <= len(message)
    for series, value in zip(fast.batch.series, fast.batch.values, strict=True):
        assert isinstance(series, Series)
        assert isinstance(value, str) or series.quantity.low <= value <= series.quantity.high


def test_no_record_at_all_is_odd() -> None:
    assert decode_records([], Names.of(SEAT, SeriesBook()), NOW_MS) is None

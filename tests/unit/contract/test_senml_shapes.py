"""Packs read by the shape of an earlier one: never otherwise than the careful path reads them."""

import json
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract import _senml_shapes as shapes
from seatwatt.contract._senml_shapes import Shape, Shapes, cut, learned
from seatwatt.contract.quantities import QUANTITIES, Nature
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.senml import (
    Decoded,
    Names,
    Record,
    decode,
    decode_carefully,
    decode_records,
)
from seatwatt.contract.topics import Topic

NOW_MS = 1_790_000_000_250
LATEST_S = NOW_MS / 1000 + 300
PACK = Topic("s", "pack", "plant", "gw-1")
NUMERIC = sorted((q for q in QUANTITIES.values()
                  if q.nature in (Nature.GAUGE, Nature.REGISTER)), key=lambda q: (q.kind, q.name))


@dataclass(frozen=True)
class Style:
    """How a sender writes its packs."""

    spaced: bool = False
    time_each: bool = False
    id_at: int | None = 0

    def write(self, names: list[tuple[str, str, str]], values: list[float], time: float,
              pack_id: str) -> bytes:
        """Device, name and unit of each reading; their values."""
        records: list[dict[str, Any]] = []
        for (device, name, unit), value in zip(names, values, strict=True):
            base: dict[str, Any] = {"bn": f"{device}/"}
            if self.time_each or not records:
                base["bt"] = time
            records.append({**base, "n": name, "u": unit, "v": value})
        if self.id_at is not None:
            records.insert(self.id_at % (len(records) + 1),
                           {"bn": "", "n": "gateway/plant/gw-1/pack", "vs": pack_id})
        separators = (", ", ": ") if self.spaced else (",", ":")
        return json.dumps(records, separators=separators).encode()


styles = st.builds(Style, st.booleans(), st.booleans(), st.sampled_from([None, 0, -1]))
times = st.sampled_from([1_790_000_000, 1_790_000_000.25, 1_789_999_999.999, 946_684_800])
ids = st.sampled_from(["1-2", "7-43", "a", "x" * 80])


@st.composite
def packs(draw: st.DrawFn) -> tuple[bytes, bytes]:
    """Two packs that look alike."""
    style = draw(styles)
    rows = draw(st.lists(st.sampled_from(NUMERIC), min_size=2, max_size=8))
    names = [(f"{row.kind}/z/{draw(st.sampled_from(['d', 'e']))}", row.name,
              draw(st.sampled_from(sorted(row.units)))) for row in rows]

    def values() -> list[float]:
        return [round(draw(st.floats(row.low, min(row.high, 1e9))) / row.units[unit], 3)
                for row, (_, _, unit) in zip(rows, names, strict=True)]

    first, second = (style.write(names, values(), draw(times), draw(ids)) for _ in "ab")
    return first, second


def careful(payload: bytes, book: SeriesBook) -> Decoded:
    return decode_carefully(payload, PACK, NOW_MS, book)


def shape_of(payload: bytes, book: SeriesBook) -> Shape | None:
    records = msgspec.json.decode(payload, type=list[Record])
    decoded = decode_records(records, Names.of(PACK, book), NOW_MS)
    of = cut(payload)
    return None if decoded is None or of is None else learned(of, records, decoded.batch)


def read(shape: Shape, payload: bytes) -> tuple[ReadingBatch, str | None] | None:
    of = cut(payload)
    return None if of is None else shape.read(of, LATEST_S)


def check(shape: Shape, payload: bytes, book: SeriesBook) -> None:
    """What a shape reads is what the careful path reads, with nothing to refuse."""
    found = read(shape, payload)
    if found is not None:
        batch, pack_id = found
        expected = careful(payload, book)
        assert (batch, [], pack_id) == (expected.batch, expected.refusals, expected.pack_id)
        (run,) = batch.runs
        assert (run.start, list(run.layout.series)) == (0, batch.series)
        assert {run.taken_at_ms} == set(batch.taken_at_ms)
        assert run.texts == [] or [float(text) for text in run.texts] == batch.values


@given(packs())
def test_a_pack_that_looks_like_another_is_read_alike(pair: tuple[bytes, bytes]) -> None:
    first, second = pair
    book = SeriesBook()
    shape = shape_of(first, book)
    if shape is None:
        # Rounding went past a bound, or a number needed an exponent.
        assert b"e-" in first or b"e+" in first or careful(first, book).refusals
        return
    check(shape, first, book)
    check(shape, second, book)
    if not careful(second, book).refusals and b"e-" not in second and b"e+" not in second:
        assert read(shape, second) is not None


@given(packs(), st.data())
def test_whatever_is_changed_in_a_pack_the_shape_reads_as_the_careful_path_or_not_at_all(
        pair: tuple[bytes, bytes], data: st.DataObject) -> None:
    first, second = pair
    book = SeriesBook()
    shape = shape_of(first, book)
    if shape is None:
        return
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(second)))
        stop = start + data.draw(st.integers(0, 3))
        put = data.draw(st.text(' {}[],:"\\0179.-eEvbtsnu\n\u00e9', max_size=4)
                        | st.sampled_from(['"bt":,', '"v":', '},{', '"vs":""', "null", "1_0"]))
        second = second[:start] + put.encode() + second[stop:]
    check(shape, second, book)


GOOD = (b'[{"n":"gateway/plant/gw-1/pack","vs":"1-1"},'
        b'{"bn":"seat/a/1/","bt":1790000000,"n":"power","u":"W","v":86.4},'
        b'{"n":"voltage","u":"V","v":230},{"n":"current","u":"A","v":0.5}]')


@pytest.mark.parametrize(("old", "new"), [
    (b"86.4", b"086.4"), (b"86.4", b"8_6"), (b"86.4", b'"86"'), (b"86.4", b"null"),
    (b"86.4", b"true"), (b"86.4", b""), (b"86.4", b"8.6e1"), (b"86.4", b" 86.4"),
    (b"86.4", b"86.4 "), (b"86.4", b"1,2"), (b"86.4", b"86.4,"), (b"230", b"-0.001"),
    (b"230", b"1" * 400), (b'"1-1"', b'""'), (b'"1-1"', b'"1\\\\1"'), (b'"1-1"', b'"\\u0031"'),
    (b'"1-1"', b'"\xff"'), (b'"1-1"', b'"' + b"x" * 81 + b'"'), (b'"1-1"}', b"1}"),
    (b'"1-1"', b'"1-1'), (b"1790000000", b"1790000301"), (b"1790000000", b"946684799"),
    (b"1790000000", b"1e9"), (b"1790000000", b"1e99"), (b"1790000000", b"-"),
    (b'"bt":1790000000,', b'"bt":,'), (b"power", b"energy"), (b"seat/a/1", b"seat/a/2"),
    (b'"V"', b'"mV"'), (b"}]", b"}"), (b"}]", b"}]]"), (b"}]", b"},{}]")])
def test_an_odd_pack_is_never_read_otherwise(old: bytes, new: bytes) -> None:
    book = SeriesBook()
    shape = shape_of(GOOD, book)
    assert shape is not None
    assert read(shape, GOOD) is not None
    check(shape, GOOD.replace(old, new, 1), book)


@pytest.mark.parametrize(("old", "new"), [
    (b"86.4", b"8.64e1"), (b'"u":"W","v":86.4', b'"v":86.4,"u":"W"'),
    (b'"n":"current","u":"A","v":0.5', b'"n":"occupied","vb":true'),
    (b'{"n":"voltage"', b'{"t":-5,"n":"voltage"'),
    (b'{"n":"voltage"', b'{"bt":1790000001,"n":"voltage"'),
    (b'{"n":"voltage"', b'{"bt":1790000000.0,"n":"voltage"'),
    (b'"n":"voltage","u":"V"', b'"n":"volt\\u0061ge","u":"V","v":1'),
    (b'"1-1"', b'"\\u0031"'), (b'"vs":"1-1"', b'"\\u0076s":"1-1"'), (b'"v":230', b'"\\u0076":230'),
    (b'{"n":"voltage"', b'{"\\u0062t":1790000000,"n":"voltage"'),
    (b'"n":"voltage"', b'"bn":"seat/a/}/","n":"voltage"'),
    (b'{"n":"voltage","u":"V","v":230}', b'{"bn":"","n":"gateway/plant/gw-1/pack","vs":"2"}'),
    (b'"v":86.4},{"n":"voltage","u":"V","v":230},{"n":"current","u":"A","v":0.5}', b'"v":8}'),
    (b',"vs":"1-1"},', b',"vs":"1-1","vs":"1-1"},')])
def test_what_has_other_things_that_change_has_no_shape_but_its_own_reading(
        old: bytes, new: bytes) -> None:
    book = SeriesBook()
    payload = GOOD.replace(old, new, 1)
    assert payload != GOOD
    try:
        shape = shape_of(payload, book)
    except msgspec.MsgspecError:
        shape = None
    if shape is not None:
        check(shape, payload, book)
        check(shape, GOOD, book)


def test_packs_without_any_number_or_time_have_no_shape() -> None:
    book = SeriesBook()
    assert cut(b'[{"n":"gateway/plant/gw-1/pack","vs":"1-1"}]') is None
    states = GOOD.replace(b'"u":"W","v":86.4', b'"u":"","v":1')
    assert cut(states) is not None
    flags = (b'[{"bn":"seat/a/1/","bt":1790000000,"n":"occupied","vb":true},'
             b'{"bn":"seat/a/2/","n":"occupied","vb":true}]')
    assert shape_of(flags, book) is None


def large(number: int, first: str = "000") -> bytes:
    """A pack worth a shape."""
    names = [(f"seat/a/{first if seat == 0 else f'{seat:03d}'}", "power", "W")
             for seat in range(30)]
    return Style().write(names, [number + seat / 10 for seat in range(30)], 1_789_990_000 + number,
                         f"1-{number}")


def test_the_second_pack_is_read_by_the_shape_of_the_first() -> None:
    book = SeriesBook()
    runs = [len(decode(large(number), PACK, NOW_MS, book).batch.runs) for number in range(4)]
    assert runs == [0, 0, 1, 1]  # after a miss one pack is left out
    refused = decode(large(5).replace(b'"v":5.1', b'"v":1e99'), PACK, NOW_MS, book)
    assert [refusal.rule.name for refusal in refused.refusals] == ["T08"]
    assert len(refused.batch) == 29
    other = Topic("s", "pack", "plant", "gw-2")
    assert {r.rule.name for r in decode(large(6), other, NOW_MS, book).refusals} == {"T12"}


def test_packs_that_never_look_alike_are_tried_ever_more_seldom() -> None:
    book = SeriesBook()
    tries = 0
    for number in range(1000):
        tries += Shapes.of(book).cut(large(1), PACK) is not None
        batch = decode(large(1, first=f"x{number}"), PACK, NOW_MS, book).batch
        assert (len(batch), batch.runs) == (30, [])
    assert tries < 40


def test_shapes_are_forgotten_when_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shapes, "HELD_MAX", 100)
    book = SeriesBook()
    for gateway in range(9):
        topic = Topic("s", "pack", "plant", f"gw-{gateway}")
        payload = large(1).replace(b"gw-1", f"gw-{gateway}".encode())
        for _ in range(3):
            batch = decode(payload, topic, NOW_MS, book).batch
        assert len(batch.runs) == 1
        assert len(Shapes.of(book)._known) <= 3


def test_a_batch_knows_its_runs_after_another_and_none_in_a_part() -> None:
    book = SeriesBook()
    shape = shape_of(GOOD, book)
    assert shape is not None
    found = read(shape, GOOD)
    assert found is not None
    batch = ReadingBatch()
    batch.append(found[0].series[0], 1, 2.0)
    batch.extend(found[0])
    batch.extend(found[0])
    assert [run.start for run in batch.runs] == [1, 4]
    assert batch.part(1, 4) == found[0]
    assert batch.part(1, 4).runs == []


def test_a_pack_in_other_units_is_converted_and_held_to_the_bounds() -> None:
    book = SeriesBook()
    kilo = GOOD.replace(b'"W"', b'"kW"')
    shape = shape_of(kilo, book)
    assert shape is not None
    found = read(shape, kilo)
    assert found is not None
    assert found[0].values == [86400.0, 230.0, 0.5]
    assert found[0].runs[0].texts == []
    assert read(shape, kilo.replace(b"86.4", b"100000.1")) is None

"""Line protocol, read back by a parser that knows nothing of the serialiser."""

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import StoreRefused
from seatwatt.contract.quantities import QUANTITIES, Nature, quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.store.lines import LineSerialiser, derived_lines, halves
from seatwatt.store.ports import DerivedPoint

BOOK = SeriesBook()
SEAT = Device("seat", "hall-a", "017")
NUMERIC = [q for q in QUANTITIES.values() if q.nature is not Nature.TEXT]
FIELD = re.compile(r'([a-z0-9_]+)=("(?:[^"\\]|\\.)*"|[^",]+)(?:,|$)', re.S)
LINE = re.compile(r'([a-z]+)(?:,about=people)?,device=([^,]+),site=([^,]+),zone=([^ ]+) '
                  r'((?:[^" \n]|"(?:[^"\\]|\\.)*")+) (-?\d+)(?:\n|$)', re.S)

Key = tuple[str, str, str, str, str, int]


def batch_of(*readings: tuple[str, Device, str, int, float | str]) -> ReadingBatch:
    batch = ReadingBatch()
    for site, device, name, at_ms, value in readings:
        batch.append(BOOK.get(site, device, quantity(device.kind, name)), at_ms, value)
    return batch


def parsed(lines: bytes) -> tuple[int, dict[Key, float | str]]:
    """Number of lines, and every field of them; fails where a field comes twice."""
    text, count, at = lines.decode(), 0, 0
    found: dict[Key, float | str] = {}
    while at < len(text):
        match = LINE.match(text, at)
        assert match is not None, text[at:at + 80]
        kind, device, site, zone, fields, at_ms = match.groups()
        for name, value in FIELD.findall(fields):
            key = (site, kind, zone, device, name, int(at_ms))
            assert key not in found
            found[key] = (re.sub(r"\\(.)", r"\1", value[1:-1], flags=re.S)
                          if value[0] == '"' else float(value))
        count, at = count + 1, match.end()
    return count, found


def expected(batch: ReadingBatch) -> dict[Key, float | str]:
    return {(s.site, s.device.kind, s.device.zone, s.device.name, s.quantity.field, at_ms): value
            for s, at_ms, value in zip(batch.series, batch.taken_at_ms, batch.values, strict=True)}


def test_a_seat_is_one_line_and_who_sits_there_another() -> None:
    batch = batch_of(("workaround", SEAT, "occupied", 1_790_000_000_250, 1.0),
                     ("workaround", SEAT, "power", 1_790_000_000_250, 86.4),
                     ("workaround", SEAT, "energy", 1_790_000_000_250, 412387.5))
    assert LineSerialiser().serialise(batch) == (
        b"seat,about=people,device=017,site=workaround,zone=hall-a occupied=1.0 1790000000250\n"
        b"seat,device=017,site=workaround,zone=hall-a "
        b"power_w=86.4,energy_wh=412387.5 1790000000250")


def test_no_reading_is_no_line() -> None:
    assert LineSerialiser().serialise(ReadingBatch()) == b""
    assert derived_lines([]) == b""


@pytest.mark.parametrize("order", [[0, 2, 1, 3], [0, 1, 2, 3], [3, 0, 1, 2]])
def test_fields_of_one_device_and_time_share_a_line_wherever_they_stand(order: list[int]) -> None:
    rows = [("s", SEAT, "voltage", 1, 1.0), ("s", SEAT, "power", 1, 2.0),
            ("s", SEAT, "voltage", 2, 3.0), ("s", SEAT, "power", 2, 4.0)]
    batch = batch_of(*[rows[n] for n in order])
    assert parsed(LineSerialiser().serialise(batch)) == (2, expected(batch))


series_lists = st.lists(st.builds(
    lambda q, site, zone, name: BOOK.get(site, Device(q.kind, zone, name), q),
    st.sampled_from(NUMERIC), st.sampled_from(["a", "b-2"]), st.sampled_from(["z", "hall-a"]),
    st.sampled_from(["0", "1"])), min_size=1, max_size=60)


@given(series=series_lists, data=st.data())
def test_whatever_the_order_the_later_reading_of_a_series_and_time_stands(
        series: list, data: st.DataObject) -> None:
    size = len(series)
    times = data.draw(st.lists(st.integers(1, 3), min_size=size, max_size=size))
    values = data.draw(st.lists(st.floats(allow_nan=False, allow_infinity=False),
                                min_size=size, max_size=size))
    batch = ReadingBatch(series, times, list(values))
    count, fields = parsed(LineSerialiser().serialise(batch))
    assert fields == expected(batch)
    assert count == len({(key[:4], key[5], key[1] == "seat" and key[4] == "occupied")
                         for key in fields})


@given(texts=st.lists(st.text(st.characters(codec="utf-8")), min_size=1, max_size=10))
def test_texts_among_numbers(texts: list[str]) -> None:
    ups, batch = Device("ups", "plant", "u"), ReadingBatch()
    for n, text in enumerate(texts):
        batch.append(BOOK.get("s", ups, quantity("ups", "status")), n, text)
        batch.append(BOOK.get("s", ups, quantity("ups", "load")), n, 0.1 + n)
    assert parsed(LineSerialiser().serialise(batch)) == (len(texts), expected(batch))


@pytest.mark.parametrize("value", [1, True, np.float64(1.0), np.int64(1)])
def test_every_number_is_written_as_a_float(value: float) -> None:
    lines = LineSerialiser().serialise(batch_of(("s", SEAT, "power", 5, value)))
    assert lines in (b"seat,device=017,site=s,zone=hall-a power_w=1.0 5",
                     b"seat,device=017,site=s,zone=hall-a power_w=1 5")


def test_what_is_not_finite_is_left_to_the_store_to_refuse() -> None:
    lines = LineSerialiser().serialise(batch_of(("s", SEAT, "power", 5, float("nan"))))
    assert lines.endswith(b"power_w=nan 5")


def test_text_that_is_not_unicode_is_refused() -> None:
    ups = Device("ups", "plant", "u")
    with pytest.raises(StoreRefused, match="Unicode"):
        LineSerialiser().serialise(batch_of(("s", ups, "status", 5, "\udfff")))


def test_the_memory_of_series_is_bounded() -> None:
    serialiser = LineSerialiser(series_max=10)
    devices = [Device("seat", "hall-a", f"{n:03}") for n in range(35)]
    batch = batch_of(*[("s", device, name, 7, 1.0) for device in devices
                       for name in ("voltage", "power")])
    assert parsed(serialiser.serialise(batch)) == (35, expected(batch))
    assert len(serialiser._parts) <= 10


def test_a_derived_point_escapes_its_names() -> None:
    point = DerivedPoint("tenant energy,x", (("te nant", "a=b, c"), ("site", "s"), ("none", "")),
                         (("direct wh", 1.5), ("note", 'say "x" \\'), ("n", 3)), 9)
    assert derived_lines([point]) == (
        rb"tenant\ energy\,x,site=s,te\ nant=a\=b\,\ c "
        rb'direct\ wh=1.5,note="say \"x\" \\",n=3.0 9')


def test_a_derived_point_without_fields_says_nothing() -> None:
    full = DerivedPoint("events", (), (("n", 1.0),), 9)
    assert derived_lines([DerivedPoint("events", (), (), 9), full]) == b"events n=1.0 9"


def test_a_large_body_is_cut_between_lines_and_one_with_texts_never() -> None:
    line = b"seat,device=017,site=s,zone=hall-a power_w=1.5 5"
    large = b"\n".join([line] * 5001)
    first, second = halves(large)
    assert first + b"\n" + second == large
    assert {*first.split(b"\n"), *second.split(b"\n")} == {line}
    assert abs(len(first) - len(second)) <= 2 * len(line)
    assert halves(line) == (line,)
    assert halves(large + b'\nups,device=u,site=s,zone=z status="a\nb" 5') == (
        large + b'\nups,device=u,site=s,zone=z status="a\nb" 5',)

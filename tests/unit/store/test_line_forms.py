"""Lines of runs: the same points as reading by reading, whatever stands between and beside them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import QUANTITIES, Nature, quantity
from seatwatt.contract.readings import Layout, ReadingBatch, Run, Series, SeriesBook
from seatwatt.store.lines import LineSerialiser
from tests.unit.store.test_lines import expected, parsed

BOOK = SeriesBook()
GAUGES = [q for q in QUANTITIES.values() if q.kind == "meter" and q.nature is Nature.GAUGE]
values = st.integers(-10**6, 10**6).map(lambda n: n / 1000)


def series(device: str, name: str) -> Series:
    return BOOK.get("s", Device("meter", "z", device), quantity("meter", name))


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    rows = draw(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(GAUGES[:4])),
                         min_size=1, max_size=6))
    return Layout(tuple(series(device, row.name) for device, row in rows))


def run_of(layout: Layout, at_ms: int, numbers: list[float], with_texts: bool) -> ReadingBatch:
    texts = [b"%.3f" % number for number in numbers] if with_texts else []
    return ReadingBatch(list(layout.series), [at_ms] * len(numbers), list(numbers),
                        [Run(0, layout, at_ms, texts)])


@given(st.lists(layouts(), min_size=1, max_size=3), st.data())
def test_runs_and_single_readings_make_the_points_that_no_runs_would(
        known: list[Layout], data: st.DataObject) -> None:
    batch = ReadingBatch()
    for _ in range(data.draw(st.integers(1, 8))):
        at_ms = data.draw(st.integers(1, 4))
        if data.draw(st.booleans()):
            layout = data.draw(st.sampled_from(known))
            size = len(layout.series)
            numbers = data.draw(st.lists(values, min_size=size, max_size=size))
            batch.extend(run_of(layout, at_ms, numbers, data.draw(st.booleans())))
        else:
            one = series(data.draw(st.sampled_from("abc")), data.draw(st.sampled_from(
                GAUGES[:4])).name)
            batch.append(one, at_ms, data.draw(values))
    serialiser = LineSerialiser()
    for lines in (serialiser.serialise(batch), serialiser.serialise(batch)):
        count, fields = parsed(lines)
        assert fields == expected(batch)
        assert count == len({(key[:4], key[5]) for key in fields})


def test_a_number_is_written_as_it_was_sent() -> None:
    layout = Layout((series("a", "power"), series("a", "frequency"), series("b", "power")))
    batch = run_of(layout, 7, [1.5, 50.0, 2.0], with_texts=True)
    assert LineSerialiser().serialise(batch) == (
        b"meter,device=a,site=s,zone=z power_w=1.500,frequency_hz=50.000 7\n"
        b"meter,device=b,site=s,zone=z power_w=2.000 7")


@pytest.mark.parametrize(("first", "second"), [("ab", "bc"), ("a", "aa"), ("aba", "c")])
def test_a_device_that_comes_twice_is_one_line_with_the_later_reading(
        first: str, second: str) -> None:
    batch = ReadingBatch()
    for number, names in enumerate((first, second)):
        layout = Layout(tuple(series(name, "power") for name in names))
        batch.extend(run_of(layout, 7, [number + n / 10 for n in range(len(names))], True))
    count, fields = parsed(LineSerialiser().serialise(batch))
    assert fields == expected(batch)
    assert count == len(fields)


def test_the_memory_of_forms_is_bounded() -> None:
    serialiser = LineSerialiser(series_max=10)
    for number in range(9):
        layout = Layout(tuple(series(f"{number}-{n}", "power") for n in range(3)))
        batch = run_of(layout, number, [1.0, 2.0, 3.0], True)
        assert parsed(serialiser.serialise(batch)) == (3, expected(batch))
        assert len(serialiser._forms) <= 3


@pytest.mark.parametrize("last", ["d", "a", "b"])
def test_many_gateways_at_one_time(last: str) -> None:
    batch = ReadingBatch()
    for number, name in enumerate(("a", "b", "c", last)):
        batch.extend(run_of(Layout((series(name, "power"),)), 7, [number + 0.5], True))
    count, fields = parsed(LineSerialiser().serialise(batch))
    assert fields == expected(batch)
    assert count == len(fields)

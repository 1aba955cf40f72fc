"""What a batch marks: a quarter of an hour a site, whatever else is in it."""

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import Layout, ReadingBatch, Run, SeriesBook
from seatwatt.store.marks import SPAN_MS, WRITTEN, marks_of, renewed

START_MS = 1_790_000_100_000 // SPAN_MS * SPAN_MS
BOOK = SeriesBook()


def batch_of(*readings: tuple[str, int]) -> ReadingBatch:
    batch = ReadingBatch()
    for site, at_ms in readings:
        batch.append(BOOK.get(site, Device("seat", "hall-a", "017"), quantity("seat", "energy")),
                     at_ms, 1.0)
    return batch


def touched(*readings: tuple[str, int]) -> list[tuple[str, int]]:
    return [(dict(point.tags)["site"], point.time_ms - START_MS)
            for point in marks_of(batch_of(*readings)) if point.measurement == WRITTEN]


def test_one_quarter_one_site() -> None:
    assert touched(("a", START_MS), ("a", START_MS + SPAN_MS - 1)) == [("a", 0)]


def test_several_quarters_and_sites() -> None:
    assert touched(("a", START_MS), ("a", START_MS + SPAN_MS)) == [("a", 0), ("a", SPAN_MS)]
    assert touched(("a", START_MS), ("b", START_MS)) == [("a", 0), ("b", 0)]
    assert touched(("a", START_MS + SPAN_MS), ("b", START_MS)) == [("a", SPAN_MS), ("b", 0)]


def test_runs_are_marked_with_what_stands_between_them() -> None:
    batch = batch_of(("b", START_MS))
    for site, quarter in (("a", 1), ("a", 1), ("a", 3)):
        run = batch_of((site, START_MS + quarter * SPAN_MS))
        run.runs.append(Run(0, Layout(tuple(run.series)), run.taken_at_ms[0], []))
        batch.extend(run)
        batch.extend(batch_of(("c", START_MS + (quarter + 1) * SPAN_MS)))
    with_runs, without = marks_of(batch), marks_of(batch.part(0, len(batch)))
    assert [(point.tags, point.time_ms) for point in with_runs] == [
        (point.tags, point.time_ms) for point in without]
    assert [(dict(point.tags)["site"], (point.time_ms - START_MS) // SPAN_MS)
            for point in with_runs] == [("a", 1), ("a", 3), ("b", 0), ("c", 2), ("c", 4)]


def test_nothing_written_marks_nothing_and_no_clock_was_before_1970() -> None:
    assert touched() == []
    assert touched(("a", -1)) == []


def test_renewed_marks_stand_in_the_same_places() -> None:
    marks = marks_of(batch_of(("a", START_MS), ("b", START_MS)))
    again = renewed(marks)
    assert [(mark.tags, mark.time_ms) for mark in again] == [
        (mark.tags, mark.time_ms) for mark in marks]
    assert {mark.fields for mark in again}.isdisjoint(mark.fields for mark in marks)


def test_no_mark_comes_twice() -> None:
    values = {point.fields for _ in range(50) for point in marks_of(batch_of(("a", START_MS)))}
    assert len(values) == 50

"""Bisecting against a store that loses good readings with the bad ones, as InfluxDB 1.x does."""

from collections.abc import Sequence
from math import ceil, log2

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import StoreRefused, StoreTooLarge, StoreUnavailable
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.store.bisect import write_bisecting
from seatwatt.store.ports import DerivedPoint

SERIES = SeriesBook().get("s", Device("seat", "hall-a", "1"), quantity("seat", "power"))
BAD = -1.0


class LossyStore:
    """Refuses BAD values, and loses as many good readings from the front of the batch."""

    def __init__(self, size_max: int = 10**9, down_after: int = 10**9) -> None:
        self.kept: dict[int, float | str] = {}
        self.requests, self.size_max, self.down_after = 0, size_max, down_after

    def write(self, batch: ReadingBatch) -> None:
        self.requests += 1
        if self.requests > self.down_after:
            raise StoreUnavailable("down")
        if len(batch) > self.size_max:
            raise StoreTooLarge("too large")
        bad = batch.values.count(BAD)
        for at_ms, value in list(zip(batch.taken_at_ms, batch.values, strict=True))[bad:]:
            if value != BAD:
                self.kept[at_ms] = value
        if bad:
            raise StoreRefused(f"partial write: dropped={bad}")

    def write_derived(self, points: Sequence[DerivedPoint]) -> None:
        raise AssertionError("not used")

    def ping(self) -> None:
        raise AssertionError("not used")

    def close(self) -> None:
        raise AssertionError("not used")


def batch_of(values: list[float]) -> ReadingBatch:
    return ReadingBatch([SERIES] * len(values), list(range(len(values))), list(values))


values = st.lists(st.sampled_from([1.0, 2.0, 3.0, BAD]), max_size=200)


@given(values=values, size_max=st.integers(1, 300))
def test_every_good_reading_is_kept_and_every_bad_one_named(values: list[float], size_max: int
                                                            ) -> None:
    store = LossyStore(size_max)
    refused = write_bisecting(store, batch_of(values))
    bad = [n for n, value in enumerate(values) if value == BAD]
    assert [index for index, _ in refused] == bad
    assert all(words == "partial write: dropped=1" for _, words in refused)
    assert store.kept == {n: value for n, value in enumerate(values) if value != BAD}


@given(size=st.integers(1, 3000), data=st.data())
def test_requests_are_bounded(size: int, data: st.DataObject) -> None:
    bad = data.draw(st.sets(st.integers(0, size - 1), max_size=20))
    store = LossyStore()
    write_bisecting(store, batch_of([BAD if n in bad else 1.0 for n in range(size)]))
    assert store.requests <= 1 + 2 * len(bad) * (1 + ceil(log2(size)))


def test_a_good_batch_is_one_request() -> None:
    store = LossyStore()
    assert write_bisecting(store, batch_of([1.0] * 5000)) == []
    assert store.requests == 1


def test_of_two_readings_of_one_time_the_later_stands_after_bisecting() -> None:
    store = LossyStore()
    batch = ReadingBatch([SERIES] * 5, [7, 7, 7, 8, 9], [1.0, 2.0, 3.0, BAD, 4.0])
    assert [index for index, _ in write_bisecting(store, batch)] == [3]
    assert store.kept == {7: 3.0, 9: 4.0}


def test_more_refused_readings_than_allowed_is_an_error() -> None:
    store = LossyStore()
    with pytest.raises(StoreRefused, match="more than 10 of 100 readings refused"):
        write_bisecting(store, batch_of([BAD] * 100), refused_max=10)
    assert store.requests < 60


def test_a_batch_no_longer_than_allowed_ends_with_verdicts() -> None:
    assert len(write_bisecting(LossyStore(), batch_of([BAD] * 10), refused_max=10)) == 10


def test_a_single_reading_too_large_is_refused() -> None:
    refused = write_bisecting(LossyStore(size_max=0), batch_of([1.0, 2.0]))
    assert refused == [(0, "too large"), (1, "too large")]


def test_a_store_that_goes_away_in_the_middle_is_not_a_verdict() -> None:
    with pytest.raises(StoreUnavailable):
        write_bisecting(LossyStore(down_after=3), batch_of([1.0, BAD, 1.0, BAD]))

"""Sets of moments against sets of integers."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.billing.spans import Spans

edges = st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted)


def spans_of(cuts: list[int]) -> Spans:
    return Spans.of(list(zip(cuts[::2], cuts[1::2], strict=False)))


def moments(spans: Spans) -> set[int]:
    return {at for start, end in zip(spans.starts_ms, spans.ends_ms, strict=True)
            for at in range(int(start), int(end))}


@given(edges, st.integers(0, 60), st.integers(0, 60))
def test_within(cuts: list[int], start: int, end: int) -> None:
    spans = spans_of(cuts)
    assert moments(spans.within(start, end)) == moments(spans) & set(range(start, end))


@given(edges)
def test_before_and_per_interval(cuts: list[int]) -> None:
    spans, boundaries = spans_of(cuts), np.arange(0, 70, 7)
    known = moments(spans)
    assert spans.before(boundaries).tolist() == [sum(m < b for m in known) for b in boundaries]
    assert spans.per_interval(boundaries).tolist() == [
        sum(b <= m < b + 7 for m in known) for b in boundaries[:-1]]


@given(edges, edges)
def test_common_before(some: list[int], other: list[int]) -> None:
    one, two, boundaries = spans_of(some), spans_of(other), np.arange(0, 70, 5)
    common = moments(one) & moments(two)
    assert one.common_before(two, boundaries).tolist() == [
        sum(m < b for m in common) for b in boundaries]

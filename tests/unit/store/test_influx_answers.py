"""Answers of /query: the bulk path and the usual one give the same."""

import json

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.errors import StoreError, StoreMisconfigured, StoreUnavailable
from seatwatt.store.influx_answers import decode

MSGPACK = "application/x-msgpack"
T = 1_790_000_000_000


def answer(rows: list[list[object]], columns: tuple[str, ...] = ("time", "power_w")
           ) -> dict[str, object]:
    return {"results": [{"statement_id": 3, "series": [
        {"name": "seat", "tags": {"zone": "hall-a", "device": "017"}, "columns": list(columns),
         "values": rows, "partial": True}], "partial": True}]}


@given(rows=st.lists(st.tuples(st.integers(2**32, 2**62), st.floats(allow_nan=False)), max_size=50))
def test_rows_of_time_and_float(rows: list[tuple[int, float]]) -> None:
    wire = answer([[at_ms, value] for at_ms, value in rows])
    (block,) = decode(msgpack.packb(wire), MSGPACK)
    assert (block.statement, block.tags) == (3, {"zone": "hall-a", "device": "017"})
    column = block.column()
    assert list(zip(column.times_ms.tolist(), column.values.tolist(), strict=True)) == rows
    assert block.pairs() == rows
    assert block.table() == [list(row) for row in rows]


@given(rows=st.lists(st.tuples(
    st.integers(-2**62, 2**62),
    st.none() | st.integers(-2**40, 2**40) | st.floats(allow_nan=False)), max_size=50))
def test_rows_of_other_widths_take_the_usual_path(rows: list[tuple[int, float | None]]) -> None:
    wire = answer([[at_ms, value] for at_ms, value in rows])
    kept = [(at_ms, float(value)) for at_ms, value in rows if value is not None]
    for body, kind in ((msgpack.packb(wire), MSGPACK), (json.dumps(wire).encode(), "x/json")):
        (block,) = decode(body, kind)
        column = block.column()
        assert list(zip(column.times_ms.tolist(), column.values.tolist(), strict=True)) == kept
        assert block.pairs() == kept


@given(texts=st.lists(st.text()))
def test_texts(texts: list[str]) -> None:
    rows: list[list[object]] = [[T, text] for text in texts]
    (block,) = decode(msgpack.packb(answer(rows)), MSGPACK)
    assert block.pairs() == [(T, text) for text in texts]


def test_a_text_that_has_the_length_of_numbers_is_not_taken_for_them() -> None:
    rows: list[list[object]] = [[T, "12345678"], [T, "abcdefgh"]]
    (block,) = decode(msgpack.packb(answer(rows)), MSGPACK)
    assert block.pairs() == [(T, "12345678"), (T, "abcdefgh")]
    with pytest.raises(StoreMisconfigured, match="power_w is not a number"):
        block.column()


def test_documents_follow_one_another_in_a_chunked_answer() -> None:
    wire = [answer([[T, 1.0]]), answer([[T + 1, 2.0]]), {"results": [{"statement_id": 4}]},
            answer([[T, 1.0, "x"]], ("time", "a", "b"))]
    for body, kind in ((b"".join(msgpack.packb(one) for one in wire), MSGPACK),
                       ("\n".join(json.dumps(one) for one in wire).encode(), "application/json")):
        blocks = decode(body, kind)
        assert [block.table() for block in blocks] == [
            [[T, 1.0]], [[T + 1, 2.0]], [[T, 1.0, "x"]]]


def test_an_empty_answer_has_no_blocks() -> None:
    assert decode(b"", MSGPACK) == []
    assert decode(msgpack.packb({"results": [{"statement_id": 0}]}), MSGPACK) == []


@pytest.mark.parametrize(("words", "kind"), [
    ("database not found: x", StoreMisconfigured),
    ("undefined function nix()", StoreMisconfigured),
    ("query-timeout limit exceeded", StoreUnavailable),
    ("query interrupted", StoreUnavailable),
    ("engine is closed", StoreUnavailable),
    ("max-concurrent-queries limit exceeded(1, 1)", StoreUnavailable),
])
@pytest.mark.parametrize("where", ["answer", "result"])
def test_an_error_after_good_rows_is_an_error(words: str, kind: type[StoreError], where: str
                                              ) -> None:
    error = {"error": words} if where == "answer" else {"results": [{"error": words}]}
    bodies = [(msgpack.packb(answer([[T, 1.0]])) + msgpack.packb(error), MSGPACK),
              ((json.dumps(answer([[T, 1.0]])) + "\n" + json.dumps(error)).encode(), "json")]
    for body, content_type in bodies:
        with pytest.raises(kind) as caught:
            decode(body, content_type)
        assert str(caught.value) == words


@given(cut=st.integers(1, 200), text=st.booleans())
def test_an_answer_cut_short_is_never_a_short_result(cut: int, text: bool) -> None:
    rows: list[list[object]] = [[T + n, "OL" if text else float(n)] for n in range(20)]
    body = msgpack.packb(answer(rows))
    with pytest.raises(StoreUnavailable, match="cut short"):
        decode(body[:-cut], MSGPACK)


@pytest.mark.parametrize("body", [b"<html>", b"[1, 2]", b'{"hello": 1}', b'{"results": 5}'])
def test_what_is_no_answer_is_an_error(body: bytes) -> None:
    with pytest.raises(StoreUnavailable):
        decode(body, "text/html")
    with pytest.raises(StoreUnavailable):
        decode(body, MSGPACK)

"""The framer gives the same packets however the stream is cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.cli._raw_publisher import packet
from seatwatt.ingest.packets import Cut, Framer, ProtocolError, Retained

SUBACK = b"\x90\x03\x00\x01\x01"
PINGRESP = b"\xd0\x00"

messages = st.lists(st.tuples(st.text("abc/", min_size=1, max_size=9),
                              st.binary(max_size=400), st.integers(1, 65_535)), max_size=12)


@given(messages, st.lists(st.integers(1, 60), min_size=1))
def test_any_cutting_of_the_stream_gives_the_same_packets(
        sent: list[tuple[str, bytes, int]], steps: list[int]) -> None:
    stream = SUBACK + b"".join(packet(*one) for one in sent) + PINGRESP
    framer = Framer()
    found, controls = [], []
    position, turn = 0, 0
    while position < len(stream):
        step = steps[turn % len(steps)]
        got, other = framer.feed(stream[position:position + step])
        found += got
        controls += other
        position, turn = position + step, turn + 1
    assert found == [(topic.encode(), payload, mid) for topic, payload, mid in sent]
    assert controls == [(0x90, b"\x00\x01\x01"), (0xD0, b"")]


def test_a_message_of_qos_0_has_no_mid() -> None:
    found, _ = Framer().feed(b"\x30\x05\x00\x01aXY")
    assert found == [(b"a", b"XY", 0)]


def test_what_the_broker_kept_for_subscribers_is_told_from_what_comes_now() -> None:
    found, _ = Framer().feed(b"\x31\x05\x00\x01aXY" + b"\x33\x07\x00\x01a\x00\x05XY"
                             + b"\x3a\x07\x00\x01a\x00\x06XY")
    assert found == [(b"a", b"XY", 0), (b"a", b"XY", 5), (b"a", b"XY", 6)]
    assert [isinstance(payload, Retained) for _, payload, _ in found] == [True, True, False]


@given(st.integers(1, 500), st.integers(300, 3_000))
def test_of_an_oversized_message_the_head_is_kept_and_the_next_one_is_whole(
        step: int, size: int) -> None:
    stream = packet("a/b", b"x" * size, 7) + packet("a/c", b"next", 8)
    framer = Framer(largest_kept_bytes=200)
    found = []
    for start in range(0, len(stream), step):
        found += framer.feed(stream[start:start + step])[0]
    (topic, payload, mid), after = found
    assert (topic, mid, after) == (b"a/b", 7, (b"a/c", b"next", 8))
    # What came whole in one read costs nothing to keep.
    if isinstance(payload, Cut):
        assert payload.whole_bytes == size
        assert len(payload) <= 200
    else:
        assert len(payload) == size


@pytest.mark.parametrize("stream", [
    b"\x30\xff\xff\xff\xff\x01",  # a length of five bytes
    b"\x30\x01a",                 # no room for the topic's length
    b"\x32\x04\x00\x09ab",        # a topic longer than the packet
    b"\x32\x03\x00\x01a",         # no mid
])
def test_what_is_not_mqtt_ends_the_connection(stream: bytes) -> None:
    with pytest.raises(ProtocolError):
        Framer().feed(stream)

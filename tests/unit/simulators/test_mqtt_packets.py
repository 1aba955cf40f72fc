"""Packets as a broker expects them; answers in whatever pieces they come."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.simulators import mqtt_packets
from seatwatt.simulators.mqtt_packets import Answers

PUBACKS = [bytes((0x40, 2, mid >> 8, mid & 255)) for mid in (1, 7, 300, 65_535)]


@given(st.binary(max_size=40_000), st.integers(1, mqtt_packets.MID_MAX))
def test_a_publish_reads_back(payload: bytes, mid: int) -> None:
    packet = mqtt_packets.publish(b"a/b", payload, mid)
    [(kind, body)] = Answers().cut(packet)
    assert (kind, packet[0] & 0x0F) == (0x30, 0x02)
    assert body == b"\x00\x03a/b" + mid.to_bytes(2, "big") + payload


def test_a_publish_sent_again_says_so() -> None:
    packet = mqtt_packets.publish(b"a", b"x", 1)
    assert mqtt_packets.again(packet) == b"\x3a" + packet[1:]


@pytest.mark.parametrize(("user", "password", "flags"), [
    ("", "", 0x02), ("u", "", 0x82), ("u", "p", 0xC2), ("", "p", 0x02)])
def test_who_connects(user: str, password: str, flags: int) -> None:
    [(kind, body)] = Answers().cut(mqtt_packets.connect("me", user, password))
    assert (kind, body[:7], body[7]) == (0x10, b"\x00\x04MQTT\x04", flags)
    assert body[8:14] == b"\x00\x00\x00\x02me"
    assert body[14:] == b"".join(len(text).to_bytes(2, "big") + text.encode()
                                 for text in ((user, password) if user else ()) if text)


@given(st.lists(st.integers(0, 16), max_size=4))
def test_answers_come_in_pieces(cuts: list[int]) -> None:
    data, answers, found = b"".join(PUBACKS), Answers(), []
    edges = [0, *sorted(cuts), len(data)]
    for start, end in pairwise(edges):
        found += answers.cut(data[start:end])
    assert [int.from_bytes(body, "big") for _, body in found] == [1, 7, 300, 65_535]

"""The few MQTT 3.1.1 packets that a publisher needs, as bytes; no socket."""

from dataclasses import dataclass, field

CONNACK, PUBACK = 0x20, 0x40
DISCONNECT = b"\xe0\x00"
MID_MAX = 65_535
TOPIC_BYTES_MAX = 65_535
REFUSALS = {1: "protocol refused", 2: "client id refused", 3: "broker unavailable",
            4: "bad user name or password", 5: "not authorised"}


def connect(client_id: str, user: str, password: str) -> bytes:
    """CONNECT with a clean session and no keep-alive: who waits for a PUBACK notices silence."""
    flags = 0x02 | (0x80 if user else 0) | (0x40 if user and password else 0)
    body = b"\x00\x04MQTT\x04" + bytes([flags]) + b"\x00\x00" + _text(client_id)
    if user:
        body += _text(user) + (_text(password) if password else b"")
    return b"\x10" + remaining_length(len(body)) + body


def publish(topic: bytes, payload: bytes, mid: int) -> bytes:
    """PUBLISH at QoS 1, not retained."""
    return b"".join((b"\x32", remaining_length(len(topic) + 4 + len(payload)),
                     len(topic).to_bytes(2, "big"), topic, mid.to_bytes(2, "big"), payload))


def again(packet: bytes) -> bytes:
    """The same PUBLISH, marked as sent before."""
    return b"\x3a" + packet[1:]


def _text(text: str) -> bytes:
    data = text.encode()
    return len(data).to_bytes(2, "big") + data


def remaining_length(count: int) -> bytes:
    """How many bytes follow, seven bits a byte, the lowest first (MQTT 3.1.1, 2.2.3)."""
    digits = bytearray()
    while count > 127:
        digits.append(count & 127 | 128)
        count >>= 7
    digits.append(count)
    return bytes(digits)


@dataclass(slots=True)
class Answers:
    """Bytes from the broker, cut into (packet type, body)."""

    _rest: bytes = field(default=b"")

    def cut(self, data: bytes) -> list[tuple[int, bytes]]:
        """The packets that are complete with `data`; the rest waits for more."""
        data = self._rest + data
        found, at = [], 0
        while (span := _span(data, at)) is not None:
            start, end = span
            found.append((data[at] & 0xF0, data[start:end]))
            at = end
        self._rest = data[at:]
        return found


def _span(data: bytes, at: int) -> tuple[int, int] | None:
    """Where the body of the packet at `at` starts and ends; None while it is not complete."""
    length = shift = 0
    for place in range(at + 1, min(at + 5, len(data))):
        length |= (data[place] & 127) << shift
        if data[place] < 128:
            end = place + 1 + length
            return (place + 1, end) if end <= len(data) else None
        shift += 7
    return None

"""Cutting the broker's byte stream into MQTT 3.1.1 packets, many at a time; no socket here.

Reading a packet byte by byte costs several times what the rest of ingest does to a message.
"""

LARGEST_KEPT_BYTES = 8 << 20
"""Of a packet beyond this only so many bytes are kept, so that one sender cannot eat the memory."""

Message = tuple[bytes, bytes, int]
"""(topic, payload, mid); mid is 0 for QoS 0, which wants no acknowledgement."""

Control = tuple[int, bytes]
"""(first byte, body) of a packet that carries no message: CONNACK, SUBACK, PINGRESP ..."""

_PUBLISH = 0x30


class ProtocolError(Exception):
    """The broker sent what is not MQTT; only a new connection helps."""


class Retained(bytes):
    """A payload that the broker kept for whoever subscribes: it comes again each time we do."""


class Cut(bytes):
    """The head of a payload too large to be kept; `whole_bytes` is how long it was."""

    whole_bytes: int


class Framer:
    """Feed it what the socket gave; it returns the packets that are complete by now.

    Controls and messages are returned apart: none of the controls that can follow a message on a
    live connection changes what the message means.
    """

    def __init__(self, largest_kept_bytes: int = LARGEST_KEPT_BYTES) -> None:
        self._largest_kept = largest_kept_bytes
        self._held: list[bytes] = []
        self._have = 0
        self._need = 0

    def feed(self, data: bytes) -> tuple[list[Message], list[Control]]:
        """Complete packets in order of arrival; ProtocolError when the bytes are not MQTT."""
        messages: list[Message] = []
        controls: list[Control] = []
        if self._held:
            self._have += len(data)
            if self._have < self._need:
                if self._have - len(data) < self._largest_kept:
                    self._held.append(data)
                return messages, controls
            held, self._held = self._held, []
            if self._need > self._largest_kept:
                messages.append(_cut(b"".join(held), self._need, self._largest_kept))
                data = data[len(data) - (self._have - self._need):]
            else:
                held.append(data)
                data = b"".join(held)
            held.clear()  # a large packet need not be held twice while it is cut
        used = _split(data, messages, controls)
        if used < len(data):
            self._hold(data[used:])
        return messages, controls

    def _hold(self, rest: bytes) -> None:
        bounds = _bounds(rest, 0)
        self._held, self._have = [rest], len(rest)
        self._need = bounds[1] if bounds else len(rest) + 1


def _bounds(data: bytes, position: int) -> tuple[int, int] | None:
    """[start, stop) of the body of the packet at `position`; None while its header is not whole."""
    length, shift = 0, 0
    for start in range(position + 1, position + 5):
        if start >= len(data):
            return None
        length |= (data[start] & 127) << shift
        if data[start] < 128:
            return start + 1, start + 1 + length
        shift += 7
    raise ProtocolError("a packet's length takes more than four bytes")


def _split(data: bytes, messages: list[Message], controls: list[Control]) -> int:
    """Append the whole packets of `data`; returns where the first incomplete one starts."""
    position, end = 0, len(data)
    while position + 2 <= end:
        length = data[position + 1]
        if length < 128:
            start, stop = position + 2, position + 2 + length
        else:
            bounds = _bounds(data, position)
            if bounds is None:
                break
            start, stop = bounds
        if stop > end:
            break
        first = data[position]
        if first & 0xF0 == _PUBLISH:
            messages.append(_message(first, data, start, stop))
        else:
            controls.append((first, data[start:stop]))
        position = stop
    return position


def _message(first: int, data: bytes, start: int, stop: int) -> Message:
    if stop - start < 2:
        raise ProtocolError("a PUBLISH packet without a topic")
    after = start + 2 + (data[start] << 8 | data[start + 1])
    body = after + 2 if first & 6 else after
    if body > stop:
        raise ProtocolError("a PUBLISH packet shorter than its own header")
    mid = data[after] << 8 | data[after + 1] if first & 6 else 0
    payload = data[body:stop]
    return data[start + 2:after], Retained(payload) if first & 1 else payload, mid


def _cut(head: bytes, whole: int, largest_kept: int) -> Message:
    """The message of a packet of `whole` bytes of which only `head` was kept."""
    if head[0] & 0xF0 != _PUBLISH:
        raise ProtocolError("an oversized packet that is not a PUBLISH")
    bounds = _bounds(head, 0)
    if bounds is None:
        raise ProtocolError("an oversized packet without a header")
    topic, payload, mid = _message(head[0], head, bounds[0], len(head))
    cut = Cut(payload[:largest_kept])
    cut.whole_bytes = whole - (len(head) - len(payload))
    return topic, cut, mid

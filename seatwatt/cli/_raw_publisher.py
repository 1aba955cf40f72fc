"""A publisher that costs next to nothing: packets made beforehand, a bare socket, QoS 1.

For measuring and testing only: it keeps nothing, so a connection that breaks is its end.
"""

import contextlib
import socket
import threading
from collections.abc import Iterable

from seatwatt.simulators.mqtt_packets import remaining_length

_CONNACK_BYTES = 4
_PUBACK_BYTES = 4
_TIMEOUT_S = 60.0


def packet(topic: str, payload: bytes, mid: int) -> bytes:
    """One PUBLISH at QoS 1; `mid` from 1 to 65,535."""
    name = topic.encode()
    body = len(name).to_bytes(2, "big") + name + mid.to_bytes(2, "big") + payload
    return b"\x32" + remaining_length(len(body)) + body


def packets(messages: Iterable[tuple[str, bytes]]) -> list[bytes]:
    """One PUBLISH for each (topic, payload)."""
    return [packet(topic, payload, number % 65_535 + 1)
            for number, (topic, payload) in enumerate(messages)]


class RawPublisher:
    """One connection; `send` returns when the bytes are with the broker, `settled` when all of
    them are acknowledged."""

    def __init__(self, port: int, client_id: str = "raw", host: str = "127.0.0.1") -> None:
        self._socket = socket.create_connection((host, port), timeout=_TIMEOUT_S)
        name = client_id.encode()
        hello = b"\x00\x04MQTT\x04\x02\x00\x00" + len(name).to_bytes(2, "big") + name
        self._socket.sendall(b"\x10" + remaining_length(len(hello)) + hello)
        answer = self._socket.recv(_CONNACK_BYTES)
        if len(answer) < _CONNACK_BYTES or answer[3]:
            raise ConnectionError(f"broker refuses the publisher: {answer!r}")
        self._sent = self._acked_bytes = 0
        self._changed = threading.Condition()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    @property
    def acknowledged(self) -> int:
        """Packets the broker has acknowledged."""
        return self._acked_bytes // _PUBACK_BYTES

    def send(self, ready: Iterable[bytes]) -> None:
        """Send packets made by `packets`."""
        ready = list(ready)
        self._sent += len(ready)
        self._socket.sendall(b"".join(ready))

    def settled(self, timeout_s: float = _TIMEOUT_S) -> None:
        """Wait for all acknowledgements; TimeoutError when they do not come."""
        with self._changed:
            if not self._changed.wait_for(lambda: self.acknowledged >= self._sent, timeout_s):
                raise TimeoutError(f"{self.acknowledged} of {self._sent} acknowledged")

    def close(self) -> None:
        """Say goodbye, if anybody listens."""
        with contextlib.suppress(OSError):
            self._socket.sendall(b"\xe0\x00")
            self._socket.shutdown(socket.SHUT_RDWR)
        self._reader.join(_TIMEOUT_S)
        self._socket.close()

    def _read(self) -> None:
        while True:
            try:
                got = self._socket.recv(65_536)
            except OSError:
                return
            if not got:
                return
            with self._changed:
                self._acked_bytes += len(got)
                self._changed.notify_all()

"""The bounded queue between the network thread and the decoder."""

import threading
from dataclasses import dataclass

from seatwatt.ingest.packets import Message


@dataclass(frozen=True, slots=True)
class Delivery:
    """What one read of the socket brought, on connection number `epoch`."""

    epoch: int
    received_at_ms: int
    messages: list[Message]
    size: int
    """Bytes of topics and payloads."""


def size_of(messages: list[Message]) -> int:
    """Bytes of topics and payloads."""
    return sum([len(topic) + len(payload) for topic, payload, _ in messages])


class Intake:
    """Deliveries waiting for the decoder, bounded by messages and by bytes.

    `put` never blocks and never drops: who fills it looks at `has_room` before reading on, so the
    bound is passed by one read of the socket at most.
    """

    def __init__(self, max_messages: int, max_bytes: int) -> None:
        self._max_messages, self._max_bytes = max_messages, max_bytes
        self._waiting: list[Delivery] = []
        self._changed = threading.Condition()
        self._messages = self._bytes = 0
        self._closed = False

    @property
    def messages(self) -> int:
        """Messages waiting."""
        return self._messages

    @property
    def bytes(self) -> int:
        """Bytes waiting."""
        return self._bytes

    @property
    def closed(self) -> bool:
        """Whether nothing more will come."""
        return self._closed

    def has_room(self) -> bool:
        """Whether the bounds allow to read on."""
        return self._messages < self._max_messages and self._bytes < self._max_bytes

    def put(self, delivery: Delivery) -> None:
        """Add one delivery at the end."""
        with self._changed:
            self._waiting.append(delivery)
            self._messages += len(delivery.messages)
            self._bytes += delivery.size
            self._changed.notify()

    def take(self, timeout_s: float | None) -> list[Delivery]:
        """Everything that waits; empty after `timeout_s` without any, or once closed.

        It counts towards the bounds until it is `done`.
        """
        with self._changed:
            if not self._waiting and not self._closed:
                self._changed.wait(timeout_s)
            taken, self._waiting = self._waiting, []
            return taken

    def done(self, delivery: Delivery) -> None:
        """What was taken is sorted: there is room for as much again."""
        with self._changed:
            self._messages -= len(delivery.messages)
            self._bytes -= delivery.size

    def close(self) -> None:
        """Nothing more will come: wake who waits."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()

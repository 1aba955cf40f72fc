"""The account of every message: `received = stored + journalled + quarantined + in flight`.

Counted by message. A message with any refused record is quarantined, whole and for good, though
its good readings are stored as well. What the journal held at start is received again, from disk.
"""

import threading
from dataclasses import dataclass, fields, replace


@dataclass(frozen=True, slots=True)
class Account:
    """The counts at one moment. Messages, but for `readings`."""

    received: int = 0
    stored: int = 0
    journalled: int = 0
    """On disk in the journal now, not yet in the store."""
    quarantined: int = 0
    in_flight: int = 0
    """In memory: not acknowledged, and redelivered by the broker if we die."""
    aside: int = 0
    """Seen and acknowledged, but no readings: status messages, receipts, the broker's own figures.
    Not in `received`."""
    readings: int = 0
    """Readings stored."""

    @property
    def balanced(self) -> bool:
        """Whether every message received is in exactly one place."""
        return self.received == (self.stored + self.journalled + self.quarantined
                                 + self.in_flight)

    def plus(self, other: "Account") -> "Account":
        """The sum of two processes."""
        return Account(**{f.name: getattr(self, f.name) + getattr(other, f.name)
                          for f in fields(self)})


class Counts:
    """Moves messages from one place to another; every move is seen whole or not at all."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._account = Account()

    def account(self) -> Account:
        """The counts now, consistent with one another."""
        return self._account

    def received(self, messages: int) -> None:
        """From the broker into memory."""
        self._move(received=messages, in_flight=messages)

    def recovered(self, messages: int) -> None:
        """Found in the journal at start."""
        self._move(received=messages, journalled=messages)

    def aside(self, messages: int) -> None:
        """Seen, acknowledged, none of our readings."""
        self._move(aside=messages)

    def placed(self, stored: int, quarantined: int, readings: int) -> None:
        """From memory into the store and the quarantine."""
        self._move(in_flight=-stored - quarantined, stored=stored, quarantined=quarantined,
                   readings=readings)

    def journalled(self, journalled: int, quarantined: int) -> None:
        """From memory into the journal, and what is refused into the quarantine."""
        self._move(in_flight=-journalled - quarantined, journalled=journalled,
                   quarantined=quarantined)

    def drained(self, stored: int, quarantined: int, readings: int) -> None:
        """From the journal into the store and the quarantine."""
        self._move(journalled=-stored - quarantined, stored=stored, quarantined=quarantined,
                   readings=readings)

    def _move(self, **by: int) -> None:
        with self._lock:
            now = self._account
            self._account = replace(now, **{name: getattr(now, name) + step
                                            for name, step in by.items()})

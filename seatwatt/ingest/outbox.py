"""What other threads want the network thread to send: acknowledgements and receipts."""

import threading
from collections import deque
from collections.abc import Mapping, Sequence

LONGEST = 10_000
"""Receipts kept while there is no connection; a gateway sends again what got none."""


class Outbox:
    """Acks carry the number of the connection they came by, for on another one the same mid
    may belong to a new message, which an old ack would lose."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._acks: list[tuple[int, Sequence[int]]] = []
        self._receipts: deque[tuple[str, bytes]] = deque(maxlen=LONGEST)

    def put(self, acks: Mapping[int, Sequence[int]], receipts: Mapping[str, bytes]) -> None:
        """Acknowledge these mids by connection, and publish these receipts by topic."""
        with self._lock:
            self._acks += acks.items()
            self._receipts.extend(receipts.items())

    def take_acks(self, epoch: int) -> list[int]:
        """Mids of connection `epoch`; those of earlier ones are discarded."""
        if not self._acks:
            return []
        with self._lock:
            taken, self._acks = self._acks, []
        return [mid for of, mids in taken if of == epoch for mid in mids]

    def take_receipts(self) -> list[tuple[str, bytes]]:
        """Receipts in order, each once."""
        if not self._receipts:
            return []
        with self._lock:
            taken = list(self._receipts)
            self._receipts.clear()
        return taken

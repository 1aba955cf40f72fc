"""Telling a second client with our id from a broker that is merely down.

In MQTT 3.1.1 the broker just closes the connection of the client that was there first, and takes
us back at once when we come again: established connections lost in quick succession, with no
failed attempt between them.
"""

from collections import deque

_WINDOW_S = 60.0


class Takeovers:
    """Counts established connections lost within a minute."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._lost: deque[float] = deque()

    def lost(self, now_s: float) -> bool:
        """An established connection was closed under us; whether that is once too often."""
        self._lost.append(now_s)
        while self._lost[0] <= now_s - _WINDOW_S:
            self._lost.popleft()
        return len(self._lost) >= self._limit

    def refused(self) -> None:
        """The broker did not answer: what was lost before is explained by that."""
        self._lost.clear()

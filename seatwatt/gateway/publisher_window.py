"""Which packs are on their way: sent, and not yet receipted. Pure; time is an argument."""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
_DOUBLINGS_MAX = 6


@dataclass(slots=True)
class _Sent:
    at_s: float
    tries: int = 1


class Window(Generic[Key]):
    """At most `size` packs on their way; what has no receipt after `patience_s` is due again.

    While no receipt comes at all, only the oldest is sent again, ever more rarely: to a broker
    without an ingest every repetition is one more message in a queue.
    """

    def __init__(self, size: int, patience_s: float) -> None:
        self._size, self._patience_s = size, patience_s
        self._waiting: dict[Key, _Sent] = {}
        self._receipt_s = float("-inf")

    def __len__(self) -> int:
        return len(self._waiting)

    def __contains__(self, key: Key) -> bool:
        return key in self._waiting

    @property
    def room(self) -> int:
        """Packs that may be sent now."""
        return max(0, self._size - len(self._waiting))

    def sent(self, key: Key, now_s: float) -> None:
        """It went out, once more if it was on its way already."""
        known = self._waiting.get(key)
        if known is None:
            self._waiting[key] = _Sent(now_s)
        else:
            known.at_s, known.tries = now_s, known.tries + 1

    def stored(self, keys: Iterable[Key], now_s: float) -> None:
        """Receipts came."""
        self._receipt_s = now_s
        for key in keys:
            self._waiting.pop(key, None)

    def drop(self, key: Key) -> None:
        """It is not there any more."""
        self._waiting.pop(key, None)

    def due(self, now_s: float) -> list[Key]:
        """What to send again."""
        overdue = [(key, sent) for key, sent in self._waiting.items()
                   if now_s - sent.at_s >= self._patience(sent)]
        passed_over = [key for key, sent in overdue if sent.at_s < self._receipt_s]
        return passed_over or self._probe(now_s)

    def _probe(self, now_s: float) -> list[Key]:
        oldest = next(iter(self._waiting.items()), None)
        if oldest is None or now_s - oldest[1].at_s < self._patience(oldest[1]):
            return []
        return [oldest[0]]

    def clear(self) -> set[Key]:
        """The connection is gone, and with it the knowledge of what arrived: what was on its
        way."""
        waiting = set(self._waiting)
        self._waiting.clear()
        return waiting

    def _patience(self, sent: _Sent) -> float:
        return self._patience_s * float(2 ** min(sent.tries - 1, _DOUBLINGS_MAX))

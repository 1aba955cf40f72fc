"""How often something may be done."""

import threading
from collections import OrderedDict

_KNOWN_MAX = 4096


class RateLimit:
    """A bucket of `burst` requests a name, refilled at `per_s`."""

    def __init__(self, per_s: float, burst: int) -> None:
        self._per_s, self._burst = per_s, burst
        self._buckets: OrderedDict[str, tuple[float, int]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, name: str, now_ms: int) -> int:
        """0, and one request is taken; else the whole seconds to wait for one."""
        with self._lock:
            left, at_ms = self._buckets.get(name, (float(self._burst), now_ms))
            left = min(self._burst, left + max(0, now_ms - at_ms) / 1000 * self._per_s)
            wait_s = 0 if left >= 1 else max(1, round((1 - left) / self._per_s + 0.5))
            self._buckets[name] = (left if wait_s else left - 1, now_ms)
            self._buckets.move_to_end(name)
            while len(self._buckets) > _KNOWN_MAX:
                self._buckets.popitem(last=False)
            return wait_s

    def give_back(self, name: str) -> None:
        """One that was taken does not count."""
        with self._lock:
            if name in self._buckets:
                left, at_ms = self._buckets[name]
                self._buckets[name] = (min(self._burst, left + 1), at_ms)

"""When to try the store again: backing off with jitter, and obeying its own wish."""

import threading
import time
from collections.abc import Callable
from random import Random

from seatwatt.contract.errors import StoreError

_FIRST_S = 0.5
_LONGEST_S = 5.0


class Gate:
    """Open while the store takes readings; closed after it failed, until the next try is due."""

    def __init__(self, jitter: Random | None = None,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        self._jitter, self._monotonic = jitter or Random(), monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._try_at_s = 0.0
        self.problem = ""

    @property
    def is_open(self) -> bool:
        """Whether the last try went well."""
        return self._failures == 0

    def wait_s(self) -> float:
        """How long until the next try is due; 0 when it is."""
        return max(0.0, self._try_at_s - self._monotonic())

    def succeeded(self) -> None:
        """The store took readings."""
        with self._lock:
            self._failures, self._try_at_s, self.problem = 0, 0.0, ""

    def failed(self, error: StoreError) -> None:
        """The store did not; its own wish for a pause wins over ours."""
        wish_s = getattr(error, "retry_after_s", None)
        with self._lock:
            delay_s = min(_LONGEST_S, _FIRST_S * 2 ** min(self._failures, 10))
            delay_s *= self._jitter.uniform(0.75, 1.25)
            self._failures += 1
            self._try_at_s = self._monotonic() + (delay_s if wish_s is None else wish_s)
            self.problem = str(error)

"""When to try the store again: backing off with jitter, and obeying its own wish."""

import logging
import threading
import time
from collections.abc import Callable
from random import Random

from seatwatt.contract.errors import StoreError

LOG = logging.getLogger("seatwatt.ingest")
_FIRST_S = 0.5
_LONGEST_S = 5.0
_REMIND_S = 60.0
_WISH_MAX_S = 600.0
"""A store that asks for a longer pause is tried so often all the same."""


class Gate:
    """Open while the store takes readings; closed after it failed, until the next try is due."""

    def __init__(self, jitter: Random | None = None,
                 monotonic: Callable[[], float] = time.monotonic) -> None:
        self._jitter, self._monotonic = jitter or Random(), monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._try_at_s = self._said_at_s = 0.0
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
            if self._failures:
                LOG.warning("the store takes readings again")
            self._failures, self._try_at_s, self.problem = 0, 0.0, ""

    def failed(self, error: StoreError) -> None:
        """The store did not; its own wish for a pause wins over ours."""
        wish_s = getattr(error, "retry_after_s", None)
        with self._lock:
            delay_s = min(_LONGEST_S, _FIRST_S * 2 ** min(self._failures, 10))
            delay_s *= self._jitter.uniform(0.75, 1.25)
            now_s = self._monotonic()
            self._try_at_s = now_s + (delay_s if wish_s is None else min(wish_s, _WISH_MAX_S))
            self.problem = str(error)
            if not self._failures or now_s - self._said_at_s >= _REMIND_S:
                LOG.error("the store takes no readings, they wait in the journal: %s", error)
                self._said_at_s = now_s
            self._failures += 1

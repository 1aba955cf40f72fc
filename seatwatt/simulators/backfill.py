"""History through the front door: a world's past, published in packs and counted when stored.

The embedded broker acknowledges before it routes and sends nothing twice, so acknowledgements
prove nothing here: a stretch is done when ingest has stored as many messages as were published,
and is published again when it has not (the same reading at the same time overwrites itself).
"""

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass

from seatwatt.contract.errors import SeatwattError
from seatwatt.simulators.messages import Outgoing, packs
from seatwatt.simulators.publisher import Publisher
from seatwatt.simulators.sampling import Pace, Sampler

LOG = logging.getLogger("seatwatt.simulators")
PACK_READINGS = 300
STRETCH_MS = 24 * 3600 * 1000
AHEAD_MESSAGES = 120
"""Published and not yet stored, at most: what waits in the broker is never much."""
STALL_S = 10.0
TRIES = 5
_LOOK_EVERY_S = 0.005


class BackfillError(SeatwattError):
    """History was published several times over and never arrived whole."""


@dataclass(frozen=True, slots=True)
class Backfill:
    """What a back-fill needs: who samples, who publishes, how many messages are stored."""

    sampler: Sampler
    publisher: Publisher
    stored: Callable[[], int]
    site: str
    pace: Pace

    def run(self, start_ms: int, end_ms: int, progress: Callable[[int], None]) -> int:
        """Publish [start_ms, end_ms); `progress` is told how many milliseconds are stored.
        Returns the number of readings."""
        readings, at_ms = 0, start_ms
        while at_ms < end_ms:
            until_ms = min(at_ms + STRETCH_MS, end_ms)
            batch = self.sampler.readings(at_ms, until_ms, self.pace)
            self._stretch(list(packs(batch, self.site, PACK_READINGS)))
            readings, at_ms = readings + len(batch), until_ms
            progress(at_ms - start_ms)
        return readings

    def _stretch(self, messages: list[Outgoing]) -> None:
        for _ in range(TRIES):
            if self._publish(messages):
                return
            LOG.warning("not all of %d messages were stored: publishing them again", len(messages))
        raise BackfillError(f"{self.publisher.where}: {len(messages)} messages were published "
                            f"{TRIES} times and not all of them were stored")

    def _publish(self, messages: list[Outgoing]) -> bool:
        """Whether all of them were stored."""
        before = self.stored()
        for sent, (_, topic, payload) in enumerate(messages):
            if not self._reach(before + sent - AHEAD_MESSAGES):
                return False
            self.publisher.publish(topic, payload)
        return self._reach(before + len(messages))

    def _reach(self, count: int) -> bool:
        """Wait until so many messages are stored; False when nothing moves for STALL_S."""
        seen, since_s = self.stored(), time.monotonic()
        while seen < count:
            time.sleep(_LOOK_EVERY_S)
            now = self.stored()
            if now != seen:
                seen, since_s = now, time.monotonic()
            elif time.monotonic() - since_s > STALL_S:
                return False
        return True

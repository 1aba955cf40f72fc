"""Whether the wall clock can be believed: compared with one that nobody sets.

A machine without a battery wakes up in 1970 (or at its last shutdown) and is put right by NTP
some time later; others are put right by a jump. Pure: both clocks are given.
"""

from seatwatt.gateway.ports import Clock

YEAR_2020_MS = 1_577_836_800_000
"""A clock before that was never set."""
STEP_MS = 1_000
"""Smaller moves are NTP's ordinary slewing or the scheduler's delay."""


class ClockWatch:
    """Look often: a step is what the wall clock moved against the other since the last look."""

    def __init__(self, wall: Clock, steady: Clock) -> None:
        """`steady` counts milliseconds since the machine's start and is never set."""
        self._wall, self._steady = wall, steady
        self._offset_ms = self.unset_offset_ms = wall() - steady()
        self._stepped_at_ms = steady()
        self._moved_ms = 0

    @property
    def offset_ms(self) -> int:
        """Wall minus steady clock at the last look."""
        return self._offset_ms

    @property
    def is_set(self) -> bool:
        """Whether the clock was ever set, as of the last look."""
        return self._offset_ms + self._steady() >= YEAR_2020_MS

    @property
    def calm_s(self) -> float:
        """Since the last step, or since we began."""
        return (self._steady() - self._stepped_at_ms) / 1000

    def look(self) -> int:
        """By how many milliseconds the wall clock was put forward since the last look (negative:
        back); 0 when it was not."""
        if not self.is_set:
            self.unset_offset_ms = self._offset_ms
        offset_ms = self._wall() - self._steady()
        moved_ms, self._offset_ms = offset_ms - self._offset_ms, offset_ms
        if abs(moved_ms) < STEP_MS:
            return 0
        self._moved_ms += moved_ms
        self._stepped_at_ms = self._steady()
        return moved_ms

    def moved_s(self) -> float:
        """The steps since this was last asked, together."""
        moved_ms, self._moved_ms = self._moved_ms, 0
        return moved_ms / 1000

    def right_time_ms(self, taken_at_ms: int, offset_then_ms: int) -> int:
        """When a reading was taken, by the clock as it is now: it was stamped while the wall
        clock stood `offset_then_ms` from the steady one."""
        return taken_at_ms + self._offset_ms - offset_then_ms

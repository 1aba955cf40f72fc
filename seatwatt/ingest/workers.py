"""Several ingest processes on one broker: started, watched, restarted and stopped together.

A dead member's share of the messages waits for it in the broker, so it must come back under the
same id; and a member that is no longer wanted must be sent for what still waits for it.
"""

import logging
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

LOG = logging.getLogger("seatwatt.ingest")
_STOP_S = 40.0
_TICK_S = 0.2
_QUICK_S = 10.0
_QUICK_ENDS_MAX = 5
_PAUSE_S = 1.0


def retired(state: Path, client_id: str, workers: int) -> list[int]:
    """Numbers above `workers` of which the folder still holds what they subscribed."""
    found = []
    for path in state.glob(f"subscriptions-{client_id}-*.json"):
        number = path.stem.rpartition("-")[2]
        if number.isdecimal() and int(number) > workers:
            found.append(int(number))
    return sorted(found)


@dataclass
class _Member:
    number: int
    process: "subprocess.Popen[bytes]"
    started_s: float
    quick_ends: int = 0
    start_at_s: float = 0.0
    done: bool = False


@dataclass
class Workers:
    """Runs one process a number; `command(number)` is how one is started.

    One that ends is started again, unless it is to end by itself (`once`). One that keeps ending
    at once ends all: `failed` says so.
    """

    command: Callable[[int], Sequence[str]]
    numbers: Sequence[int]
    once: frozenset[int] = frozenset()
    failed: str = ""
    _members: list[_Member] = field(default_factory=list)

    @property
    def pids(self) -> list[int]:
        """Process ids, in the order of the numbers."""
        return [member.process.pid for member in self._members]

    def run(self, asked: threading.Event) -> None:
        """Until `asked` is set or a worker cannot be kept alive; then stop all."""
        self._members = [_Member(number, self._start(number), time.monotonic())
                         for number in self.numbers]
        try:
            while not asked.wait(_TICK_S) and not self.failed:
                for member in self._members:
                    self._look_after(member)
        finally:
            self._stop()

    def _start(self, number: int) -> "subprocess.Popen[bytes]":
        return subprocess.Popen(list(self.command(number)))

    def _look_after(self, member: _Member) -> None:
        status = member.process.poll()
        if status is None or member.done:
            return
        now_s = time.monotonic()
        if member.start_at_s == 0.0:
            if status == 0 and member.number in self.once:
                member.done = True
                return
            quick = now_s - member.started_s < _QUICK_S
            member.quick_ends = member.quick_ends + 1 if quick else 0
            member.start_at_s = now_s + (_PAUSE_S if quick else 0.0)
            LOG.warning("worker %d ended with status %d: starting it again", member.number, status)
            if member.quick_ends >= _QUICK_ENDS_MAX:
                self.failed = f"worker {member.number} ends as soon as it is started"
        elif now_s >= member.start_at_s:
            member.process, member.started_s = self._start(member.number), now_s
            member.start_at_s = 0.0

    def _stop(self) -> None:
        for member in self._members:
            if member.process.poll() is None:
                member.process.send_signal(signal.SIGTERM)
        deadline = time.monotonic() + _STOP_S
        for member in self._members:
            try:
                member.process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                member.process.kill()
                member.process.wait()

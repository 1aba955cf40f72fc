"""Group commit: samples are gathered for a moment and go to disk together.

A thread of its own, so that a slow disk delays no device. While the disk takes nothing, live
packs go to the publisher from memory.
"""

import logging
import secrets
import threading
from collections.abc import Sequence
from itertools import count

from seatwatt.gateway.clockwatch import ClockWatch
from seatwatt.gateway.packs import Draft, Packer
from seatwatt.gateway.ports import Clock, Sample
from seatwatt.gateway.publisher_flow import Flow
from seatwatt.gateway.spool import Spool, SpoolFull
from seatwatt.gateway.spool_held import Held, is_unset, restamped

LOG = logging.getLogger("seatwatt.gateway")
PENDING_MAX = 200_000
_EARLY = 3_000
_AGE_CHECK_MS = 60_000
_CALM_S = 3_600.0
_STOP_S = 30.0


class SpoolWriter:
    """`take` may be called from any thread and does no I/O."""

    def __init__(self, spool: Spool, flow: Flow, packer: Packer, watch: ClockWatch,
                 clock: Clock, commit_s: float, boot: str) -> None:
        """`boot` names this start of the machine, from which the watch's steady clock counts."""
        self._spool, self._flow, self._packer, self._watch = spool, flow, packer, watch
        self._clock, self._commit_s, self._boot = clock, commit_s, boot
        self._lock = threading.Lock()
        self._pending: list[Sample] = []
        self._some, self._many = threading.Event(), threading.Event()
        self._stopping, self._age_checked_ms = False, 0
        self._run_id, self._numbers = secrets.token_hex(4), count(1)
        self._full, self._told_drops, self._told_ms = False, spool.dropped, 0
        self._counted: dict[str, int] = {}
        self._surplus = self._timeless = self._unspooled = 0
        self._thread = threading.Thread(target=self._run, name="gateway-spool", daemon=True)

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def problem(self) -> str:
        """Why nothing is spooled now; empty while it is."""
        return "the disk takes nothing: live packs rest in memory alone" if self._full else ""

    def start(self) -> None:
        """Commit from now on."""
        self._thread.start()

    def stop(self) -> None:
        """Commit what is there and end."""
        self._stopping = True
        self._some.set()
        self._many.set()
        if self._thread.is_alive():
            self._thread.join(_STOP_S)

    def take(self, samples: Sequence[Sample]) -> None:
        """Have these on disk within `commit_s`."""
        with self._lock:
            self._pending += samples
            waiting = len(self._pending)
        if waiting:
            self._some.set()
        if waiting >= _EARLY:
            self._many.set()

    def step(self) -> None:
        """Read what waits, sort it by whether its time is known, write it."""
        samples = self._waiting()
        held = self._spool.held() if self._watch.is_set else []
        drafts, unset = self._sorted(samples, held)
        back = [] if self._full else self._flow.reclaimed()
        self._count()
        try:
            self._spool.commit([*back, *drafts], self._now_ms(), unset, let_go=bool(held))
            if self._full:
                LOG.warning("spool: the disk takes packs again")
                self._some.set()  # those in memory are next
            self._full = False
            self._tell_drops()
        except SpoolFull as error:
            self._unspooled -= sum(len(draft.batch) for draft in back)
            live = drafts if not held else self._packer.drafts(self._known(samples))
            self._beside([*back, *live], unset)
            if not self._full:
                LOG.error("%s: live packs go out from memory", error)
            self._full = True

    def _run(self) -> None:
        while not self._stopping:
            # Receipts too are worth a commit, at the same pace.
            if not self._some.wait(self._commit_s) and not self._spool.has_news:
                continue
            self._many.wait(self._commit_s)
            self._step_or_say()
        self._step_or_say()

    def _step_or_say(self) -> None:
        try:
            self.step()
        # Whatever these samples were, the next ones must not suffer from it.
        except Exception:
            LOG.exception("spool: samples lost")

    def _waiting(self) -> list[Sample]:
        with self._lock:
            samples, self._pending = self._pending, []
            self._some.clear()
            self._many.clear()
        surplus = len(samples) - PENDING_MAX
        if surplus > 0:
            self._surplus += surplus
            del samples[:surplus]
        return samples

    def _sorted(self, samples: list[Sample], held: list[Held]) -> tuple[list[Draft], list[Held]]:
        if not self._watch.is_set:
            unset = [one for one in samples if is_unset(one)]
            later = [Held(self._boot, self._watch.offset_ms, unset)] if unset else []
            return self._packer.drafts([one for one in samples if not is_unset(one)]), later
        return self._packer.drafts([*self._let_go(held), *self._known(samples)]), []

    def _known(self, samples: list[Sample]) -> list[Sample]:
        """Those stamped just before the clock was set, put right; the others as they are."""
        put_right = (restamped(one, self._watch, self._watch.unset_offset_ms)
                     if is_unset(one) else one for one in samples)
        known = [one for one in put_right if not is_unset(one)]
        self._timeless += len(samples) - len(known)
        return known

    def _let_go(self, held: list[Held]) -> list[Sample]:
        """Only of this start of the machine is known when it was."""
        ours = [one for one in held if one.boot == self._boot]
        foreign = sum(len(one.samples) for one in held if one.boot != self._boot)
        if foreign:
            self._timeless += foreign
            LOG.error("clock: %d readings of an earlier start, taken before the clock was set, "
                      "have no known time: given up", foreign)
        samples = [sample for one in ours for sample in one.stamped(self._watch)]
        if samples:
            LOG.warning("clock: %d readings taken before the clock was set now have their time",
                        len(samples))
        return samples

    def _count(self) -> None:
        """What others counted since the last commit joins the spool's counts, which last."""
        counted = {"resent_packs": self._flow.resent, "sent_packs": self._flow.sent,
                   "unspooled_readings": self._unspooled,
                   "dropped_surplus_readings": self._surplus + self._flow.dropped,
                   "dropped_timeless_readings": self._timeless,
                   "nonsense_readings": self._packer.nonsense}
        for name, value in counted.items():
            self._spool.count(name, value - self._counted.get(name, 0))
        self._counted = counted

    def _tell_drops(self) -> None:
        """One line a minute while readings are given up."""
        dropped, now_ms = self._spool.dropped, self._clock()
        if dropped != self._told_drops and abs(now_ms - self._told_ms) >= _AGE_CHECK_MS:
            LOG.error("spool: %d readings given up so far: %s", dropped, ", ".join(
                f"{name} {count}" for name, count in sorted(self._spool.tally.items())
                if name.startswith("dropped_")))
            self._told_drops, self._told_ms = dropped, now_ms

    def _now_ms(self) -> int | None:
        """The time by which packs grow old. A clock that has just jumped does not decide that."""
        now_ms = self._clock()
        if now_ms - self._age_checked_ms < _AGE_CHECK_MS or self._watch.calm_s < _CALM_S:
            return None
        self._age_checked_ms = now_ms
        return now_ms

    def _beside(self, drafts: list[Draft], unset: list[Held]) -> None:
        for draft in drafts:
            pack_id = f"{self._run_id}-{next(self._numbers)}"
            self._flow.unspooled(pack_id, draft, self._spool.payload(draft, pack_id))
            self._unspooled += len(draft.batch)
        with self._lock:
            self._pending[:0] = [sample for one in unset for sample in one.samples]

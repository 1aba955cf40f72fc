"""What goes out next: live packs first, then what was missed, at a measured pace.

Two cursors run over the spool. Above `_floor` is what was spooled since this connection began
(live); below it is the backlog. Time is an argument, and chance too.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from seatwatt.gateway.packs import Draft
from seatwatt.gateway.publisher_window import Window
from seatwatt.gateway.spool import Pack, Spool

LIVE_SHARE = 0.25
"""Share of the window that the backlog leaves to live packs."""
_BEHIND_MAX = 100
_AT_ONCE = 32


@dataclass(frozen=True, slots=True)
class Pace:
    """How packs leave. The backlog waits up to `backlog_delay_s` (by chance, so that a thousand
    gateways do not begin together) and then keeps to `backlog_per_s` readings."""

    window_packs: int
    receipt_s: float
    backlog_per_s: float
    backlog_delay_s: float
    unspooled_packs: int = 1000


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message; `again`: it was sent before."""

    id: str
    payload: bytes
    again: bool = False


class Flow:
    """Decides; the publisher sends. One thread, but for `unspooled`, which any may call."""

    def __init__(self, spool: Spool, pace: Pace, chance: Callable[[], float]) -> None:
        """`chance` gives numbers in [0, 1)."""
        self._spool, self._pace, self._chance = spool, pace, chance
        self._window: Window[str] = Window(pace.window_packs, pace.receipt_s)
        self._aside: dict[str, tuple[Draft, bytes]] = {}
        self._lock = threading.Lock()
        self._before: set[str] = set()
        self._epoch = spool.epoch
        self._cursor = self._floor = self._live = 0
        self._backlog_from_s = self._filled_s = 0.0
        self._allowance = 0.0
        self.sent = self.resent = self.dropped = 0

    def connected(self, now_s: float) -> None:
        """A connection begins: nothing is known to have arrived."""
        self._before |= self._window.clear()
        self._epoch = self._spool.epoch
        self._cursor, self._floor = 0, self._spool.last + 1
        self._live = self._spool.last
        self._backlog_from_s = now_s + self._chance() * self._pace.backlog_delay_s
        self._filled_s, self._allowance = self._backlog_from_s, 0.0

    def unspooled(self, pack_id: str, draft: Draft, payload: bytes) -> None:
        """A live pack that the disk did not take: kept in memory until its receipt, within
        bounds; of those too many the oldest of the lowest rank is dropped."""
        with self._lock:
            self._aside[pack_id] = (draft, payload)
            while len(self._aside) > self._pace.unspooled_packs:
                victim = min(self._aside, key=lambda key: self._aside[key][0].rank)
                self.dropped += len(self._aside.pop(victim)[0].batch)

    def reclaimed(self) -> list[Draft]:
        """What rests in memory alone, given back because the disk takes packs again; what of it is
        on its way goes out once more, under another id."""
        with self._lock:
            drafts = [draft for draft, _ in self._aside.values()]
            self._aside.clear()
        return drafts

    @property
    def unspooled_packs(self) -> int:
        """Live packs that rest in memory alone."""
        return len(self._aside)

    @property
    def on_their_way(self) -> int:
        """Packs sent and not receipted."""
        return len(self._window)

    def next(self, now_s: float) -> Iterator[Outgoing]:
        """Messages to send now, each to be sent as it is taken."""
        if self._epoch != self._spool.epoch:
            self.connected(now_s)
        yield from self._again(now_s)
        yield from self._from_memory(now_s)
        yield from self._from_live(now_s)
        yield from self._from_backlog(now_s)

    def stored(self, ids: Iterable[str], now_s: float) -> None:
        """Receipts. Those of another epoch are of packs that are not ours to remove any more."""
        ids = set(ids)
        self._window.stored(ids, now_s)
        self._before -= ids
        with self._lock:
            spooled = [pack_id for pack_id in ids if self._aside.pop(pack_id, None) is None]
        self._spool.forget(number for pack_id in spooled
                           if (number := self._sequence(pack_id)) is not None)

    def _sequence(self, pack_id: str) -> int | None:
        """Of a pack of the spool as it is; None for any other id."""
        epoch, _, number = pack_id.rpartition("-")
        known = epoch == self._spool.epoch and number.isascii() and number.isdecimal()
        return int(number) if known and len(number) < 19 else None

    def _again(self, now_s: float) -> Iterator[Outgoing]:
        for pack_id in self._window.due(now_s)[:_AT_ONCE]:
            payload = self._payload(pack_id)
            if payload is None:
                self._window.drop(pack_id)
                continue
            self._before.add(pack_id)
            yield self._outgoing(pack_id, payload, now_s)

    def _payload(self, pack_id: str) -> bytes | None:
        aside = self._aside.get(pack_id)
        if aside is not None:
            return aside[1]
        sequence = self._sequence(pack_id)
        pack = self._spool.get(sequence) if sequence is not None else None
        return pack.payload if pack else None

    def _from_memory(self, now_s: float) -> Iterator[Outgoing]:
        with self._lock:
            aside = list(self._aside.items())
        for pack_id, (_, payload) in aside:
            if self._window.room and pack_id not in self._window:
                yield self._outgoing(pack_id, payload, now_s)

    def _from_live(self, now_s: float) -> Iterator[Outgoing]:
        last = self._spool.last
        if last - self._live > _BEHIND_MAX:
            # Too far behind to be called live: the backlog's turn takes it.
            self._live, self._floor = last, last + 1
        room = min(self._window.room, _AT_ONCE)
        if self._live < last and room:
            for pack in self._spool.between(self._live, last + 1, room):
                self._live = pack.sequence
                yield self._outgoing(self._id(pack), pack.payload, now_s)

    def _from_backlog(self, now_s: float) -> Iterator[Outgoing]:
        room = min(int(self._window.room - LIVE_SHARE * self._pace.window_packs), _AT_ONCE)
        if now_s < self._backlog_from_s or self._cursor >= self._floor - 1 or room <= 0:
            self._filled_s = max(now_s, self._filled_s)
            return
        self._refill(now_s)
        if self._allowance <= 0:
            return
        packs = self._spool.between(self._cursor, self._floor, room)
        if not packs:
            self._cursor = self._floor - 1
        for pack in packs:
            if self._allowance <= 0:
                return
            self._cursor = pack.sequence
            if self._id(pack) not in self._window and not self._spool.is_forgotten(pack.sequence):
                self._allowance -= pack.readings
                yield self._outgoing(self._id(pack), pack.payload, now_s)

    def _refill(self, now_s: float) -> None:
        """Jitter in the pace too: between nine and eleven tenths of it."""
        earned = (now_s - self._filled_s) * self._pace.backlog_per_s * (0.9 + 0.2 * self._chance())
        self._allowance = min(self._allowance + earned, self._pace.backlog_per_s)
        self._filled_s = now_s

    def _id(self, pack: Pack) -> str:
        return f"{self._epoch}-{pack.sequence}"

    def _outgoing(self, pack_id: str, payload: bytes, now_s: float) -> Outgoing:
        self._window.sent(pack_id, now_s)
        again = pack_id in self._before
        self.sent += 1
        self.resent += again
        return Outgoing(pack_id, payload, again)

"""Lines of runs of one layout: filled in like a form, not put together reading by reading."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import dataclass

Part = tuple[str, str, int]
"""Of a series: the head of its lines, its field with `=`, its quantity's bit. Heads of one device
are one object."""


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """The lines of a layout, without numbers and time."""

    heads: frozenset[str]
    """One for each line."""
    _pieces: list[bytes]
    """What stands before each number; numbers go into every second place."""

    @classmethod
    def of(cls, parts: Sequence[Part]) -> Form | None:
        """None unless the fields of a device follow one another, none twice."""
        pieces: list[bytes] = []
        heads: list[str] = []
        last_head, bits = "", 0
        for head, field, bit in parts:
            if head is not last_head:
                pieces.append(f"\n{head}{field}".encode())
                heads.append(head)
                last_head, bits = head, bit
            elif bits & bit:
                return None
            else:
                pieces.append(f",{field}".encode())
                bits |= bit
            pieces.append(b"")
        pieces[0] = pieces[0].removeprefix(b"\n")
        one_each = frozenset(heads)
        return cls(one_each, pieces) if len(one_each) == len(heads) else None

    def lines(self, texts: Sequence[bytes], at_ms: int) -> bytes:
        """The lines of a run with these numbers."""
        pieces = [*self._pieces, b"\n"]
        pieces[1:-1:2] = texts
        # Neither a head nor a number holds a line feed: each ends a line.
        return b"".join(pieces).replace(b"\n", b" %d\n" % at_ms)[:-1]


class Seen:
    """The devices and times that have a line in a body; each may have but one."""

    def __init__(self) -> None:
        self.lines: set[tuple[str, int]] = set()
        """Those that were made one by one; `count` is how many lines that was."""
        self.count = 0
        self._by_time: dict[int, Set[str]] = {}

    def add(self, heads: frozenset[str], at_ms: int) -> bool:
        """Lines of a run; False when a device already had one at this time."""
        others = self._by_time.get(at_ms)
        if others is None:
            self._by_time[at_ms] = heads
            return True
        if not heads.isdisjoint(others):
            return False
        if isinstance(others, set):
            others.update(heads)
        else:
            self._by_time[at_ms] = {*others, *heads}
        return True

    @property
    def once(self) -> bool:
        """Whether no device has two lines of one time."""
        by_time = self._by_time
        return len(self.lines) == self.count and not (by_time and any(
            head in by_time.get(at_ms, ()) for head, at_ms in self.lines))

"""Rules 3 to 5: outliers, falls and leaps of one register between two exchanges.

The rules are sequential: each judgement needs the last accepted reading. But a reading that rises
plausibly from its accepted neighbour, with no fall among it and the three after it, can be neither
outlier nor fall nor leap. So NumPy finds the others, and only there the rules are walked.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.rules import Rule
from seatwatt.metering.registers import MeterRules

LOOK_AHEAD = 3
SLACK_MILLIWH = 10_000


@dataclass(frozen=True, slots=True)
class Event:
    """One judgement: the step from the accepted reading `before` to the judged one `after`.

    For R03 and R04 `at_ms` to `at_ms` is the dropped reading's time; else the step's two times.
    `settled`: an operator has accepted the reading.
    """

    rule: Rule
    from_ms: int
    to_ms: int
    before_milliwh: int
    after_milliwh: int
    counted_milliwh: int
    settled: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class Judged:
    """Accepted readings and the energy of each step between them (one fewer than readings).

    `doubtful` are the steps whose energy is not known (R06, R07): indices into `steps_milliwh`.
    """

    times_ms: NDArray[np.int64]
    values: NDArray[np.int64]
    steps_milliwh: NDArray[np.int64]
    doubtful: NDArray[np.intp]
    events: tuple[Event, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Declared:
    """Whether the first and the last reading were declared with an exchange. A fall from or to one
    contradicts the readings: where no `max_power_w` bounds what a reset would count, the operator
    must settle it (R07)."""

    first: bool = False
    last: bool = False


@dataclass(slots=True)
class _Walk:
    """The scalar rules over one series, and what they found."""

    times_ms: NDArray[np.int64]
    values: NDArray[np.int64]
    trusted: frozenset[int]
    max_power_mw: int | None
    modulus_milliwh: int | None
    declared: Declared
    dropped: list[int] = field(default_factory=list)
    counted: dict[int, int] = field(default_factory=dict)
    doubtful: list[int] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)

    def judge(self, p: int, j: int) -> bool:
        """Whether reading `j` is accepted after the last accepted reading `p`."""
        if self.times_ms.item(j) not in self.trusted and self._is_outlier(p, j):
            self._drop(p, j)
            return False
        step = self.values.item(j) - self.values.item(p)
        if step < 0:
            self._fall(p, j, step)
        elif not self._plausible(step, p, j):
            self._rise(p, j, step)
        return True

    def _plausible(self, energy_milliwh: int, p: int, j: int) -> bool:
        if self.max_power_mw is None:
            return True
        elapsed_ms = self.times_ms.item(j) - self.times_ms.item(p)
        # energy <= power x time x 1.1 + 10 Wh, without a division: 1 mWh = 3.6e6 mW ms
        return (energy_milliwh - SLACK_MILLIWH) * 36_000_000 <= self.max_power_mw * 11 * elapsed_ms

    def _is_outlier(self, p: int, j: int) -> bool:
        """Rule 3: one of the next three readings rises plausibly from `p`, leaving `j` outside."""
        low, value = self.values.item(p), self.values.item(j)
        for n in range(j + 1, min(j + LOOK_AHEAD + 1, len(self.values))):
            high = self.values.item(n)
            if (low <= high and not low <= value <= high
                    and self._plausible(high - low, p, n)):
                return True
        return False

    def _drop(self, p: int, j: int) -> None:
        """R03 above, R04 below."""
        spike = self.values.item(j) > self.values.item(p)
        self.dropped.append(j)
        self._note(Rule.R03 if spike else Rule.R04, j, p, j, 0)

    def _fall(self, p: int, j: int, step: int) -> None:
        """Rule 4: R05 a rollover, R06 a reset."""
        accepted = self.times_ms.item(j) in self.trusted
        modulus = self.modulus_milliwh
        if modulus is not None and step + modulus >= 0 and (
                accepted or self._plausible(step + modulus, p, j)):
            self.counted[j] = step + modulus
            self._note(Rule.R05, p, p, j, step + modulus)
            return
        contradicts = (p == 0 and self.declared.first) or (
            j == len(self.values) - 1 and self.declared.last)
        if contradicts and self.max_power_mw is None:
            self._leap(p, j)
            return
        value = self.values.item(j)
        self.counted[j] = value if accepted or self._plausible(value, p, j) else 0
        self.doubtful.append(j)
        self._note(Rule.R06, p, p, j, self.counted[j])

    def _rise(self, p: int, j: int, step: int) -> None:
        """Rule 5: a leap, unless an operator accepted the reading."""
        if self.times_ms.item(j) in self.trusted:
            self._note(Rule.R07, p, p, j, step, True)
        else:
            self._leap(p, j)

    def _leap(self, p: int, j: int) -> None:
        """R07: counts nothing, and blocks."""
        self.counted[j] = 0
        self.doubtful.append(j)
        self._note(Rule.R07, p, p, j, 0)

    def _note(self, rule: Rule, start: int, p: int, j: int, counted: int,
              settled: bool = False) -> None:
        self.events.append(Event(rule, self.times_ms.item(start), self.times_ms.item(j),
                                 self.values.item(p), self.values.item(j), counted, settled))


_UNDECLARED = Declared()


def judge(times_ms: NDArray[np.int64], values: NDArray[np.int64], rules: MeterRules,
          trusted: frozenset[int] = frozenset(), declared: Declared = _UNDECLARED, *,
          suspects: Callable[..., NDArray[np.intp]] | None = None) -> Judged:
    """Judge readings that rise in time, none twice. `trusted`: times of readings that an operator
    accepted; they are never outliers and their steps count."""
    steps = np.diff(values)
    where = (suspects or find_suspects)(times_ms, steps, rules)
    if not len(where):
        return Judged(times_ms, values, steps, np.empty(0, np.intp))
    walk = _Walk(times_ms, values, trusted, rules.max_power_mw, rules.modulus_milliwh,
                 declared)
    _walk_suspects(walk, where)
    return _result(walk)


def find_suspects(times_ms: NDArray[np.int64], steps: NDArray[np.int64], rules: MeterRules
                  ) -> NDArray[np.intp]:
    """Readings that may be outlier, fall or leap, rising; all others are accepted for certain.

    `steps` lead from each reading to the next: one fewer than times."""
    falls = np.flatnonzero(steps < 0) + 1
    found = [falls - back for back in range(LOOK_AHEAD + 1)]
    found.append(doubtful_rises(times_ms, steps, rules) + 1)
    where = np.unique(np.concatenate(found))
    return where[where >= 1]


def doubtful_rises(times_ms: NDArray[np.int64], steps: NDArray[np.int64], rules: MeterRules
                   ) -> NDArray[np.intp]:
    """Steps that may be implausible; what is not among them is plausible for certain."""
    if rules.max_power_mw is None:
        return np.empty(0, np.intp)
    # A float limit, a hair low: what it lets through is plausible, the walk decides the rest.
    rate = rules.max_power_mw * 1.1 / 3_600_000 * (1 - 1e-9)
    limit = np.diff(times_ms) * rate + (SLACK_MILLIWH - 1)
    return np.flatnonzero(steps > limit)


def _walk_suspects(walk: _Walk, where: NDArray[np.intp]) -> None:
    accepted = 0
    for suspect in where.tolist():
        if suspect > accepted:
            # The reading before is accepted: it is the last one judged, or beyond doubt. The
            # last reading of all is never an outlier.
            accepted = suspect
            while not walk.judge(suspect - 1, accepted):
                accepted += 1


def _result(walk: _Walk) -> Judged:
    keep = np.ones(len(walk.values), bool)
    keep[walk.dropped] = False
    times_ms, values = walk.times_ms[keep], walk.values[keep]
    steps = np.diff(values)
    # The step that arrives at reading j is one before j's place among the kept readings.
    step_of = np.cumsum(keep) - 2
    for j, energy_milliwh in walk.counted.items():
        steps[step_of[j]] = energy_milliwh
    doubtful = step_of[np.array(walk.doubtful, np.intp)]
    return Judged(times_ms, values, steps, doubtful, tuple(walk.events))

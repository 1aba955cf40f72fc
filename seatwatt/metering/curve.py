"""The accumulated energy of a register through its accepted readings (rules 1 to 6)."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.site import Acceptance, Exchange
from seatwatt.metering.judge import Declared, Event, Judged, judge
from seatwatt.metering.registers import MeterRules, RegisterColumn, column_milliwh, in_order
from seatwatt.metering.split import product_over
from seatwatt.metering.texts import instant_text

TOTAL_MAX_MILLIWH = 9e18


@dataclass(frozen=True, slots=True, eq=False)
class Curve:
    """Accepted readings, declared ones of exchanges included: times (rising, equal only at an
    exchange), what the register showed, and the energy counted since the first one (int64 mWh).

    `doubtful` are the steps of unknown energy (R06, R07): step i leads from reading i to i + 1.
    """

    times_ms: NDArray[np.int64]
    registers_milliwh: NDArray[np.int64]
    totals_milliwh: NDArray[np.int64]
    doubtful: NDArray[np.intp]
    events: tuple[Event, ...]
    max_gap_ms: int
    declared_ms: frozenset[int] = frozenset()
    """When a reading was declared with an exchange."""

    def __len__(self) -> int:
        return len(self.times_ms)

    def covers(self, at_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Which instants have a reading at or before them, and one at or after them."""
        if not len(self):
            return np.zeros(len(at_ms), bool)
        covered: NDArray[np.bool_] = (at_ms >= self.times_ms[0]) & (at_ms <= self.times_ms[-1])
        return covered

    def total_at(self, at_ms: NDArray[np.int64]) -> NDArray[np.int64]:
        """Energy counted up to each covered instant: the register interpolated between the
        readings on either side, rounded half to even (rule 6)."""
        after = np.searchsorted(self.times_ms, at_ms)
        before = np.maximum(after - 1, 0)
        start_ms = self.times_ms[before]
        whole_ms = np.maximum(self.times_ms[after] - start_ms, 1)
        part_ms = np.where(after == before, 0, at_ms - start_ms)
        energy = self.totals_milliwh[after] - self.totals_milliwh[before]
        floor, remainder = product_over(energy, part_ms, whole_ms)
        odd = (self.registers_milliwh[before] + floor) & 1
        up = 2 * remainder + odd > whole_ms
        total: NDArray[np.int64] = self.totals_milliwh[before] + floor + up
        return total

    def measured(self, start_ms: NDArray[np.int64], end_ms: NDArray[np.int64]
                 ) -> NDArray[np.bool_]:
        """Whether readings lie throughout each [start, end], none further apart than max_gap and
        no doubtful step among them."""
        if len(self) < 2:
            return np.zeros(len(start_ms), bool)
        loose = np.diff(self.times_ms) > self.max_gap_ms
        loose[self.doubtful] = True
        before = np.concatenate(([0], np.cumsum(loose)))
        covered = self.covers(start_ms) & self.covers(end_ms)
        first = np.clip(np.searchsorted(self.times_ms, start_ms, "right") - 1, 0, len(loose))
        last = np.clip(np.searchsorted(self.times_ms, end_ms), 0, len(loose))
        calm: NDArray[np.bool_] = before[last] == before[first]
        return covered & calm


def register_curve(device: Device, column: RegisterColumn, rules: MeterRules,
                   exchanges: Sequence[Exchange] = (), acceptances: Sequence[Acceptance] = ()
                   ) -> Curve:
    """Rules 1 to 5: the readings of one register, put in order, split at its exchanges, judged.

    InputError for a value that is no register reading, and for two exchanges at one time.
    """
    values = column_milliwh(device, column, rules.multiplier)
    times_ms, values = in_order(column.times_ms, values, column.received_at_ms)
    trusted = frozenset(word.at_ms for word in acceptances)
    parts = [judge(*stretch, rules, trusted, declared) for stretch, declared
             in _segments(device, times_ms, values, rules, exchanges)]
    # Without resets the steps telescope; with thousands of them int64 could overflow.
    if any(part.events for part in parts) and sum(
            float(part.steps_milliwh.sum(dtype=np.float64)) for part in parts) > TOTAL_MAX_MILLIWH:
        raise InputError(str(device), "its resets add up to more energy than can be counted",
                         "max_power_w, so that they count only what is plausible")
    return _joined(parts, rules.max_gap_ms, frozenset(known.at_ms for known in exchanges))


_Stretch = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Times and registers of successive readings of one meter."""


def _segments(device: Device, times_ms: NDArray[np.int64], values: NDArray[np.int64],
              rules: MeterRules, exchanges: Sequence[Exchange]
              ) -> Iterator[tuple[_Stretch, Declared]]:
    """Rule 2: one series a meter, each closed and opened by the declared readings.

    A reading at the very instant of an exchange is the new meter's.
    """
    opening: _Stretch = times_ms[:0], values[:0]
    start = 0
    for exchange in sorted(exchanges, key=lambda known: known.at_ms):
        if len(opening[0]) and opening[0][0] == exchange.at_ms:
            raise InputError(f"exchange of {device}",
                             f"two at {instant_text(exchange.at_ms)}", "one at a time")
        end = int(np.searchsorted(times_ms, exchange.at_ms))
        closing = _declared(device, exchange, "final_wh", rules)
        yield (_end_to_end(opening, (times_ms[start:end], values[start:end]), closing),
               Declared(first=len(opening[0]) > 0, last=True))
        opening = _declared(device, exchange, "initial_wh", rules)
        start = end
    rest = times_ms[start:], values[start:]
    first = len(opening[0]) > 0
    yield _end_to_end(opening, rest) if first else rest, Declared(first=first)


def _declared(device: Device, exchange: Exchange, name: str, rules: MeterRules) -> _Stretch:
    times_ms, values_wh = np.array([exchange.at_ms]), np.array([getattr(exchange, name)], float)
    try:
        return times_ms, column_milliwh(device, RegisterColumn(times_ms, values_wh),
                                        rules.multiplier)
    except InputError as error:
        raise error.within(f"exchange {name}") from None


def _end_to_end(*stretches: _Stretch) -> _Stretch:
    return (np.concatenate([times_ms for times_ms, _ in stretches]),
            np.concatenate([values for _, values in stretches]))


def _joined(parts: Sequence[Judged], max_gap_ms: int, declared_ms: frozenset[int]) -> Curve:
    times_ms, registers = (columns[0] if len(columns) == 1 else np.concatenate(columns)
                           for columns in ([part.times_ms for part in parts],
                                           [part.values for part in parts]))
    totals, doubtful, place = np.zeros(len(times_ms), np.int64), [], 0
    for part in parts:
        # Between the final reading of one meter and the initial one of the next nothing flows.
        totals[place + 1:place + len(part.times_ms)] = part.steps_milliwh
        doubtful.append(part.doubtful + place)
        place += len(part.times_ms)
    np.cumsum(totals, out=totals)
    return Curve(times_ms, registers, totals, np.concatenate(doubtful),
                 tuple(event for part in parts for event in part.events), max_gap_ms, declared_ms)

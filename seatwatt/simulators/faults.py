"""Faults of meters, clocks and lines, done to a simulated world's readings; what was done is known.

gap        readings in [from, to) never arrive
late       readings in [from, to) arrive in one burst at `to`
duplicate  readings in [from, to) arrive twice
reorder    readings in [from, to) arrive shuffled
reset      right after the reading at `from` the register starts again at 0
exchange   right after the reading at `from` another meter goes on at `amount_wh`; to be declared
spike      the one reading at `from` shows ten times its value
dip        the one reading at `from` shows 0
stuck      in [from, to) the register shows the value it had at `from`
skew       in [from, to) the clock is `amount_s` seconds ahead (or behind)
"""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import Nature
from seatwatt.contract.readings import ReadingBatch
from seatwatt.contract.site import Exchange
from seatwatt.simulators.chance import chance

KINDS = ("gap", "late", "duplicate", "reorder", "reset", "exchange", "spike", "dip", "stuck",
         "skew")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One fault of the import register of one device; times in UTC milliseconds, [from, to)."""

    kind: str
    device: Device
    from_ms: int
    to_ms: int = 0
    amount: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError("fault", f"{self.kind!r} is unknown", ", ".join(KINDS))


@dataclass(slots=True)
class Delivery:
    """Readings in the order of their arrival, when each arrived, and what must be declared."""

    batch: ReadingBatch
    received_at_ms: list[int]
    exchanges: list[Exchange]


@dataclass(slots=True)
class _Arrival:
    received_at_ms: int
    row: int
    taken_at_ms: int
    value: float | str


def deliver(batch: ReadingBatch, faults: Sequence[Fault]) -> Delivery:
    """What arrives when `batch` (rising in time) suffers the faults, one after the other."""
    by_device: dict[Device, list[_Arrival]] = defaultdict(list)
    others: list[_Arrival] = []
    for row, series in enumerate(batch.series):
        taken = batch.taken_at_ms[row]
        arrival = _Arrival(taken, row, taken, batch.values[row])
        is_register = series.quantity.nature is Nature.REGISTER
        (by_device[series.device] if is_register else others).append(arrival)
    exchanges: list[Exchange] = []
    for fault in faults:
        by_device[fault.device] = _suffer(by_device[fault.device], fault, exchanges)
    arrivals = [arrival for rows in by_device.values() for arrival in rows] + others
    arrivals.sort(key=lambda one: (one.received_at_ms, one.row))
    return Delivery(ReadingBatch([batch.series[a.row] for a in arrivals],
                                 [a.taken_at_ms for a in arrivals], [a.value for a in arrivals]),
                    [a.received_at_ms for a in arrivals], exchanges)


def _suffer(rows: list[_Arrival], fault: Fault, exchanges: list[Exchange]) -> list[_Arrival]:
    inside = [a for a in rows if fault.from_ms <= a.taken_at_ms < fault.to_ms]
    if fault.kind == "gap":
        return [a for a in rows if a not in inside]
    if fault.kind == "duplicate":
        return rows + [_Arrival(a.received_at_ms + 1, a.row, a.taken_at_ms, a.value)
                       for a in inside]
    if fault.kind in ("late", "reorder", "skew"):
        _retime(inside, fault)
    elif fault.kind in ("spike", "dip"):
        for a in rows:
            if a.taken_at_ms == fault.from_ms:
                a.value = float(a.value) * 10 if fault.kind == "spike" else 0.0
    elif inside and fault.kind == "stuck":
        for a in inside[1:]:
            a.value = inside[0].value
    elif fault.kind in ("reset", "exchange"):
        _restart(rows, fault, exchanges)
    return rows


def _retime(inside: list[_Arrival], fault: Fault) -> None:
    order = chance("reorder", fault.device, fault.from_ms).permutation(len(inside)).tolist()
    times = [a.received_at_ms for a in inside]
    for place, a in enumerate(inside):
        if fault.kind == "late":
            a.received_at_ms = fault.to_ms
        elif fault.kind == "reorder":
            a.received_at_ms = times[order[place]]
        else:
            a.taken_at_ms += round(fault.amount * 1000)


def _restart(rows: list[_Arrival], fault: Fault, exchanges: list[Exchange]) -> None:
    at = [a for a in rows if a.taken_at_ms <= fault.from_ms]
    if not at:
        return
    final_wh = float(at[-1].value)
    initial_wh = fault.amount if fault.kind == "exchange" else 0.0
    for a in rows:
        if a.taken_at_ms > fault.from_ms:
            a.value = round(initial_wh + float(a.value) - final_wh, 3)
    if fault.kind == "exchange":
        exchanges.append(Exchange(meter=fault.device, at_ms=at[-1].taken_at_ms + 1,
                                  final_wh=final_wh, initial_wh=initial_wh))


def plan(devices: Sequence[Device], start_ms: int, end_ms: int, step_s: int, seed: int, count: int
         ) -> list[Fault]:
    """`count` faults at random, on reading times, none in the first or last tenth of the time,
    at most one a device."""
    rng = chance(seed, "faults", start_ms, end_ms)
    count = min(count, len(devices))
    hit = rng.permutation(len(devices))[:count].tolist()
    tenth_ms, step_ms = (end_ms - start_ms) // 10, step_s * 1000
    faults = []
    for n, index in enumerate(hit):
        from_ms = int(rng.integers(start_ms + tenth_ms, end_ms - 2 * tenth_ms))
        from_ms = -(-from_ms // step_ms) * step_ms
        faults.append(Fault(
            kind=KINDS[n % len(KINDS)], device=devices[index], from_ms=from_ms,
            to_ms=from_ms + int(rng.integers(1, 20)) * step_ms,
            amount=float(rng.integers(20, 4000))))
    return faults

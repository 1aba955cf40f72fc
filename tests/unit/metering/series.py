"""Random register series with every kind of fault (hypothesis strategies)."""

from dataclasses import dataclass

from hypothesis import strategies as st

from tests.unit.metering.days import MIDNIGHT_MS
from tests.unit.metering.reference import Plain, Reading

MODULUS = 40_000_000
FAULTS = ("spike", "dip", "reset", "leap", "fall", "duplicate", "gap", "exchange", "accept", "swap")


@dataclass
class Case:
    """Readings in the order of arrival, and the meter's rules."""

    readings: list[Reading]
    plain: Plain


@st.composite
def cases(draw: st.DrawFn, faults: tuple[str, ...] = FAULTS) -> Case:
    """Up to 40 readings from 22:00 the day before, a few minutes apart, with up to six faults."""
    readings = draw(_clean())
    rolls = draw(st.booleans()) and "reset" in faults
    if rolls:
        readings = [(t, v % MODULUS) for t, v in readings]
    exchanges: list[tuple[int, int, int]] = []
    accepted: list[int] = []
    places = st.integers(0, len(readings) - 1)
    for fault in draw(st.lists(st.sampled_from(faults), max_size=6)):
        _apply(fault, readings, draw(places), draw(_SIZES), exchanges, accepted)
    power = draw(st.sampled_from([None, 500, 20_000]))
    return Case(readings, Plain(max_power_w=power, modulus=MODULUS if rolls else None,
                                exchanges=exchanges, accepted=accepted))


_SIZES = st.one_of(st.integers(0, 50_000), st.sampled_from([1, 5_000_000, MODULUS]))


@st.composite
def _clean(draw: st.DrawFn) -> list[Reading]:
    steps = draw(st.lists(st.tuples(st.sampled_from([60_000, 61_000, 299_999, 900_000, 900_001]),
                                    st.integers(0, 90_000)), min_size=2, max_size=40))
    at = MIDNIGHT_MS - 7_200_000 + draw(st.integers(0, 7_300_000))
    value = draw(st.sampled_from([0, 1_000_000, MODULUS - 300_000]))
    readings = []
    for elapsed_ms, energy in steps:
        readings.append((at, value))
        at, value = at + elapsed_ms, value + energy
    return readings


def _apply(fault: str, readings: list[Reading], place: int, size: int,
           exchanges: list[tuple[int, int, int]], accepted: list[int]) -> None:
    place = min(place, len(readings) - 1)
    at, value = readings[place]
    match fault:
        case "spike":
            readings[place] = at, value + size
        case "dip":
            readings[place] = at, max(value - size, 0)
        case "reset":
            _shift(readings, place, -value)
        case "fall":
            _shift(readings, place, -min(size, value))
        case "leap":
            _shift(readings, place, size)
        case "duplicate":
            readings.append((at, value + size // 2))
        case "gap":
            readings[place + 1:] = [(t + 1_000 * size // 20, v) for t, v in readings[place + 1:]]
        case "exchange":
            moment = at + size % 60_000
            if moment not in [known[0] for known in exchanges]:
                exchanges.append((moment, value + size % 2_000, size))
                _shift(readings, place + 1, size - value)
        case "accept":
            accepted.append(at)
        case _:
            readings.insert(0, readings.pop(place))


def _shift(readings: list[Reading], start: int, by: int) -> None:
    readings[start:] = [(t, max(v + by, 0)) for t, v in readings[start:]]

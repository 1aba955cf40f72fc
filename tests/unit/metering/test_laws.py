"""The fast code against the plain reading of the rules, and laws that hold for every series."""

from dataclasses import replace
from itertools import pairwise
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Acceptance, Exchange
from seatwatt.metering import (
    Curve,
    MeterEnergy,
    MeterRules,
    RegisterColumn,
    Shape,
    curve_energy,
    register_curve,
)
from seatwatt.metering.judge import find_suspects, judge
from tests.unit.metering.days import HOUR_MS, METER, MIDNIGHT_MS, ZONE
from tests.unit.metering.reference import Plain, Reading, plain_curve, plain_energy
from tests.unit.metering.series import Case, cases

GRID = IntervalGrid.between(MIDNIGHT_MS, MIDNIGHT_MS + 6 * HOUR_MS, 1800, ZONE)
STEP_MS = 1_800_000


def column_of(readings: list[Reading]) -> RegisterColumn:
    return RegisterColumn(np.array([t for t, _ in readings], np.int64),
                          np.array([v / 1000 for _, v in readings], np.float64))


def rules_of(plain: Plain, multiplier: float = 1.0) -> MeterRules:
    power = plain.max_power_w and plain.max_power_w * multiplier
    return MeterRules(max_power_w=power, max_gap_ms=plain.max_gap_ms, multiplier=multiplier,
                      modulus_wh=None if plain.modulus is None else plain.modulus / 1000)


def curve_of(case: Case, readings: list[Reading] | None = None, multiplier: float = 1.0) -> Curve:
    plain = case.plain
    return register_curve(
        METER, column_of(case.readings if readings is None else readings),
        rules_of(plain, multiplier),
        [Exchange(meter=METER, at_ms=at, final_wh=final / 1000, initial_wh=initial / 1000)
         for at, final, initial in plain.exchanges],
        [Acceptance(meter=METER, at_ms=at) for at in plain.accepted])


def energy_of(case: Case, readings: list[Reading] | None = None, grid: IntervalGrid = GRID
              ) -> MeterEnergy:
    return curve_energy(METER, curve_of(case, readings), grid)


def same(one: MeterEnergy, other: MeterEnergy) -> bool:
    return (one.energy_milliwh.tolist() == other.energy_milliwh.tolist()
            and one.quality.tolist() == other.quality.tolist()
            and (one.findings, one.opening, one.closing)
            == (other.findings, other.opening, other.closing))


@settings(max_examples=200)
@given(cases())
def test_judged_as_the_plain_rules_judge(case: Case) -> None:
    curve, plain = curve_of(case), plain_curve(case.readings, case.plain)
    assert curve.times_ms.tolist() == plain.times
    assert np.diff(curve.totals_milliwh).tolist() == [step[2] for step in plain.steps]
    assert [(e.rule.name, e.from_ms, e.to_ms, e.counted_milliwh)
            for e in curve.events] == plain.found


@settings(max_examples=200)
@given(cases(), st.one_of(st.none(), cases(("gap", "reset", "spike"))))
def test_intervals_as_the_plain_rules_fill_them(case: Case, above: Case | None) -> None:
    parent = plain_curve(above.readings, above.plain) if above else None
    expected = plain_energy(plain_curve(case.readings, case.plain), GRID.boundaries_ms, STEP_MS,
                            parent)
    shape = Shape("parent", ((1, curve_of(above)),)) if above else None
    energy = curve_energy(METER, curve_of(case), GRID, shape)
    assert (energy.energy_milliwh.tolist(), energy.quality.tolist()) == expected


@given(cases(("spike", "dip", "reset", "leap", "fall")))
def test_looking_only_at_suspects_misses_nothing(case: Case) -> None:
    # The same walk once over every reading, once over the suspects alone.
    times = np.array([t for t, _ in case.readings], np.int64)
    values = np.array([v for _, v in case.readings], np.int64)
    rules = rules_of(case.plain)
    few = judge(times, values, rules)
    every = judge(times, values, rules, suspects=lambda *_: np.arange(1, len(times)))
    assert few.events == every.events
    assert few.steps_milliwh.tolist() == every.steps_milliwh.tolist()
    assert set(find_suspects(times, np.diff(values), rules)) <= set(range(1, len(times)))


@given(cases())
def test_intervals_telescope_to_the_difference_of_the_totals(case: Case) -> None:
    case.plain.max_gap_ms = 10**10
    curve = curve_of(case)
    energy = curve_energy(METER, curve, GRID)
    ends = np.array([GRID.start_ms, GRID.end_ms])
    if curve.covers(ends).all():
        assert energy.energy_milliwh.sum() == np.diff(curve.total_at(ends))[0]


@given(cases(("gap", "dip", "spike", "duplicate", "swap")))
def test_without_resets_the_energy_is_the_difference_of_the_registers(case: Case) -> None:
    energy = energy_of(case)
    judged = {finding.rule.name for finding in energy.findings} & {"R05", "R06", "R07"}
    if energy.opening and energy.closing and not judged:
        assert energy.energy_milliwh.sum() == (
            energy.closing.register_milliwh - energy.opening.register_milliwh)


@given(cases(("spike", "dip", "reset", "leap", "fall", "gap", "exchange", "accept")), st.randoms())
def test_order_of_delivery_is_irrelevant(case: Case, random: Random) -> None:
    shuffled = list(case.readings)
    random.shuffle(shuffled)
    assert same(energy_of(case), energy_of(case, shuffled))


@given(cases())
def test_delivering_everything_twice_changes_nothing(case: Case) -> None:
    assert same(energy_of(case), energy_of(case, case.readings * 2))


@given(cases(), st.sampled_from([2, 3, 40]))
def test_a_multiplier_is_a_change_of_unit(case: Case, factor: int) -> None:
    """Everything scales exactly but the 10 Wh of slack and the rounding at boundaries: so without
    a limit to power, totals scale exactly and each interval to within half a unit at each end."""
    case.plain.max_power_w = None
    one, many = curve_of(case), curve_of(case, multiplier=factor)
    assert (one.totals_milliwh * factor).tolist() == many.totals_milliwh.tolist()
    energies = [curve_energy(METER, curve, GRID).energy_milliwh for curve in (one, many)]
    assert np.abs(energies[0] * factor - energies[1]).max() <= factor + 1


@given(cases())
def test_finer_intervals_add_up_to_coarser_ones(case: Case) -> None:
    curve = curve_of(case)
    # In a gap each grid rounds by its own parts; elsewhere the boundaries are the same numbers.
    fine, coarse = (curve_energy(METER, curve, IntervalGrid.between(
        GRID.start_ms, GRID.end_ms, length, ZONE)) for length in (600, 1800))
    sums = fine.energy_milliwh.reshape(-1, 3).sum(axis=1)
    known = fine.quality.reshape(-1, 3).max(axis=1) == 0
    assert sums[known].tolist() == coarse.energy_milliwh[known].tolist()
    bracketed = fine.quality.reshape(-1, 3).max(axis=1) < 2
    assert np.abs(sums - coarse.energy_milliwh)[bracketed].max(initial=0) <= 2


@given(cases(("gap",)), st.integers(0, 39))
def test_an_exchange_with_equal_registers_changes_nothing(case: Case, place: int) -> None:
    at, value = case.readings[place % len(case.readings)]
    # Only the words may differ: a first or last reading is then said to be a declared one.
    plain, declared = (replace(energy, findings=tuple(replace(f, detail="")
                                                      for f in energy.findings))
                       for energy in (energy_of(case), energy_of(_cut(case, at, value))))
    assert same(plain, declared)


def _cut(case: Case, at_ms: int, value: int) -> Case:
    return Case(case.readings, Plain(max_power_w=case.plain.max_power_w,
                                     modulus=case.plain.modulus,
                                     exchanges=[(at_ms, value, value)]))


@given(cases(("gap", "reset", "dip", "exchange")))
def test_periods_that_touch_lose_and_double_nothing(case: Case) -> None:
    curve = curve_of(case)
    cuts = [GRID.start_ms, GRID.start_ms + 2 * HOUR_MS, GRID.end_ms]
    parts = [curve_energy(METER, curve, IntervalGrid.between(start, end, 1800, ZONE))
             for start, end in pairwise(cuts)]
    energy = [e for part in parts for e in part.energy_milliwh.tolist()]
    assert energy == curve_energy(METER, curve, GRID).energy_milliwh.tolist()

"""Rules 6 to 8: a register's energy and its quality in every interval, with the findings."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Acceptance, Exchange
from seatwatt.metering.curve import Curve, register_curve
from seatwatt.metering.energy import MeterEnergy, Quality, RegisterAt
from seatwatt.metering.gaps import boundaries_of, spread_gaps
from seatwatt.metering.notes import findings_of
from seatwatt.metering.registers import MeterRules, RegisterColumn
from seatwatt.metering.shape import Shape


def meter_energy(device: Device, column: RegisterColumn, grid: IntervalGrid, rules: MeterRules,
                 exchanges: Sequence[Exchange] = (), acceptances: Sequence[Acceptance] = (),
                 parent_shape: Shape | None = None) -> MeterEnergy:
    """Energy of one register in every interval of `grid` (DESIGN section 4, rules 1 to 8).

    `exchanges` and `acceptances` are those of this register. InputError for values that are no
    register readings.
    """
    curve = register_curve(device, column, rules, exchanges, acceptances)
    return curve_energy(device, curve, grid, parent_shape)


def curve_energy(device: Device, curve: Curve, grid: IntervalGrid, shape: Shape | None = None,
                 label: str = "") -> MeterEnergy:
    """Rules 6 to 8 over a judged register; `label` opens the details of its findings."""
    boundaries_ms = boundaries_of(grid)
    gaps = spread_gaps(curve, grid, shape)
    known = curve.covers(boundaries_ms)
    totals = np.zeros(len(boundaries_ms), np.int64)
    totals[known] = curve.total_at(boundaries_ms[known])
    hidden = np.isin(boundaries_ms, gaps.boundaries_ms, assume_unique=True)
    totals[hidden] = gaps.totals_milliwh[
        np.searchsorted(gaps.boundaries_ms, boundaries_ms[hidden])]
    quality = _quality(curve, boundaries_ms, known, hidden)
    energy = np.where(quality == Quality.MISSING, 0, np.diff(totals))
    return MeterEnergy(
        device, energy, quality,
        _register(curve, boundaries_ms, totals, known, hidden, 0),
        _register(curve, boundaries_ms, totals, known, hidden, -1),
        findings_of(device, curve, grid, gaps, shape, quality, label))


def _quality(curve: Curve, boundaries_ms: NDArray[np.int64], known: NDArray[np.bool_],
             hidden: NDArray[np.bool_]) -> NDArray[np.uint8]:
    # A boundary strictly inside a step of unknown energy is no better known than one in a gap.
    step = np.searchsorted(curve.times_ms, boundaries_ms, "right") - 1
    inside = known & np.isin(step, curve.doubtful)
    inside[inside] = curve.times_ms[step[inside]] < boundaries_ms[inside]
    loose = hidden | inside
    estimated = loose[:-1] | loose[1:]
    quality = np.where(estimated, np.uint8(Quality.ESTIMATED), np.uint8(Quality.MEASURED))
    quality[~(known[:-1] & known[1:])] = Quality.MISSING
    return quality


def _register(curve: Curve, boundaries_ms: NDArray[np.int64], totals: NDArray[np.int64],
              known: NDArray[np.bool_], hidden: NDArray[np.bool_], at: int) -> RegisterAt | None:
    """The register at the period's first (0) or last (-1) boundary; None where it is missing.

    At the instant of an exchange a period opens with the new meter and closes with the old one.
    """
    if not known[at]:
        return None
    at_ms = int(boundaries_ms[at])
    reading = int(np.searchsorted(curve.times_ms, at_ms))
    if at == 0 and reading < len(curve) and curve.times_ms[reading] == at_ms:
        reading = int(np.searchsorted(curve.times_ms, at_ms, "right")) - 1
    if reading < len(curve) and curve.times_ms[reading] == at_ms:
        return RegisterAt(at_ms, int(curve.registers_milliwh[reading]), Quality.MEASURED)
    counted = int(totals[at] - curve.totals_milliwh[reading - 1])
    doubtful = bool(np.isin(reading - 1, curve.doubtful))
    quality = Quality.ESTIMATED if hidden[at] or doubtful else Quality.MEASURED
    return RegisterAt(at_ms, _shown(curve, reading - 1, counted), quality)


def _shown(curve: Curve, step: int, counted_milliwh: int) -> int:
    """The register so much energy into a step, or, where it fell in the step, so much before
    its end: what the register showed after the fall."""
    before = int(curve.registers_milliwh[step])
    after = int(curve.registers_milliwh[step + 1])
    if after >= before:
        return before + counted_milliwh
    left = int(curve.totals_milliwh[step + 1] - curve.totals_milliwh[step]) - counted_milliwh
    return after - left if after >= left else before + counted_milliwh

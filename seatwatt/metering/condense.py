"""Which readings of a register decide its energy in the intervals of a site, and which can go.

What is left out lies between two kept readings of one interval, in a stretch that rises plausibly
reading by reading. So registers at boundaries, gaps that hide a boundary, and everything that the
rules R03 to R07 look at are the same as with all readings. What is *not* the same is the register
between boundaries: of a register that lends its shape to others, keep all.
"""

import numpy as np
from numpy.typing import NDArray

from seatwatt.metering.judge import doubtful_rises, find_suspects
from seatwatt.metering.registers import (
    MILLIWH_PER_WH,
    REGISTER_MAX_WH,
    MeterRules,
    RegisterColumn,
)

AROUND = 12
"""Readings kept on either side of a suspect, and at both ends of a stretch. The rules look from the
reading before a suspect to three readings after the last that they drop: at most ten of them."""

_HALVES = 2
"""Milliwatt-hours by which a step may differ where both its ends are rounded from a half."""


def condensed(column: RegisterColumn, boundaries_ms: NDArray[np.int64], rules: MeterRules
              ) -> RegisterColumn:
    """The readings of a stretch (rising in time, none twice) that decide its energies.

    `boundaries_ms` are all interval boundaries of the stretch, both of its ends included.
    Condensed stretches that follow one another give, put together, what their readings give;
    except where an exchange, a reading by hand or an accepted reading lies among them: then use
    all readings.
    """
    keep = _kept(column, boundaries_ms, rules)
    return RegisterColumn(column.times_ms[keep], column.values_wh[keep])


def _kept(column: RegisterColumn, boundaries_ms: NDArray[np.int64], rules: MeterRules
          ) -> NDArray[np.bool_]:
    times_ms, values_wh, count = column.times_ms, column.values_wh, len(column)
    limit_wh = REGISTER_MAX_WH / rules.multiplier
    if count <= 2 * AROUND or not (values_wh.min() >= 0 and values_wh.max() <= limit_wh):
        return np.ones(count, bool)  # What is no register is told of when it is metered.
    keep = np.zeros(count, bool)
    keep[:AROUND] = keep[-AROUND:] = True
    after = np.searchsorted(times_ms, boundaries_ms)
    keep[after[after < count]] = True
    keep[after[after > 0] - 1] = True
    whole = np.rint(values_wh * (rules.multiplier * MILLIWH_PER_WH)).astype(np.int64)
    steps = np.where(np.diff(values_wh) < 0, -1, np.diff(whole) + _HALVES)
    for suspect in find_suspects(times_ms, steps, rules).tolist():
        keep[max(suspect - AROUND, 0):suspect + AROUND + 1] = True
    # Steps that are plausible by their 10 Wh of grace each may not be so together.
    kept = np.flatnonzero(keep)
    together = np.diff(whole[kept]) + _HALVES
    for step in doubtful_rises(times_ms[kept], together, rules).tolist():
        keep[kept[step]:kept[step + 1]] = True
    return keep

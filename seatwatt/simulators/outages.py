"""When the mains are off, and for how long nothing feeds the house before the generator does."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.simulators.chance import chance
from seatwatt.simulators.days import LocalDay
from seatwatt.simulators.layout import Layout

SUMMER_MONTHS = (5, 6, 7, 8, 9)
FIRST_MINUTE, LAST_MINUTE = 8 * 60, 21 * 60
"""Outages start between these minutes, so that batteries are full again at midnight."""


@dataclass(frozen=True, slots=True, eq=False)
class Outages:
    """Per minute: `off` the mains are away; `dark` no source at all feeds the house."""

    off: NDArray[np.bool_]
    dark: NDArray[np.bool_]


def outages(layout: Layout, seed: int, day: LocalDay) -> Outages:
    """Load-shedding of one day: two or three hours by a generator, short cuts where only a battery
    stands by, none where neither does."""
    off, dark = np.zeros(day.minutes, dtype=np.bool_), np.zeros(day.minutes, dtype=np.bool_)
    kinds = {node.source for node in layout.sources}
    rng = chance(seed, "outages", layout.site.id, day.day)
    if "grid" in kinds and "generator" in kinds:
        for start in _starts(rng, 3 if day.day.month in SUMMER_MONTHS else 2):
            off[start:start + 60] = True
            dark[start:start + int(rng.integers(1, 4))] = True
    elif "grid" in kinds and any(node.storage for node in layout.nodes) and rng.random() < 0.6:
        start = int(rng.integers(FIRST_MINUTE, LAST_MINUTE))
        off[start:start + int(rng.integers(15, 40))] = True
        dark |= off
    return Outages(off, dark)


def _starts(rng: np.random.Generator, count: int) -> list[int]:
    span = (LAST_MINUTE - FIRST_MINUTE) // count
    return [FIRST_MINUTE + i * span + 10 * int(rng.integers(0, (span - 110) // 10))
            for i in range(count)]

"""How a parent's energy lay in time: what gaps of its children borrow (rule 7)."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.metering.curve import Curve


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """The energy of a node as a signed sum of registers; `name` is how a finding calls it."""

    name: str
    terms: tuple[tuple[int, Curve], ...]

    def measured(self, start_ms: NDArray[np.int64], end_ms: NDArray[np.int64]
                 ) -> NDArray[np.bool_]:
        """Whether every register of the node is measured throughout each [start, end]."""
        known = [curve.measured(start_ms, end_ms) for _, curve in self.terms]
        return np.logical_and.reduce(known) if known else np.zeros(len(start_ms), bool)

    def energy_between(self, start_ms: NDArray[np.int64], end_ms: NDArray[np.int64]
                       ) -> NDArray[np.int64]:
        """Energy in each [start, end), which must be measured; negative where it fed in."""
        energy = np.zeros(len(start_ms), np.int64)
        for sign, curve in self.terms:
            energy += sign * (curve.total_at(end_ms) - curve.total_at(start_ms))
        return energy

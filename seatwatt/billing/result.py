"""What apportioning gives: every metered milliwatt-hour with exactly one party."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.exact import Ints
from seatwatt.contract.errors import SeatwattError
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.meters import OPERATOR

Seat = tuple[str, str]
"""(zone, seat name)."""


class Unbalanced(SeatwattError):
    """Parties and supply disagree: a fault of the program, and the run stops."""


@dataclass(frozen=True, slots=True, eq=False)
class SharedPart:
    """One part of a node's residual that one rule shared out.

    A residual has several parts when a room was booked for some of the time, or when the declared
    rule found no weight in some intervals. `energy_milliwh` [n, parties] is 0 in intervals where
    this rule did not apply; so are `weights` [n, parties], whose meaning the rule gives.
    """

    rule: str
    energy_milliwh: Ints
    weights: Ints


@dataclass(frozen=True, slots=True, eq=False)
class NodeShare:
    """A node's own energy, its residual and who carries it. `node` is `supply` for the root."""

    node: str
    rule: str
    zones: tuple[str, ...]
    """Zones whose seats it serves; empty: the whole site."""
    own_milliwh: Ints
    residual_milliwh: Ints
    parts: tuple[SharedPart, ...]
    """At least one."""

    @property
    def shared_milliwh(self) -> Ints:
        """The residual by interval and party, [n, parties]."""
        return sum((part.energy_milliwh for part in self.parts[1:]),
                   start=self.parts[0].energy_milliwh)


@dataclass(frozen=True, slots=True, eq=False)
class SeatTable:
    """Metered and unmetered seats: who held them and what they took.

    `energy_milliwh` [seats, n] is 0 for a seat without a meter (`metered` says which). What is
    [seats, parties] is summed over the period; `estimated_milliwh` is the part of
    `by_party_milliwh` that lies in estimated intervals.
    """

    seats: tuple[Seat, ...]
    metered: NDArray[np.bool_]
    energy_milliwh: Ints
    by_party_milliwh: Ints
    estimated_milliwh: Ints
    held_ms: Ints


@dataclass(frozen=True, slots=True, eq=False)
class Apportionment:
    """A period's energy by party. n intervals, parties sorted with `operator` last.

    Arrays [n, parties] are int64 milliwatt-hours. `direct` is what a party's seats took, `shared`
    its part of nodes' residuals, `unaccounted` its part of the root's; the three add up to
    `energy_milliwh`. `estimated` is how much of the energy rests on estimated intervals.
    """

    site: str
    grid: IntervalGrid
    parties: tuple[str, ...]
    sources: tuple[str, ...]
    source_meters: tuple[str, ...]
    """The meters of the sources, as kind/zone/device."""
    bands: tuple[str, ...]
    band_of: NDArray[np.int64]
    """[n]: index into `bands`."""
    supply_milliwh: Ints
    """[sources, n]."""
    supply_measured: NDArray[np.bool_]
    """[sources, n]: every meter of the source measured the interval."""
    direct_milliwh: Ints
    shared_milliwh: Ints
    unaccounted_milliwh: Ints
    estimated_milliwh: Ints
    by_source_milliwh: Ints
    """[sources, n, parties]."""
    held_ms: Ints
    """[n, parties]: seat-time held; vacant seat-time is the operator's."""
    occupied_ms: Ints
    """[n, parties]: seat-time occupied while held."""
    booked_ms: Ints
    """[n, parties]: booked room time."""
    seats: SeatTable
    nodes: tuple[NodeShare, ...]
    """Bottom-up, `supply` last."""
    findings: tuple[Finding, ...]

    @property
    def energy_milliwh(self) -> Ints:
        """[n, parties]: direct, shared and unaccounted together."""
        return self.direct_milliwh + self.shared_milliwh + self.unaccounted_milliwh

    def by_band_milliwh(self, source: int) -> Ints:
        """[bands, parties] of one source, summed over the period."""
        sums = np.zeros((len(self.bands), len(self.parties)), dtype=np.int64)
        np.add.at(sums, self.band_of, self.by_source_milliwh[source])
        return sums

    def supply_by_band_milliwh(self, source: int) -> Ints:
        """[bands] of one source, summed over the period."""
        sums = np.zeros(len(self.bands), dtype=np.int64)
        np.add.at(sums, self.band_of, self.supply_milliwh[source])
        return sums

    def involved(self) -> tuple[str, ...]:
        """Parties that held a seat, booked a room or carry energy; `operator` always."""
        signs = np.concatenate((self.held_ms, self.booked_ms, self.direct_milliwh,
                                self.shared_milliwh, self.unaccounted_milliwh))
        busy = set(np.flatnonzero(signs.any(axis=0)).tolist())
        return tuple(party for at, party in enumerate(self.parties)
                     if at in busy or party == OPERATOR)

"""The share rules: whole numbers by which a node's residual is split among the parties."""

from collections import Counter
from collections.abc import Callable, Mapping
from math import gcd, lcm

import numpy as np

from seatwatt.billing.exact import INT64_MAX, Ints, split_rows
from seatwatt.billing.holders import Holding
from seatwatt.billing.occupancy import occupied_ms
from seatwatt.billing.result import Seat, SharedPart
from seatwatt.billing.spans import Spans
from seatwatt.billing.tree import Branch
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site

FALL_BACKS = ("seats", "operator")
"""What shares an interval in which the declared rule finds no weight at all, in this order."""


class ShareRules:
    """Weights [n, parties] of every rule, computed once per set of zones served."""

    def __init__(self, site: Site, grid: IntervalGrid, holding: Holding,
                 occupancy: Mapping[Seat, Spans]) -> None:
        self._site, self._holding = site, holding
        self._boundaries = np.array(grid.boundaries_ms, dtype=np.int64)
        self._shape = len(grid), len(holding.parties)
        self._occupancy = {at: occupancy[place] for at, place in enumerate(holding.places)
                           if place in occupancy}
        held = np.broadcast_to(holding.lengths_ms, (len(holding.places), len(grid)))
        self._held = holding.by_zone(held, holding.mixed.held_ms)
        self._occupied_by_zone: Ints | None = None
        self._served_ms: dict[tuple[str, ...], Ints] = {}
        self._rules: dict[str, Callable[[Branch], Ints]] = {
            "seats": self._seats, "occupancy": self._occupied, "area": self._area,
            "equal": self._equal, "fixed": self._fixed, "operator": self._operator}

    def share(self, branch: Branch, residual: Ints, carried: Ints) -> tuple[SharedPart, ...]:
        """Split `residual` [n] by the node's rule; `carried` [n, parties] is what the parties
        carry below it. At least one part, of nothing where there is nothing to share."""
        rule = branch.share.rule
        parts = (self._by_time(branch, residual, carried) if rule == "bookings"
                 else self._by_rule(branch, rule, residual, carried))
        nothing = np.zeros(self._shape, dtype=np.int64)
        return tuple(parts) or (SharedPart(rule, nothing, nothing),)

    def _by_time(self, branch: Branch, residual: Ints, carried: Ints) -> list[SharedPart]:
        booked = self.booked_ms(branch.rooms)
        free = len(branch.rooms) * self._holding.lengths_ms - booked.sum(axis=1)
        parts = split_rows(residual, np.column_stack((booked, free)))
        by_time = SharedPart("bookings", parts[:, :-1], booked * (residual != 0)[:, None])
        rest = self._by_rule(branch, branch.share.otherwise, parts[:, -1], carried)
        return [by_time, *rest] if by_time.weights.any() else rest

    def booked_ms(self, rooms: tuple[str, ...]) -> Ints:
        """[n, parties]: booked time of these rooms."""
        booked = np.zeros(self._shape, dtype=np.int64)
        for booking in self._site.bookings:
            if booking.zone in rooms:
                span = Spans.of([(booking.from_ms, booking.to_ms)])
                party = self._holding.parties.index(booking.tenant)
                booked[:, party] += span.per_interval(self._boundaries)
        return booked

    def held_ms(self, zones: tuple[str, ...]) -> Ints:
        """[n, parties]: held time of the places that a node of these zones serves."""
        if zones not in self._served_ms:
            self._served_ms[zones] = self._held[self._served(zones)].sum(axis=0)
        return self._served_ms[zones]

    def occupied_ms(self, zones: tuple[str, ...]) -> Ints:
        """[n, parties]: occupied time of the places that a node of these zones serves."""
        if not self._occupancy:
            return np.zeros(self._shape, dtype=np.int64)
        if self._occupied_by_zone is None:
            self._occupied_by_zone = occupied_ms(self._holding, self._occupancy, self._boundaries)
        occupied: Ints = self._occupied_by_zone[self._served(zones)].sum(axis=0)
        return occupied

    def _by_rule(self, branch: Branch, rule: str, residual: Ints, carried: Ints
                 ) -> list[SharedPart]:
        parts = []
        for name in (rule, *FALL_BACKS):
            if not residual.any():
                break
            weights = np.maximum(carried, 0) if name == "consumption" else self._rules[name](branch)
            applies = (residual != 0) & (weights != 0).any(axis=1)
            if applies.any():
                energy = np.zeros(self._shape, dtype=np.int64)
                energy[applies] = split_rows(residual[applies], weights[applies])
                parts.append(SharedPart(name, energy, weights * applies[:, None]))
                residual = np.where(applies, 0, residual)
        return parts

    def _served(self, zones: tuple[str, ...]) -> list[int]:
        """Positions of those zones that have seats; without any, of those that are leased rooms;
        without any, of all zones with seats: the whole site."""
        has_seats = {zone for zone, seat in self._holding.places if seat}
        known = list(enumerate(self._holding.zones))
        for wanted in (zones, self._holding.zones):
            inside = [at for at, zone in known if zone in wanted]
            seats = [at for at, zone in known if zone in wanted and zone in has_seats]
            if inside:
                return seats or inside
        return []

    def _seats(self, branch: Branch) -> Ints:
        held = self.held_ms(branch.zones)
        return held if branch.share.vacant_counts else _without_operator(held)

    def _occupied(self, branch: Branch) -> Ints:
        """Time in a vacant seat weighs for nobody: the operator did not sit there."""
        return _without_operator(self.occupied_ms(branch.zones))

    def _equal(self, branch: Branch) -> Ints:
        return _without_operator((self.held_ms(branch.zones) > 0).astype(np.int64))

    def _fixed(self, branch: Branch) -> Ints:
        weights = dict(branch.share.weights)
        row = [weights.get(party, 0) for party in self._holding.parties]
        return np.broadcast_to(np.array(row, dtype=np.int64), self._shape).copy()

    def _operator(self, branch: Branch) -> Ints:
        weights = np.zeros(self._shape, dtype=np.int64)
        weights[:, -1] = 1
        return weights

    def _area(self, branch: Branch) -> Ints:
        """A place stands for its part of its zone's area: square centimetres x held ms, scaled so
        that zones of different seat counts compare in whole numbers. Rooms leased whole count."""
        zones, counts = self._holding.zones, Counter(zone for zone, _ in self._holding.places)
        served = [at for at, zone in enumerate(zones) if zone in branch.zones] or range(len(zones))
        areas = {zone.name: round((zone.area_m2 or 0) * 10_000) for zone in self._site.zones}
        scale = lcm(*(counts[zones[at]] for at in served))
        factors = {at: areas[zones[at]] * scale // counts[zones[at]] for at in served}
        shrink = gcd(*factors.values()) or 1
        most_ms = sum(factors.values()) // shrink * int(self._held.sum(axis=2).max(initial=0))
        # Areas and seat counts without a common factor: Python's integers where 64 bits do not do.
        weights = np.zeros(self._shape, dtype=np.int64 if most_ms <= INT64_MAX else object)
        for at, factor in factors.items():
            weights += self._held[at].astype(weights.dtype, copy=False) * (factor // shrink)
        return weights


def _without_operator(weights: Ints) -> Ints:
    without = weights.copy()
    without[:, -1] = 0
    return without

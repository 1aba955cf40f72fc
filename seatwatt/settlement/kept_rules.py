"""What decides which readings of a site's day are kept: its intervals and its registers' rules."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.metering.condense import condensed
from seatwatt.metering.registers import MeterRules, RegisterColumn
from seatwatt.metering.site import meter_rules

FORMAT = 1
"""Rises whenever the same readings would be kept otherwise, or be written down otherwise."""


@dataclass(frozen=True, slots=True)
class Day:
    """A local day and where it begins and ends."""

    date: date
    start_ms: int
    end_ms: int


@dataclass(frozen=True, slots=True, eq=False)
class KeepRules:
    """How a site's days are condensed. Of registers that lend their shape to others (`lending`) all
    readings are kept; `digest` tells the rules from any others."""

    site: Site
    seats: MeterRules
    nodes: Mapping[Device, MeterRules]
    lending: frozenset[Device]
    digest: str

    @classmethod
    def of(cls, site: Site) -> "KeepRules":
        """As the site is declared."""
        nodes = {node.device: meter_rules(node, site.max_gap_s) for node in site.nodes}
        seats = MeterRules() if site.seat_meters is None else meter_rules(
            site.seat_meters, site.max_gap_s)
        lending = frozenset(_lending(site))
        said = [FORMAT, site.time_zone.key, site.interval_s, _said(seats), sorted(
            [str(device), *_said(rules), device in lending] for device, rules in nodes.items())]
        digest = hashlib.blake2b(json.dumps(said).encode(), digest_size=16).hexdigest()
        return cls(site, seats, nodes, lending, digest)

    def kept(self, device: Device, readings: RegisterColumn, day: Day) -> RegisterColumn:
        """Of a day's readings of a register those that are kept."""
        if device in self.lending:
            return readings
        rules = self.seats if device.kind == "seat" else self.nodes.get(device, self.seats)
        return condensed(readings, self._boundaries(day), rules)

    def _boundaries(self, day: Day) -> NDArray[np.int64]:
        grid = IntervalGrid.between(day.start_ms, day.end_ms, self.site.interval_s,
                                    self.site.time_zone)
        return np.array(grid.boundaries_ms, np.int64)


def days_around(site: Site, start_ms: int, end_ms: int) -> list[Day]:
    """The local days that [start_ms, end_ms) touches, one before them and one after."""
    zone, day = site.time_zone, local_date(start_ms, site.time_zone) - timedelta(days=1)
    last = local_date(end_ms - 1, zone) + timedelta(days=1)
    days = []
    while day <= last:
        following = day + timedelta(days=1)
        days.append(Day(day, local_midnight_ms(day, zone), local_midnight_ms(following, zone)))
        day = following
    return days


def _said(rules: MeterRules) -> list[float | None]:
    # max_gap decides nothing here: the ends of a gap that hides a boundary stand beside it.
    return [rules.max_power_w, rules.modulus_wh, rules.multiplier]


def _lending(site: Site) -> set[Device]:
    parents = {node.parent for node in site.nodes}
    if site.seat_meters is not None:
        parents |= {site.seat_meters.parent_in(zone.name) for zone in site.zones}
    sources = {node.device for node in site.nodes if node.source}
    return {device for device in parents if device is not None} | sources

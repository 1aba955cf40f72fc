"""What seats and nodes draw of their own, minute by minute, before anything fails.

Integer milliwatt-hours a minute: 60 W is 1,000.
"""

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.site import Node
from seatwatt.simulators.chance import chance
from seatwatt.simulators.days import LocalDay
from seatwatt.simulators.layout import Layout

HALL_KINDS = ("hall", "floor", "cabin", "office")
COOLING_W_PER_M2 = 28.0
SEASON = (0.35, 0.3, 0.2, 0.35, 0.7, 1.0, 1.0, 0.95, 0.8, 0.45, 0.2, 0.3)
"""Cooling (in winter heating) by month, January first."""

KIND_W_PER_M2 = {"hall": (1.5, 7.0), "floor": (1.5, 7.0), "cabin": (1.5, 7.0), "office": (1.5, 7.0),
                 "conference": (1.0, 22.0), "meeting": (1.0, 22.0), "training": (1.0, 22.0),
                 "cafeteria": (14.0, 30.0), "lounge": (8.0, 20.0), "plant": (25.0, 10.0)}
"""By zone kind: always drawn, and drawn on top while people are there."""


def seat_loads(layout: Layout, seed: int, day: LocalDay, worked: NDArray[np.bool_]
               ) -> NDArray[np.int64]:
    """Energy of every seat: (seats, minutes). Worked seats 50 to 160 W, others standby."""
    count = len(layout.seats)
    rng = chance(seed, "seats", layout.site.id)
    active, standby = rng.integers(850, 2700, count), rng.integers(5, 60, count)
    held = chance(seed, "noise", layout.site.id, day.day)
    level = held.integers(80, 121, (count, day.minutes), dtype=np.int64)
    return np.where(worked, active[:, None] * level // 100, standby[:, None])


def own_load(layout: Layout, seed: int, day: LocalDay, node: Node, busy: NDArray[np.float64]
             ) -> NDArray[np.int64]:
    """A node's own load: (minutes,). `busy` is the share of its places in use, 0 to 1."""
    if not node.metered:
        return np.zeros(day.minutes, dtype=np.int64)
    if node.storage:
        return np.full(day.minutes, 150 * 1000 // 60, dtype=np.int64)
    rng = chance(seed, "node", node.device, day.day)
    load_w = _profile_w(layout, day, node, busy)
    if node.max_power_w is not None:
        load_w = np.minimum(load_w, node.max_power_w / 4)
    noise = rng.integers(90, 111, day.minutes) / 100
    return np.asarray(np.rint(load_w * noise * (1000 / 60)), dtype=np.int64)


def _profile_w(layout: Layout, day: LocalDay, node: Node, busy: NDArray[np.float64]
               ) -> NDArray[np.float64]:
    zone = next((z for z in layout.site.zones if z.name == node.device.zone), None)
    kind = zone.kind if zone is not None else "plant"
    places = len(zone.seats) if zone is not None else 0
    area_m2 = (zone.area_m2 if zone is not None else None) or max(30.0, 4.0 * places)
    if node.device.name.startswith(("cooling", "ac", "ahu")):
        return cooling_w(day, max(area_m2, 4.0 * len(layout.seats) if not places else 0), busy)
    always, in_use = KIND_W_PER_M2.get(kind, (3.0, 8.0))
    return area_m2 * (always + in_use * np.minimum(1.0, 3.0 * busy))


def cooling_w(day: LocalDay, area_m2: float, busy: NDArray[np.float64]) -> NDArray[np.float64]:
    """Air conditioning: with the season, warmest at four in the afternoon, off in an empty hall."""
    warmth = 0.65 + 0.35 * np.cos((day.hours() - 16.0) * (2 * np.pi / 24))
    return area_m2 * COOLING_W_PER_M2 * SEASON[day.day.month - 1] * warmth * (
        0.05 + 0.95 * np.minimum(1.0, 2.0 * busy))


def solar(day: LocalDay, seed: int, node: Node) -> NDArray[np.int64]:
    """What a solar source gives: (minutes,); a clear or cloudy day between six and six."""
    peak_w = 0.6 * (node.max_power_w or 10_000.0)
    rng = chance(seed, "solar", node.device, day.day)
    arc = np.clip(np.sin((day.hours() - 6.0) * np.pi / 12), 0, None)
    cloud = rng.uniform(0.4, 1.0) * rng.integers(85, 101, day.minutes) / 100
    return np.asarray(np.rint(peak_w * arc * cloud * (1000 / 60)), dtype=np.int64)

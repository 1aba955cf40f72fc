"""Where the energy goes: from seats and own loads up the tree to the sources, one local day.

Integer milliwatt-hours a minute everywhere, so that what a parent carries is exactly what its
children and its own load draw.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.site import Node
from seatwatt.simulators import loads
from seatwatt.simulators.days import LocalDay
from seatwatt.simulators.layout import AT_SUPPLY, Layout
from seatwatt.simulators.outages import Outages, outages
from seatwatt.simulators.people import people, presence

Minutes = NDArray[np.int64]

UPS_LOSS_PCT = 5
RECHARGE_PCT = 115
RECHARGE_MINUTES = 45
BATTERY_MINUTES = 60
"""A full battery carries its load this long."""
LINE_LOSS_PER_MILLE = 12


@dataclass(frozen=True, slots=True, eq=False)
class DayFlow:
    """One local day: arrays of (things, minutes), energies in milliwatt-hours a minute."""

    day: LocalDay
    worked: NDArray[np.bool_]
    people: Minutes
    seats: Minutes
    nodes: Minutes
    """In the order of the layout's nodes: what passes each node's meter."""
    sources: Minutes
    exports: Minutes
    discharged: Minutes
    """Energy missing from the battery of each node (0 for nodes without one)."""
    off: NDArray[np.bool_]
    dark: NDArray[np.bool_]


def day_flow(layout: Layout, seed: int, day: LocalDay) -> DayFlow:
    """Compute one day of the world."""
    cuts = outages(layout, seed, day)
    worked = presence(layout, seed, day)
    rooms = people(layout, seed, day, worked)
    seats = loads.seat_loads(layout, seed, day, worked)
    seats[~layout.seat_backed] *= ~cuts.dark
    nodes, discharged = _climb(layout, seed, day, (worked, rooms, seats), cuts)
    sources, exports = _feed(layout, seed, day, _supply(layout, nodes, seats), cuts)
    return DayFlow(day, worked, rooms, seats, nodes, sources, exports, discharged, cuts.off,
                   cuts.dark)


def _climb(layout: Layout, seed: int, day: LocalDay,
           below: tuple[NDArray[np.bool_], Minutes, Minutes], cuts: Outages
           ) -> tuple[Minutes, Minutes]:
    worked, rooms, seats = below
    nodes = np.zeros((len(layout.nodes), day.minutes), dtype=np.int64)
    discharged = np.zeros_like(nodes)
    for i, node in enumerate(layout.nodes):
        own = loads.own_load(layout, seed, day, node, _busy(layout, node, worked, rooms))
        if not layout.node_backed[i]:
            own = own * ~cuts.dark
        children = seats[layout.seat_parent == i].sum(axis=0)
        for j, parent in enumerate(layout.node_parent):
            if parent == i:
                children = children + nodes[j]
        if node.storage:
            nodes[i], discharged[i] = _through_battery(children, own, cuts.dark)
        else:
            nodes[i] = own + children
    return nodes, discharged


def _busy(layout: Layout, node: Node, worked: NDArray[np.bool_], rooms: Minutes
          ) -> NDArray[np.float64]:
    """Share of the node's places in use: of its zone, its room, the zones it serves, the house."""
    for row, room in enumerate(layout.rooms):
        if room.name == node.device.zone:
            return np.asarray(np.minimum(1.0, rooms[row] / 8), dtype=np.float64)
    zones = node.serves if node.serves is not None else (node.device.zone,)
    rows = [i for i, (zone, _) in enumerate(layout.seats) if zone in zones]
    seated = worked[rows] if rows else worked
    if not len(seated):
        return np.full(worked.shape[1], 0.3)
    return np.asarray(seated.mean(axis=0), dtype=np.float64)


def _through_battery(children: Minutes, own: Minutes, dark: NDArray[np.bool_]
                     ) -> tuple[Minutes, Minutes]:
    """A UPS: losses on the way; in the dark the battery feeds the children and the meter before
    it stands still; afterwards it draws what it gave, and more."""
    drawn = np.where(dark, 0, own + children + children * UPS_LOSS_PCT // 100)
    given = np.where(dark, children, 0)
    back = np.zeros_like(given)
    edges = np.flatnonzero(np.diff(np.concatenate(([0], dark.astype(np.int8), [0]))))
    for start, end in zip(edges[::2], edges[1::2], strict=True):
        minutes = (end + np.flatnonzero(~dark[end:]))[:RECHARGE_MINUTES]
        if len(minutes):
            total = int(given[start:end].sum())
            back[minutes] += total // len(minutes)
            back[minutes[:total % len(minutes)]] += 1
    missing = np.cumsum(given) - np.cumsum(back)
    return drawn + back * RECHARGE_PCT // 100, missing


def _supply(layout: Layout, nodes: Minutes, seats: Minutes) -> Minutes:
    """What the sources must give: all at the top, and what no meter below them sees."""
    top = [i for i, parent in enumerate(layout.node_parent) if parent == AT_SUPPLY]
    load = nodes[top].sum(axis=0) + seats[layout.seat_parent == AT_SUPPLY].sum(axis=0)
    unmetered = 20 * len(layout.seats) + load * LINE_LOSS_PER_MILLE // 1000
    return np.asarray(np.where(load > 0, load + unmetered, 0), dtype=np.int64)


def _feed(layout: Layout, seed: int, day: LocalDay, supply: Minutes, cuts: Outages
          ) -> tuple[Minutes, Minutes]:
    """Which source gives what. Solar needs the mains beside it; its surplus is exported."""
    given = np.zeros((len(layout.sources), day.minutes), dtype=np.int64)
    exports = np.zeros_like(given)
    kinds = [node.source for node in layout.sources]
    has_grid = "grid" in kinds
    supply = np.where(cuts.dark, 0, supply)
    rest = supply.copy()
    for row, node in enumerate(layout.sources):
        if node.source == "solar" and has_grid:
            given[row] = np.where(cuts.off, 0, loads.solar(day, seed, node))
            rest -= given[row]
    main = next((i for kind in ("grid", "generator", "solar") for i, k in enumerate(kinds)
                 if k == kind), None)
    if main is None:
        return given, exports
    standby = kinds.index("generator") if "generator" in kinds and has_grid else main
    given[main] += np.where(cuts.off, 0, np.maximum(rest, 0))
    exports[main] = np.where(cuts.off, 0, np.maximum(-rest, 0))
    given[standby] += np.where(cuts.off, np.maximum(rest, 0), 0)
    return given, exports

"""From trusted energy per meter and interval to energy per party: the whole of the energy part."""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.balance import check_balance, negative_residuals, unaccounted_alarm
from seatwatt.billing.bands import bands_of
from seatwatt.billing.exact import Ints
from seatwatt.billing.holders import holding_of
from seatwatt.billing.result import Apportionment, NodeShare, Seat
from seatwatt.billing.seats import SeatEnergies, seat_energies
from seatwatt.billing.shares import ShareRules
from seatwatt.billing.sources import split_sources
from seatwatt.billing.spans import Spans
from seatwatt.billing.tree import Branch, branches_of
from seatwatt.contract.devices import Device
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.meters import OPERATOR, SOURCES
from seatwatt.contract.site import Site
from seatwatt.metering.energy import MeterEnergy, Quality

Energies = Mapping[Device, MeterEnergy]


def apportion(site: Site, grid: IntervalGrid, energies: Energies,
              occupancy: Mapping[Seat, Spans] | None = None) -> Apportionment:
    """Share every metered milliwatt-hour of the period out among the tenants and `operator`.

    `energies` holds one MeterEnergy for each metered node and each seat that reports energy; a
    metered node without one counts as missing. Findings of the meters come first, then those of
    the balance. Raises InputError when the declarations cannot be applied to the period, and
    Unbalanced should the parties ever fail to add up to the supply.
    """
    parties = (*sorted(tenant.id for tenant in site.tenants), OPERATOR)
    bands, band_of = bands_of(grid, site.bands)
    holding = holding_of(site, grid, parties)
    seats = seat_energies(holding, energies)
    rules = ShareRules(site, grid, holding, occupancy or {})
    sources, supply, measured = _supply(site, grid, energies)
    branches = branches_of(site, seats.metered_zones())
    nodes = _share_tree(branches, supply.sum(axis=0), energies, seats, rules)
    direct = seats.direct_in(holding.zones)
    shared = sum((node.shared_milliwh for node in nodes[:-1]), start=np.zeros_like(direct))
    unaccounted = nodes[-1].shared_milliwh
    result = Apportionment(
        site=site.id, grid=grid, parties=parties, sources=sources,
        source_meters=tuple(str(node.device) for node in site.nodes if node.source),
        bands=bands, band_of=band_of, supply_milliwh=supply, supply_measured=measured,
        direct_milliwh=direct,
        shared_milliwh=shared, unaccounted_milliwh=unaccounted,
        estimated_milliwh=seats.direct_estimated(),
        by_source_milliwh=split_sources(direct + shared + unaccounted, supply),
        held_ms=rules.held_ms(()), occupied_ms=rules.occupied_ms(()),
        booked_ms=rules.booked_ms(tuple(zone.name for zone in site.zones)),
        seats=seats.table(), nodes=nodes,
        findings=tuple(_findings(site, grid, energies, nodes, branches)))
    check_balance(result)
    return result


def _supply(site: Site, grid: IntervalGrid, energies: Energies
            ) -> tuple[tuple[str, ...], Ints, NDArray[np.bool_]]:
    """Kinds of source, their energy [sources, n], and where every meter of one is measured."""
    meters = {kind: [node.device for node in site.nodes if node.source == kind]
              for kind in SOURCES}
    kinds = tuple(kind for kind in SOURCES if meters[kind])
    supply = np.zeros((len(kinds), len(grid)), dtype=np.int64)
    measured = np.ones((len(kinds), len(grid)), dtype=np.bool_)
    for at, kind in enumerate(kinds):
        for device in meters[kind]:
            supply[at] += _energy(device, len(grid), energies)
            meter = energies.get(device)
            measured[at] &= meter is not None and meter.quality == Quality.MEASURED
    return kinds, supply, measured


def _energy(device: Device, intervals: int, energies: Energies) -> Ints:
    meter = energies.get(device)
    return np.zeros(intervals, dtype=np.int64) if meter is None else meter.energy_milliwh


def _share_tree(branches: tuple[Branch, ...], supply: Ints, energies: Energies,
                seats: SeatEnergies, rules: ShareRules) -> tuple[NodeShare, ...]:
    """Every node's residual, shared bottom-up: a node's parties carry what its children's do."""
    own: dict[Device | None, Ints] = {None: supply}
    carried: dict[Device | None, Ints] = {}
    shares = []
    for branch in branches:
        if branch.device is not None:
            own[branch.device] = _energy(branch.device, len(supply), energies)
        direct = seats.direct_in(branch.seat_zones)
        below = sum((own[node] for node in branch.nodes), start=direct.sum(axis=1))
        carries = sum((carried[node] for node in branch.nodes), start=direct)
        residual = own[branch.device] - below
        parts = rules.share(branch, residual, carries)
        shares.append(NodeShare(branch.name, branch.share.rule, branch.zones, own[branch.device],
                                residual, parts))
        carried[branch.device] = carries + shares[-1].shared_milliwh
    return tuple(shares)


def _findings(site: Site, grid: IntervalGrid, energies: Energies, nodes: tuple[NodeShare, ...],
              branches: tuple[Branch, ...]) -> Iterator[Finding]:
    for device in sorted(energies):
        yield from energies[device].findings
    days = grid.day_starts()
    for node, branch in zip(nodes, branches, strict=True):
        yield from negative_residuals(node, branch.storage, grid, days)
    yield from unaccounted_alarm(nodes[-1], site.unaccounted.alarm_pct, grid)

"""A settled period as derived points, one an interval, stamped with the interval's start.

An interval in which the supply is missing has no point, nor has a zone while none of its seats
tells whether it is occupied: a hole is never a measured zero.
"""

from collections.abc import Iterator, Mapping

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.result import Apportionment, Seat
from seatwatt.billing.spans import Spans
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.meters import OPERATOR
from seatwatt.contract.site import Site
from seatwatt.metering.energy import MeterEnergy, Quality
from seatwatt.settlement.readings import PeriodReadings
from seatwatt.store.ports import DerivedPoint

Columns = dict[str, NDArray[np.float64]]
"""Field name -> one value an interval."""


def interval_points(site: Site, result: Apportionment, energies: Mapping[Device, MeterEnergy],
                    seats: PeriodReadings) -> list[DerivedPoint]:
    """`site_balance`, `tenant_energy` and `zone_occupancy` of every interval."""
    times = np.array(result.grid.boundaries_ms[:-1])
    known = ~supply_missing(site, energies, len(times))
    points = list(_points("site_balance", (("site", site.id),), _balance(result), times, known))
    for party in result.involved():
        tags = (("site", site.id), ("tenant", party))
        points += _points("tenant_energy", tags, _party(result, party), times, known)
    return [*points, *occupancy_points(site, result.grid, seats.occupancy, seats.told)]


def occupancy_points(site: Site, grid: IntervalGrid, occupancy: Mapping[Seat, Spans],
                     told: Mapping[Seat, Spans]) -> list[DerivedPoint]:
    """`zone_occupancy` of every interval and zone in which a seat told whether it is occupied."""
    boundaries, points = np.array(grid.boundaries_ms), list[DerivedPoint]()
    for zone in (zone for zone in site.zones if zone.seats):
        occupied_ms, told_ms = (
            sum((spans.per_interval(boundaries) for seat, spans in of.items()
                 if seat[0] == zone.name), start=np.zeros(len(grid), dtype=np.int64))
            for of in (occupancy, told))
        points += _points("zone_occupancy", (("site", site.id), ("zone", zone.name)),
                          _occupancy(boundaries, occupied_ms, len(zone.seats)), boundaries[:-1],
                          told_ms > 0)
    return points


def supply_missing(site: Site, energies: Mapping[Device, MeterEnergy],
                   length: int) -> NDArray[np.bool_]:
    """Whether any source has no reading that tells of the interval."""
    missing = np.zeros(length, dtype=np.bool_)
    for node in site.nodes:
        if node.source and node.device in energies:
            missing |= energies[node.device].quality == Quality.MISSING
    return missing


def _balance(result: Apportionment) -> Columns:
    supply = result.supply_milliwh.sum(axis=0)
    unaccounted = result.unaccounted_milliwh.sum(axis=1)
    operator = result.energy_milliwh[:, result.parties.index(OPERATOR)]
    sources = {f"{source}_wh": _wh(result.supply_milliwh[at])
               for at, source in enumerate(result.sources)}
    return {
        "supply_wh": _wh(supply), **sources,
        "tenants_wh": _wh(supply - operator), "operator_wh": _wh(operator),
        "direct_wh": _wh(result.direct_milliwh.sum(axis=1)),
        "shared_wh": _wh(result.shared_milliwh.sum(axis=1)),
        "unaccounted_wh": _wh(unaccounted),
        "unaccounted_pct": np.where(supply > 0, 100 * unaccounted / np.maximum(supply, 1), 0.0),
        "estimated_wh": _wh(result.estimated_milliwh.sum(axis=1))}


def _party(result: Apportionment, party: str) -> Columns:
    at = result.parties.index(party)
    energy = result.energy_milliwh[:, at]
    bands = {f"band_{band}_wh": _wh(energy * (result.band_of == index))
             for index, band in enumerate(result.bands)}
    sources = {f"source_{source}_wh": _wh(result.by_source_milliwh[index][:, at])
               for index, source in enumerate(result.sources)}
    return {"energy_wh": _wh(energy), "direct_wh": _wh(result.direct_milliwh[:, at]),
            "shared_wh": _wh(result.shared_milliwh[:, at]),
            "unaccounted_wh": _wh(result.unaccounted_milliwh[:, at]),
            "estimated_wh": _wh(result.estimated_milliwh[:, at]), **sources, **bands,
            "held_seat_h": result.held_ms[:, at] / 3_600_000}


def _occupancy(boundaries_ms: NDArray[np.int64], occupied_ms: NDArray[np.int64], seats: int
               ) -> Columns:
    """Seats of the zone, how many of them were occupied on average, and the part in percent."""
    occupied = occupied_ms / np.diff(boundaries_ms)
    return {"seats": np.full(len(occupied), float(seats)), "occupied": occupied,
            "occupied_pct": 100 * occupied / seats}


def _wh(milliwh: NDArray[np.int64]) -> NDArray[np.float64]:
    return milliwh / 1000


def _points(measurement: str, tags: tuple[tuple[str, str], ...], columns: Columns,
            times: NDArray[np.int64], wanted: NDArray[np.bool_]) -> Iterator[DerivedPoint]:
    names = tuple(columns)
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    for at_ms, row, use in zip(times.tolist(), rows, wanted.tolist(), strict=True):
        if use:
            yield DerivedPoint(measurement, tags, tuple(zip(names, row, strict=True)), at_ms)

"""What dashboards show beside the balance: hours of the week, use of seats, and local days.

Points of a day are stamped with its local midnight, so that no dashboard needs to know the site's
time zone; the running day's point grows until the day is over.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

import numpy as np
from numpy.typing import NDArray

from seatwatt.api.jobs.points import supply_missing
from seatwatt.billing.holders import holding_of
from seatwatt.billing.result import Apportionment
from seatwatt.contract._calendar import DAYS
from seatwatt.contract.devices import Device
from seatwatt.contract.meters import OPERATOR
from seatwatt.contract.site import Site, Zone
from seatwatt.metering.energy import MeterEnergy
from seatwatt.settlement.readings import PeriodReadings
from seatwatt.store.ports import DerivedPoint

DRAWS_W = 10.0
"""A seat that nobody sits at and that takes more than this draws power."""

_Floats = NDArray[np.float64]
_Columns = Mapping[str, NDArray[np.float64]]
_Tags = tuple[tuple[str, str], ...]


def view_points(site: Site, result: Apportionment, energies: Mapping[Device, MeterEnergy],
                readings: PeriodReadings) -> list[DerivedPoint]:
    """`zone_hour`, `seat_use`, `site_demand` of every interval; `zone_day`, `tenant_day` and
    `site_day` of every local day. The grid begins at a local midnight."""
    known = ~supply_missing(site, energies, len(result.grid))
    points = [*_demand(site, result, known)]
    for zone in site.zones:
        points += _seats(site, zone, result, readings, known)
    return [*points, *_days(site, result, known)]


def _demand(site: Site, result: Apportionment, known: NDArray[np.bool_]
            ) -> Iterator[DerivedPoint]:
    """Mean power of each interval, against the sanctioned load where one is declared."""
    demand_w = result.supply_milliwh.sum(axis=0) * 3600 / (1000 * result.grid.interval_s)
    columns = {"demand_w": demand_w,
               "unaccounted_alarm_pct": np.full(len(demand_w), site.unaccounted.alarm_pct)}
    if site.sanctioned_load_w is not None:
        columns["sanctioned_w"] = np.full(len(demand_w), site.sanctioned_load_w)
        columns["demand_pct"] = 100 * demand_w / site.sanctioned_load_w
    return _interval_points("site_demand", (("site", site.id),), columns, result, known)


def _seats(site: Site, zone: Zone, result: Apportionment, readings: PeriodReadings,
           known: NDArray[np.bool_]) -> Iterator[DerivedPoint]:
    """Hours and use of one zone, from its seats that tell whether they are occupied, while they do
    and while the site was heard at all."""
    heard = [row for row, seat in enumerate(result.seats.seats)
             if seat[0] == zone.name and seat in readings.told]
    if not heard:
        return
    boundaries = np.array(result.grid.boundaries_ms)
    occupied_ms, told_ms = (np.array([of[result.seats.seats[row]].per_interval(boundaries)
                                      for row in heard])
                            for of in (readings.occupancy, readings.told))
    known = known & (told_ms > 0).any(axis=0)
    empty = (occupied_ms == 0) & (told_ms == np.diff(boundaries))
    tags = (("site", site.id), ("zone", zone.name))
    yield from _interval_points("seat_use", tags, _use(
        occupied_ms > 0, empty, result.seats.energy_milliwh[heard], _held(site, result, heard),
        result.grid.interval_s), result, known)
    occupied = occupied_ms.sum(axis=0) / np.diff(boundaries)
    yield from _hours(tags, result, np.where(known, occupied, np.nan), len(zone.seats))


def _held(site: Site, result: Apportionment, rows: list[int]) -> NDArray[np.bool_]:
    """[seats, n]: whether a tenant holds the seat, for some of the interval at least."""
    holding = holding_of(site, result.grid, result.parties)
    place = {seat: at for at, seat in enumerate(holding.places)}
    operator = result.parties.index(OPERATOR)
    wanted = [place[result.seats.seats[row]] for row in rows]
    return np.asarray(holding.holder[wanted] != operator)


def _use(used: NDArray[np.bool_], empty: NDArray[np.bool_], milliwh: NDArray[np.int64],
         held: NDArray[np.bool_], interval_s: int) -> _Columns:
    """Counts of seats; what [seats, n] arrays say of each interval. A seat whose sensor is silent
    is neither used nor empty."""
    draws = empty & (milliwh * 3600 / (1000 * interval_s) > DRAWS_W)
    return {"empty_drawing": draws.sum(axis=0).astype(np.float64),
            "empty_wh": np.where(draws, milliwh, 0).sum(axis=0) / 1000,
            "held_unused": (held & empty).sum(axis=0).astype(np.float64),
            "used_unheld": (used & ~held).sum(axis=0).astype(np.float64)}


def _hours(tags: _Tags, result: Apportionment, occupied: _Floats, seats: int
           ) -> Iterator[DerivedPoint]:
    grid = result.grid
    for at_ms, count in zip(grid.boundaries_ms[:-1], occupied.tolist(), strict=True):
        if np.isnan(count):
            continue
        local = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(grid.zone)
        weekday = f"{local.isoweekday()}-{DAYS[local.weekday()]}"
        yield DerivedPoint(
            "zone_hour", (*tags, ("weekday", weekday), ("hour", f"{local.hour:02}")),
            (("seats", float(seats)), ("occupied", count), ("occupied_pct", 100 * count / seats)),
            at_ms)


def _days(site: Site, result: Apportionment, known: NDArray[np.bool_]) -> Iterator[DerivedPoint]:
    starts = np.array(result.grid.day_starts())
    at_ms = np.array(result.grid.boundaries_ms)[starts].tolist()
    some = np.add.reduceat(known.astype(np.int64), starts) > 0

    def days(measurement: str, tags: _Tags, columns: _Columns) -> Iterator[DerivedPoint]:
        names = tuple(columns)
        for row, (start_ms, use) in enumerate(zip(at_ms, some.tolist(), strict=True)):
            if use:
                fields = tuple((name, float(columns[name][row])) for name in names)
                yield DerivedPoint(measurement, tags, fields, start_ms)

    yield from days("site_day", (("site", site.id),), _site_day(result, starts))
    for party in result.involved():
        tags = (("site", site.id), ("tenant", party))
        yield from days("tenant_day", tags, party_sums(result, party, starts))
    for name, milliwh in zone_milliwh(site, result).items():
        tags = (("site", site.id), ("zone", name))
        yield from days("zone_day", tags,
                        {"energy_wh": np.add.reduceat(milliwh, starts) / 1000})


def _site_day(result: Apportionment, starts: NDArray[np.int64]) -> _Columns:
    supply = result.supply_milliwh
    sums = {f"{source}_wh": np.add.reduceat(supply[at], starts) / 1000
            for at, source in enumerate(result.sources)}
    demand_w = supply.sum(axis=0) * 3600 / (1000 * result.grid.interval_s)
    columns = {"supply_wh": np.add.reduceat(supply.sum(axis=0), starts) / 1000, **sums,
               "unaccounted_wh": np.add.reduceat(
                   result.unaccounted_milliwh.sum(axis=1), starts) / 1000,
               "demand_w": np.maximum.reduceat(demand_w, starts)}
    if "generator" in result.sources:
        runs = supply[result.sources.index("generator")] > 0
        columns["generator_h"] = np.add.reduceat(
            runs.astype(np.float64), starts) * result.grid.interval_s / 3600
    return columns


def party_sums(result: Apportionment, party: str, starts: NDArray[np.int64]) -> _Columns:
    """A party's energy from each of `starts` to the next, by kind, source and band."""
    at = result.parties.index(party)

    def sums(milliwh: NDArray[np.int64]) -> _Floats:
        return np.asarray(np.add.reduceat(milliwh, starts) / 1000)

    energy = result.energy_milliwh[:, at]
    columns = {"energy_wh": sums(energy), "direct_wh": sums(result.direct_milliwh[:, at]),
               "shared_wh": sums(result.shared_milliwh[:, at]),
               "unaccounted_wh": sums(result.unaccounted_milliwh[:, at]),
               "estimated_wh": sums(result.estimated_milliwh[:, at])}
    for index, source in enumerate(result.sources):
        columns[f"source_{source}_wh"] = sums(result.by_source_milliwh[index][:, at])
    for index, band in enumerate(result.bands):
        columns[f"band_{band}_wh"] = sums(energy * (result.band_of == index))
    whole = columns["energy_wh"]
    columns["measured_pct"] = np.where(
        whole > 0, 100 - 100 * columns["estimated_wh"] / np.where(whole > 0, whole, 1), 100.0)
    return columns


def zone_milliwh(site: Site, result: Apportionment) -> dict[str, NDArray[np.int64]]:
    """Zone -> [n]: its meters' own residuals and its seats, so that with what is unaccounted for
    the zones add up to the supply."""
    zones = {zone.name: np.zeros(len(result.grid), dtype=np.int64) for zone in site.zones}
    for node in result.nodes:
        name = node.node.split("/")[1] if "/" in node.node else ""
        if name in zones:
            zones[name] = zones[name] + node.residual_milliwh
    for row, (name, _) in enumerate(result.seats.seats):
        zones[name] = zones[name] + result.seats.energy_milliwh[row]
    return zones


def _interval_points(measurement: str, tags: _Tags, columns: _Columns, result: Apportionment,
                     wanted: NDArray[np.bool_]) -> Iterator[DerivedPoint]:
    rows = zip(*(column.tolist() for column in columns.values()), strict=True)
    for at_ms, row, use in zip(result.grid.boundaries_ms[:-1], rows, wanted.tolist(),
                               strict=True):
        if use:
            yield DerivedPoint(measurement, tags, tuple(zip(columns, row, strict=True)), at_ms)

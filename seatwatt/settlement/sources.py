"""Where a period's readings are had from: a store, a recording, or days that are kept."""

from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site
from seatwatt.settlement.keeping import Keeper
from seatwatt.settlement.readings import PeriodReadings, read_period, read_seats
from seatwatt.store.ports import Reader
from seatwatt.store.recording import Recording

Source = Reader | Recording | Keeper
"""A keeper reads from its store as little as it can, the others are read whole."""


def readings_of(site: Site, source: Source, grid: IntervalGrid, with_occupancy: bool
                ) -> PeriodReadings:
    """All that settling the grid's period needs. Days are kept for the site's own intervals."""
    if not isinstance(source, Keeper):
        return read_period(site.id, source, grid, with_occupancy)
    if grid.interval_s != site.interval_s:
        return read_period(site.id, source.reader, grid, with_occupancy)
    seats = read_seats(site.id, source.reader, grid) if with_occupancy else ({}, {})
    return PeriodReadings(source.period(site, grid).registers, *seats)


def store_of(source: Source) -> Reader | None:
    """The store behind it; None of a recording."""
    if isinstance(source, Recording):
        return None
    return source.reader if isinstance(source, Keeper) else source

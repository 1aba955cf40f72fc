"""`events` that are no finding: outages, exchanges of meters, tariffs that come into force; and how
often each day a UPS took over (`ups_day`).

The last two days are looked at again each time, and as far back as an outage that goes on; the same
event again overwrites itself. What began before is not told again, for where it began is not seen.
"""

from collections.abc import Iterator, Mapping
from functools import partial

import numpy as np
from numpy.typing import NDArray

from seatwatt.api.jobs.live import ON_W
from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.quantities import quantity
from seatwatt.contract.site import Site
from seatwatt.ledger.jobs import Progress
from seatwatt.ledger.papers import list_papers
from seatwatt.store.ports import Column, DerivedPoint

BACK_MS = 2 * 86_400_000
MARGIN_MS = 86_400_000
"""How far before that is read, to see how things stood when it began."""


def write_happenings(services: Services, progress: Progress) -> Outcome:
    """Every declared site; the first run looks as far back as the store's grid readings go."""
    now_ms, done, said, failed = services.clock(), dict(progress), [], False
    for site_id in services.declarations.ids():
        site = services.declarations.load(site_id).site
        before = done.get(site_id, {})
        start_ms = max(0, min(before.get("until_ms", 0) - BACK_MS, before.get("dark_ms", now_ms)))
        try:
            dark = _outages(services, site, start_ms, now_ms)
            points = [*map(partial(_outage, site.id), dark), *exchange_events(site),
                      *_tariffs(services, site), *_ups_days(services, site, start_ms, now_ms)]
        except InputError as error:
            said.append(f"{site_id}: {error}")
            failed = True
            continue
        services.writer.write_derived(points)
        done[site_id] = {"until_ms": now_ms}
        if dark and dark[-1][1] > now_ms - BACK_MS:
            done[site_id]["dark_ms"] = dark[-1][0]
        said.append(f"{site_id}: {len(points)} events")
    return Outcome("; ".join(said) or "no site is declared", done, failed)


def _outages(services: Services, site: Site, start_ms: int, end_ms: int) -> list[tuple[int, int]]:
    """Those that begin in [start_ms, end_ms)."""
    grids = [node.device for node in site.nodes if node.source == "grid" and node.metered]
    if not grids:
        return []
    columns = services.reader.columns(site.id, quantity("meter", "power"),
                                      max(0, start_ms - MARGIN_MS), end_ms, grids)
    return [(at, to) for at, to in outages(columns) if at >= start_ms]


def _outage(site: str, dark: tuple[int, int]) -> DerivedPoint:
    at, to = dark
    return event_at(site, "outage", "grid", f"Outage, {(to - at) / 60_000:.0f} minutes",
                    "the grid's meters read no power", at, to)


def outages(grids: Mapping[Device, Column]) -> list[tuple[int, int]]:
    """[from, to) during which every grid meter read no power, from its first such reading to the
    first that is none; one still going on ends with its last reading."""
    if not grids:
        return []
    times = np.unique(np.concatenate([column.times_ms for column in grids.values()]))
    dark = np.ones(len(times), dtype=np.bool_)
    for column in grids.values():
        at = np.searchsorted(column.times_ms, times, side="right") - 1
        dark &= np.where(at >= 0, np.abs(column.values[np.maximum(at, 0)]) <= ON_W, True)
    return list(_runs(times, dark))


def _runs(times: NDArray[np.int64], dark: NDArray[np.bool_]) -> Iterator[tuple[int, int]]:
    edges = np.diff(np.concatenate(([0], dark.astype(np.int8), [0])))
    for first, after in zip(np.flatnonzero(edges == 1), np.flatnonzero(edges == -1), strict=True):
        start_ms, end_ms = int(times[first]), int(times[min(int(after), len(times) - 1)])
        if end_ms > start_ms:
            yield start_ms, end_ms


def _ups_days(services: Services, site: Site, start_ms: int, end_ms: int) -> list[DerivedPoint]:
    # A first run begins in 1970; no zone is more than a day from UTC.
    first = local_date(max(start_ms, BACK_MS), site.time_zone)
    start_ms = local_midnight_ms(first, site.time_zone)
    columns = services.reader.columns(site.id, quantity("ups", "on_battery"),
                                      start_ms - MARGIN_MS, end_ms)
    return [point for device, column in columns.items()
            for point in ups_days(site, device, column) if point.time_ms >= start_ms]


def ups_days(site: Site, device: Device, column: Column) -> Iterator[DerivedPoint]:
    """One point a local day: how often the UPS went to battery, and for how long it stayed."""
    on = column.values > 0
    rises = on & ~np.concatenate(([False], on[:-1]))
    lasted_ms = np.append(np.diff(column.times_ms), 0) * on
    days = np.array([local_midnight_ms(local_date(int(at_ms), site.time_zone), site.time_zone)
                     for at_ms in column.times_ms], dtype=np.int64)
    tags = (("site", site.id), ("zone", device.zone), ("device", device.name))
    for day in np.unique(days).tolist():
        here = days == day
        yield DerivedPoint("ups_day", tags, (
            ("transfers", float(rises[here].sum())),
            ("battery_s", float(lasted_ms[here].sum()) / 1000)), day)


def exchange_events(site: Site) -> list[DerivedPoint]:
    """One for each declared exchange of a meter."""
    return [event_at(site.id, "exchange", str(each.meter), f"Meter exchanged: {each.meter}",
                   f"old at {each.final_wh} Wh, new at {each.initial_wh} Wh", each.at_ms,
                   each.at_ms) for each in site.exchanges]


def _tariffs(services: Services, site: Site) -> list[DerivedPoint]:
    """One for each tariff, when it comes into force."""
    starts = [(paper, local_midnight_ms(paper.from_, site.time_zone))
              for paper in list_papers(services.ledger, site.id, "tariff") if paper.from_]
    return [event_at(site.id, "tariff", paper.name, f"Tariff {paper.name} in force",
                   str(paper.document.get("document", "")), at_ms, at_ms)
            for paper, at_ms in starts]


def event_at(site: str, kind: str, subject: str, title: str, text: str, from_ms: int, to_ms: int
             ) -> DerivedPoint:
    """A point of `events`; dashboards shade it from `from_ms` to `to_ms`."""
    return DerivedPoint("events", (("site", site), ("kind", kind), ("subject", subject)),
                        (("title", title), ("text", text), ("tags", kind),
                         ("end_ms", float(to_ms))), from_ms)

"""Each interval, once it is over: `site_balance`, `zone_occupancy`, `tenant_energy` and what
`views.py` makes of the same settlement.

Registers are kept first (`settlement/keeping.py`), so that whoever settles a period later reads
little from the store. The last two days are written again every time, and any day of the last
`BEHIND_DAYS_MAX` whose registers changed since it was written, so that readings which came late are
in them. What was never written is caught up as far back, a week at a time.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.jobs.points import interval_points
from seatwatt.api.jobs.views import view_points
from seatwatt.api.services import Services
from seatwatt.billing.apportion import apportion
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.ledger.jobs import Progress
from seatwatt.metering.site import site_energy
from seatwatt.settlement.sources import readings_of

SETTLE_MS = 90_000
"""An interval is looked at when its last readings have had this time to arrive."""
LATE_MS = 2 * 86_400_000
BEHIND_DAYS_MAX = 35
CHUNK_MS = 7 * 86_400_000
DAY_MS = 86_400_000
KEPT_BACK_DAYS = 63
"""The last month and this one."""


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be written for a site: [start_ms, end_ms), on interval boundaries."""

    start_ms: int
    end_ms: int


def write_intervals(services: Services, progress: Progress) -> Outcome:
    """Write what is due for every declared site. A site that cannot be settled is named and the
    others go on; nothing of its progress is lost."""
    done, said, failed = dict(progress), [], False
    for site_id in services.declarations.ids():
        declared = services.declarations.load(site_id)
        before = done.get(site_id, {})
        try:
            kept_days = services.settings.occupancy_days
            works = due(declared.site, services.clock(), before.get("until_ms", 0), kept_days)
            contents = _keep(services, declared.site, works, kept_days)
            late = late_days(declared.site, before.get("days", {}), contents, works)
            said += [f"{site_id}: {_write(services, declared.site, work)} late points"
                     for work in late]
            for work in works:
                said.append(f"{site_id}: {_write(services, declared.site, work)} points")
                done[site_id] = {"until_ms": work.end_ms, "days": contents}
        except InputError as error:
            said.append(f"{site_id}: {error}")
            failed = True
    return Outcome("; ".join(said) or "no interval has ended since", done, failed)


def _keep(services: Services, site: Site, works: Sequence[Work], kept_days: int
          ) -> dict[str, str]:
    """Keep the registers of this month's and the last's days; a digest of each that has any and
    may still be written again."""
    if not works:
        return {}
    end_ms = works[-1].end_ms
    contents = services.keeper().refresh(site, end_ms - KEPT_BACK_DAYS * DAY_MS, end_ms)
    oldest = local_date(_oldest_ms(end_ms, kept_days), site.time_zone)
    return {day.isoformat(): content for day, content in sorted(contents.items())
            if day >= oldest}


def late_days(site: Site, before: Mapping[str, str], now: Mapping[str, str],
              works: Sequence[Work]) -> list[Work]:
    """The days whose registers are not those that were written last (day -> digest), and that are
    not due anyway."""
    changed = [date.fromisoformat(day) for day in now if before.get(day, now[day]) != now[day]]
    late = [Work(*(local_midnight_ms(each, site.time_zone)
                   for each in (day, day + timedelta(days=1)))) for day in changed]
    return [work for work in late if work.end_ms <= works[0].start_ms]


def _oldest_ms(end_ms: int, kept_days: int) -> int:
    return end_ms - min(BEHIND_DAYS_MAX, kept_days - 1) * DAY_MS


def due(site: Site, now_ms: int, done_ms: int, kept_days: int = BEHIND_DAYS_MAX + 1
        ) -> list[Work]:
    """The chunks to write, oldest first; none when no interval has ended since `done_ms`. What is
    older than `kept_days` stays as it is: who sat where is forgotten."""
    end_ms = _boundary(site, now_ms - SETTLE_MS)
    if end_ms <= done_ms:
        return []
    start_ms = _midnight(site, max(_oldest_ms(end_ms, kept_days), min(done_ms, end_ms) - LATE_MS))
    cuts = [start_ms]
    while cuts[-1] + CHUNK_MS < end_ms:
        cuts.append(_midnight(site, cuts[-1] + CHUNK_MS))
    return [Work(start, stop) for start, stop in zip(cuts, [*cuts[1:], end_ms], strict=True)
            if start < stop]


def _boundary(site: Site, at_ms: int) -> int:
    """The last interval boundary not after `at_ms`."""
    since_ms = at_ms - _midnight(site, at_ms)
    return at_ms - since_ms % (site.interval_s * 1000)


def _midnight(site: Site, at_ms: int) -> int:
    return local_midnight_ms(local_date(at_ms, site.time_zone), site.time_zone)


def _write(services: Services, site: Site, work: Work) -> int:
    """Read, compute, write; how many points."""
    grid = IntervalGrid.between(work.start_ms, work.end_ms, site.interval_s, site.time_zone)
    readings = readings_of(site, services.keeper(), grid, with_occupancy=True)
    energies = site_energy(site, grid, readings.registers)
    result = apportion(site, grid, energies, readings.occupancy)
    points = [*interval_points(site, result, energies, readings),
              *view_points(site, result, energies, readings)]
    services.writer.write_derived(points)
    return len(points)

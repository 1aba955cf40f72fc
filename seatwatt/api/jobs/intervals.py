"""Each interval, once it is over: `site_balance`, `zone_occupancy`, `tenant_energy` and what
`views.py` makes of the same settlement.

The last two days are written again every time, so that readings which came late are in them. What
was never written is caught up from `BEHIND_DAYS_MAX` back, a week at a time.
"""

from dataclasses import dataclass

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
from seatwatt.settlement.readings import read_period

SETTLE_MS = 90_000
"""An interval is looked at when its last readings have had this time to arrive."""
LATE_MS = 2 * 86_400_000
BEHIND_DAYS_MAX = 35
CHUNK_MS = 7 * 86_400_000


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be written for a site: [start_ms, end_ms), on interval boundaries."""

    start_ms: int
    end_ms: int


def write_intervals(services: Services, progress: Progress) -> Outcome:
    """Write what is due for every declared site. A site that cannot be settled is named and the
    others go on; nothing of its progress is lost."""
    done, said = dict(progress), []
    for site_id in services.declarations.ids():
        declared = services.declarations.load(site_id)
        done_ms = done.get(site_id, {}).get("until_ms", 0)
        try:
            kept_days = services.settings.occupancy_days
            for work in due(declared.site, services.clock(), done_ms, kept_days):
                said.append(f"{site_id}: {_write(services, declared.site, work)} points")
                done[site_id] = {"until_ms": work.end_ms}
        except InputError as error:
            said.append(f"{site_id}: {error}")
    return Outcome("; ".join(said) or "no interval has ended since", done)


def due(site: Site, now_ms: int, done_ms: int, kept_days: int = BEHIND_DAYS_MAX + 1
        ) -> list[Work]:
    """The chunks to write, oldest first; none when no interval has ended since `done_ms`. What is
    older than `kept_days` stays as it is: who sat where is forgotten."""
    end_ms = _boundary(site, now_ms - SETTLE_MS)
    if end_ms <= done_ms:
        return []
    oldest_ms = end_ms - min(BEHIND_DAYS_MAX, kept_days - 1) * 86_400_000
    start_ms = _midnight(site, max(oldest_ms, min(done_ms, end_ms) - LATE_MS))
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
    readings = read_period(site.id, services.reader, grid, with_occupancy=True)
    energies = site_energy(site, grid, readings.registers)
    result = apportion(site, grid, energies, readings.occupancy)
    points = [*interval_points(site, result, energies, readings.occupancy),
              *view_points(site, result, energies, readings.occupancy)]
    services.writer.write_derived(points)
    return len(points)

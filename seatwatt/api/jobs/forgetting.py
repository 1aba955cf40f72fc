"""Each day: forget what is kept for a while only. Who sat where goes after `occupancy_days`, from
the store as from issued runs, and leaves counts by zone and interval; answers to idempotency keys
go after a week, kept days of registers after `kept_days`.

What a period still needs for its bills is held until that period is issued: decision 0149.
"""

from datetime import date, timedelta

from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.jobs.points import occupancy_points
from seatwatt.api.services import Services
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.ledger.answers import forget_before
from seatwatt.ledger.jobs import Progress, keep_progress
from seatwatt.ledger.kept import drop_days
from seatwatt.ledger.runs import forget_occupancy, list_runs
from seatwatt.settlement.forgotten import FORGETTING, bills_by_occupancy
from seatwatt.settlement.readings import OCCUPIED, read_seats
from seatwatt.store.ports import DerivedPoint

ANSWERS_MS = 7 * 86_400_000
DAY_MS = 86_400_000
CHUNK_MS = 7 * DAY_MS
EVER = date(1970, 1, 2)


def forget(services: Services, progress: Progress) -> Outcome:
    """Every declared site; a store that cannot delete fails the job, and nothing else is lost."""
    now_ms, kept = services.clock(), timedelta(days=services.settings.occupancy_days)
    runs, seats, done, days = 0, [], dict(progress), 0
    for site_id in services.declarations.ids():
        site = services.declarations.load(site_id).site
        today = local_date(now_ms, site.time_zone)
        runs += forget_occupancy(services.ledger, site_id, today - kept)
        days += drop_days(services.ledger, site_id,
                          today - timedelta(days=services.settings.kept_days))
        before = min([today - kept, *_held(services, site)])
        if _forget_seats(services, site, local_midnight_ms(before, site.time_zone), done):
            seats.append(f"seats of {site_id} before {before}, ")
    answers = forget_before(services.ledger, now_ms - ANSWERS_MS)
    return Outcome(f"{''.join(seats)}occupancy of {runs} runs, {answers} answers"
                   f"{f', {days} kept days' * (days > 0)}", done)


def _held(services: Services, site: Site) -> list[date]:
    """From when on the site's bills still need to know who sat where: since the last run that was
    issued, and in every run that is not; all of it where nothing was issued yet."""
    if not bills_by_occupancy(services.ledger, site):
        return []
    runs = list_runs(services.ledger, site.id)
    issued = max((run.to for run in runs if run.state == "issued"), default=EVER)
    # What was read on the day before may hold into the first day.
    return [day - timedelta(days=1)
            for day in (issued, *(run.from_ for run in runs if run.state != "issued"))]


def _forget_seats(services: Services, site: Site, before_ms: int, done: Progress) -> bool:
    """Count, note, delete, in this order: cut off anywhere, it is done again. Whether there was
    anything to forget."""
    first_ms = services.reader.first_ms(site.id, OCCUPIED)
    if first_ms is None or first_ms >= before_ms:
        return False
    at_ms, end_ms = _midnight(site, first_ms), _midnight(site, before_ms + DAY_MS)
    # A day more than is deleted, for what is deleted may hold into it.
    while at_ms < end_ms:
        next_ms = min(_midnight(site, at_ms + CHUNK_MS), end_ms)
        services.writer.write_derived(_uncounted(services, site, at_ms, next_ms))
        at_ms = next_ms
    until_ms = max(before_ms, done.get(site.id, {}).get("until_ms", 0))
    done[site.id] = {"until_ms": until_ms}
    keep_progress(services.ledger, FORGETTING, done)
    services.writer.forget(site.id, OCCUPIED, before_ms)
    return True


def _uncounted(services: Services, site: Site, start_ms: int, end_ms: int) -> list[DerivedPoint]:
    """`zone_occupancy` where there is none yet. One that is there stays: what came late, after
    its neighbours were forgotten, would only spoil it."""
    grid = IntervalGrid.between(start_ms, end_ms, site.interval_s, site.time_zone)
    there = {(point.tags, point.time_ms) for point in services.reader.derived(
        "zone_occupancy", (("site", site.id),), start_ms, end_ms)}
    points = occupancy_points(site, grid, *read_seats(site.id, services.reader, grid))
    return [point for point in points if (tuple(sorted(point.tags)), point.time_ms) not in there]


def _midnight(site: Site, at_ms: int) -> int:
    return local_midnight_ms(local_date(at_ms, site.time_zone), site.time_zone)

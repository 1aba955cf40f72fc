"""Each hour: this month so far and the last one, by tenant, with what they would cost.

Costs are provisional: today's tariffs on the energy of the days so far; a bill replaces them when
it comes, in the run of the month and not here.
"""

from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta

import numpy as np

from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.jobs.views import party_sums
from seatwatt.api.services import Services
from seatwatt.billing.bill_tariff import Tariff
from seatwatt.billing.bill_tariff_file import parse_tariff
from seatwatt.billing.money_currency import decimals_of
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.ledger.jobs import Progress
from seatwatt.ledger.papers import list_papers
from seatwatt.settlement.charging import charge_bills, provisional
from seatwatt.settlement.settle import Settlement, settle
from seatwatt.store.ports import DerivedPoint

Tags = tuple[tuple[str, str], ...]


def write_months(services: Services, progress: Progress) -> Outcome:
    """Every declared site; one that cannot be settled, or a month that cannot be priced, is named
    and the others go on."""
    said: list[str] = []
    failed = False
    for site_id in services.declarations.ids():
        site = services.declarations.load(site_id).site
        try:
            points = [point for start, stop in months(local_date(services.clock(), site.time_zone))
                      for point in _month(services, site, start, stop, said)]
        except InputError as error:
            said.append(f"{site_id}: {error}")
            failed = True
            continue
        services.writer.write_derived(points)
        said.append(f"{site_id}: {len(points)} points")
    return Outcome("; ".join(said) or "no site is declared", progress, failed)


def months(today: date) -> list[tuple[date, date]]:
    """[from, to) of the last month, and of this one until today is over."""
    this = today.replace(day=1)
    last = (this - timedelta(days=1)).replace(day=1)
    return [(last, this), (this, today + timedelta(days=1))]


def _month(services: Services, site: Site, start: date, stop: date, said: list[str]
           ) -> Iterator[DerivedPoint]:
    """Read, compute; the caller writes. What cannot be priced is added to `said`."""
    start_ms = local_midnight_ms(start, site.time_zone)
    settled = settle(site, services.keeper(), start_ms, local_midnight_ms(stop, site.time_zone))
    if not settled.apportionment.supply_milliwh.any():
        return
    month = f"{start:%Y-%m}"
    yield from energy_points(settled, month)
    tariffs = [parse_tariff(paper.document)
               for paper in list_papers(services.ledger, site.id, "tariff")]
    total: Counter[Tags] = Counter()
    for tariff in tariffs:
        if tariff.from_ <= start and (tariff.to is None or stop <= tariff.to):
            try:
                total.update(costs(services, settled, tariff, month))
            except InputError as error:
                said.append(f"{site.id} {month}: {error}")
    yield from (DerivedPoint("tenant_cost", tags, (
        ("amount", minor / 10 ** decimals_of(dict(tags)["currency"])),), start_ms)
        for tags, minor in total.items())


def energy_points(settled: Settlement, month: str) -> Iterator[DerivedPoint]:
    """`tenant_month`, one point a party."""
    result = settled.apportionment
    for party in result.involved():
        columns = party_sums(result, party, np.zeros(1, dtype=np.int64))
        yield DerivedPoint(
            "tenant_month", (("site", settled.site.id), ("tenant", party), ("month", month)),
            tuple((name, float(column[0])) for name, column in columns.items()),
            settled.grid.start_ms)


def costs(services: Services, settled: Settlement, tariff: Tariff, month: str) -> Counter[Tags]:
    """Tags of `tenant_cost` -> minor units; suppliers may have lines of one name."""
    charged = charge_bills(settled, services.keeper(), [provisional(settled, tariff)])
    bands = {line.id: line.band for line in tariff.lines}
    found: Counter[Tags] = Counter()
    for charges in charged.bills:
        for party in charges.parties:
            tags = (("site", settled.site.id), ("tenant", party), ("month", month),
                    ("source", tariff.source or "all"), ("currency", tariff.currency))
            for line, minor in charges.of(party).items():
                if minor:
                    found[*tags, ("line", line), ("band", bands.get(line) or "all")] += minor
    return found

"""Each day: how complete the last days are (`completeness`), and what the rules found (`events`).

A week is judged again each time, so that readings which came late count.
"""

import numpy as np

from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.ledger.jobs import Progress
from seatwatt.metering.energy import MeterEnergy, Quality
from seatwatt.settlement.settle import settle
from seatwatt.store.ports import DerivedPoint

DAYS = 7


def write_completeness(services: Services, progress: Progress) -> Outcome:
    """Every declared site; one that cannot be settled is named and the others go on."""
    said, failed = [], False
    for site_id in services.declarations.ids():
        site = services.declarations.load(site_id).site
        try:
            said.append(f"{site_id}: {_write(services, site)}")
        except InputError as error:
            said.append(f"{site_id}: {error}")
            failed = True
    return Outcome("; ".join(said) or "no site is declared", progress, failed)


def _write(services: Services, site: Site) -> str:
    """Read, compute, write."""
    today = local_date(services.clock(), site.time_zone)
    end_ms = local_midnight_ms(today, site.time_zone)
    start_ms = local_midnight_ms(local_date(end_ms - DAYS * 86_400_000, site.time_zone),
                                 site.time_zone)
    settled = settle(site, services.keeper(), start_ms, end_ms)
    points = [point for device, meter in sorted(settled.energies.items())
              for point in completeness_points(site, settled.grid, device, meter)]
    findings = settled.apportionment.findings
    services.writer.write_derived([*points, *(event_point(site, each) for each in findings)])
    return f"{len(settled.energies)} meters, {len(findings)} findings in {DAYS} days"


def completeness_points(site: Site, grid: IntervalGrid, device: Device,
                        meter: MeterEnergy) -> list[DerivedPoint]:
    """One point a local day: how many of its intervals are measured, estimated, missing."""
    tags = (("site", site.id), ("kind", device.kind), ("zone", device.zone),
            ("device", device.name))
    days: dict[int, list[int]] = {}
    for at_ms, quality in zip(grid.boundaries_ms[:-1], meter.quality.tolist(), strict=True):
        midnight = local_midnight_ms(local_date(at_ms, grid.zone), grid.zone)
        days.setdefault(midnight, []).append(quality)
    return [DerivedPoint("completeness", tags, _counts(qualities), midnight)
            for midnight, qualities in days.items()]


def _counts(qualities: list[int]) -> tuple[tuple[str, float], ...]:
    counts = np.bincount(qualities, minlength=len(Quality))
    return (*((quality.name.lower(), float(counts[quality])) for quality in Quality),
            ("measured_pct", 100 * float(counts[Quality.MEASURED]) / len(qualities)))


def event_point(site: Site, finding: Finding) -> DerivedPoint:
    """A finding as an annotation: title, text, and where it ends."""
    return DerivedPoint(
        "events", (("site", site.id), ("kind", finding.rule.name), ("subject", finding.subject)),
        (("title", f"{finding.rule.name} {finding.rule.title}"), ("text", finding.detail),
         ("tags", "blocks" if finding.blocks else "notes"), ("end_ms", float(finding.to_ms))),
        finding.from_ms)

"""Each minute: what each site draws now and from which source, and what the quarantine holds."""

from collections.abc import Sequence

from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.contract.site import Site
from seatwatt.ledger.jobs import Progress
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.store.ports import DerivedPoint, LastReading

ON_W = 1.0
"""A source that gives more than this is on."""


def write_live(services: Services, progress: Progress) -> Outcome:
    """Read, compute, write."""
    now_ms = services.clock()
    points = []
    for site_id in services.declarations.ids():
        site = services.declarations.load(site_id).site
        last = services.reader.last(site_id, ("meter",))
        points += live_points(site, last, now_ms, services.settings.silent_after_s)
    sites = len(points)
    points += [DerivedPoint("quarantine", (("rule", rule.name),), (("messages", float(count)),),
                            now_ms) for rule, count in Quarantine(services.ledger).counts().items()]
    services.writer.write_derived(points)
    return Outcome(f"{sites} sites with a load, {len(points) - sites} rules in quarantine",
                   progress)


def live_points(site: Site, last: Sequence[LastReading], now_ms: int, silent_after_s: float
                ) -> list[DerivedPoint]:
    """`site_now` from the power that the sources' meters read last; none while all are silent, and
    no load while what is heard gives nothing and a source is silent: that one may carry it all."""
    powers = {reading.series.device: float(reading.value) for reading in last
              if reading.series.quantity.field == "power_w"
              and now_ms - reading.taken_at_ms <= silent_after_s * 1000}
    sources = {node.device: node.source for node in site.nodes if node.source and node.metered}
    by_source: dict[str, float] = {}
    for device, source in sources.items():
        if device in powers:
            by_source[source] = by_source.get(source, 0.0) + powers[device]
    if not by_source:
        return []
    fields = [*((f"{source}_w", power) for source, power in by_source.items()),
              *((f"{source}_on", float(abs(power) > ON_W)) for source, power in by_source.items())]
    if sources.keys() <= powers.keys() or any(abs(power) > ON_W for power in by_source.values()):
        fields += _load(site, sum(by_source.values()))
    return [DerivedPoint("site_now", (("site", site.id),), tuple(fields), now_ms)]


def _load(site: Site, load_w: float) -> list[tuple[str, float]]:
    if site.sanctioned_load_w is None:
        return [("load_w", load_w)]
    return [("load_w", load_w), ("load_pct", 100 * load_w / site.sanctioned_load_w)]

"""A period of a site, from readings to who carries what."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seatwatt.billing.apportion import apportion
from seatwatt.billing.result import Apportionment
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.findings import Finding
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site
from seatwatt.metering.energy import MeterEnergy
from seatwatt.metering.site import site_energy
from seatwatt.settlement.sources import Source, readings_of, store_of
from seatwatt.settlement.undeclared import undeclared_registers

LONGEST_DAYS = 1100
"""Three years: a year mistyped would fill the memory before it ends."""


@dataclass(frozen=True, slots=True, eq=False)
class Settlement:
    """Everything computed about one site and period."""

    site: Site
    grid: IntervalGrid
    energies: dict[Device, MeterEnergy]
    apportionment: Apportionment


def settle(site: Site, source: Source, start_ms: int, end_ms: int,
           interval_s: int | None = None, with_occupancy: bool | None = None) -> Settlement:
    """Apportion [start_ms, end_ms), which must lie on interval boundaries.

    `interval_s` overrides the site's interval. Occupancy, which is about people, is read only
    where a rule of the site shares by it, unless `with_occupancy` says so. Of a store the findings
    tell of registers that are not declared. Raises InputError for declarations or readings that
    cannot be used, and the store's errors.
    """
    if end_ms - start_ms > LONGEST_DAYS * 86_400_000:
        raise InputError("period", "it is too long", f"at most {LONGEST_DAYS} days")
    grid = IntervalGrid.between(start_ms, end_ms, interval_s or site.interval_s, site.time_zone)
    wanted = shares_by_occupancy(site) if with_occupancy is None else with_occupancy
    readings, store = readings_of(site, source, grid, wanted), store_of(source)
    energies = site_energy(site, grid, readings.registers)
    result = apportion(site, grid, energies, readings.occupancy)
    if store is None:
        return Settlement(site, grid, energies, result)
    return Settlement(site, grid, energies,
                      with_findings(result, undeclared_registers(site, store, grid)))


def with_findings(result: Apportionment, more: Sequence[Finding]) -> Apportionment:
    """The apportionment with findings that it could not see itself."""
    return replace(result, findings=(*result.findings, *more)) if more else result


def shares_by_occupancy(site: Site) -> bool:
    """Whether any node, or the supply, shares by occupied seat-time."""
    shares = [*(node.share for node in site.nodes), site.unaccounted.share]
    return any("occupancy" in (share.rule, share.otherwise) for share in shares)

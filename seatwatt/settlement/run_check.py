"""Whether the readings that a draft was computed from are still what the store has."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.hand_readings import HandReading
from seatwatt.metering.site import site_energy
from seatwatt.settlement.charging import span_ms
from seatwatt.settlement.keeping import Keeper
from seatwatt.settlement.run_gather import with_hand_readings
from seatwatt.settlement.run_inputs import RunInputs, is_same_energy


def changed_registers(keeper: Keeper, recorded: RunInputs) -> list[Device]:
    """The meters and seats that have other trusted energy in one of the recorded periods by now,
    under the declarations and readings by hand that were recorded."""
    site = parse_site(recorded.site)
    by_hand = [_hand_reading(site.id, document) for document in recorded.hand_readings]
    said = [((given.device, given.quantity), given.taken_at_ms) for given in by_hand]
    changed: set[Device] = set()
    for period, then in recorded.periods.items():
        grid = IntervalGrid.between(*span_ms(period, site), site.interval_s, site.time_zone)
        read = keeper.period(site, grid, said)
        if read.digest == then.readings_digest:
            continue
        # What came beside the period, or where it decides nothing, changes no energy.
        now = site_energy(site, grid, with_hand_readings(read.registers, by_hand))
        changed |= {device for device in now.keys() | then.energies.keys()
                    if device not in now or device not in then.energies
                    or not is_same_energy(now[device], then.energies[device])}
    return sorted(changed)


def _hand_reading(site_id: str, document: Mapping[str, Any]) -> HandReading:
    return HandReading(
        site=site_id, device=Device.parse(document["device"]), quantity=document["quantity"],
        taken_at_ms=document["taken_at_ms"], register_wh=Decimal(document["register_wh"]),
        reason=document["reason"], at_ms=document["at_ms"], who=document["who"])

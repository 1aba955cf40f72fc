"""What dashboards are told of seats whose sensors begin late and fall silent: a hole is no zero."""

from pathlib import Path

from seatwatt.api.jobs.intervals import write_intervals
from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.contract.sitefile import parse_site
from seatwatt.settings import StoreSettings
from tests.services.api_worlds import declare, services_on

MINUTE, HOUR = 60_000, 3_600_000
DAY = 24 * HOUR
MIDNIGHT = 1_791_313_200_000
"""Of Karachi, 7 October 2026, a Wednesday."""
SITE = parse_site({
    "site": "one", "time_zone": "Asia/Karachi", "currency": "PKR",
    "zones": {"hall": {"seats": 4}}, "meters": {"hall/grid": {"source": "grid"}},
    "seat_meters": {"parent": "supply"}, "tenants": {"alpha": {"name": "Alpha"}},
    "leases": [{"tenant": "alpha", "zones": ["hall"], "from": "2026-01-01"}]})
BEGIN, LAST = MIDNIGHT + 10 * HOUR, MIDNIGHT + 16 * HOUR


def readings() -> ReadingBatch:
    """Four days of meters; sensors of two of the four seats for six hours of the first, the first
    of them occupied until noon."""
    batch = ReadingBatch()
    for step in range(4 * 288):
        at_ms = MIDNIGHT - DAY + step * 5 * MINUTE
        grid = Series("one", Device("meter", "hall", "grid"), quantity("meter", "energy_import"))
        batch.append(grid, at_ms, step * 40.0)
        for seat in ("001", "002", "003", "004"):
            device = Device("seat", "hall", seat)
            batch.append(Series("one", device, quantity("seat", "energy")), at_ms, step * 8.0)
            if seat in ("001", "002") and BEGIN <= at_ms <= LAST:
                batch.append(Series("one", device, quantity("seat", "occupied")), at_ms,
                             float(seat == "001" and at_ms < MIDNIGHT + 12 * HOUR))
    return batch


def test_a_zone_is_told_of_while_its_sensors_tell(tmp_path: Path) -> None:
    store = StoreSettings(store_url=f"sqlite:///{tmp_path}/readings.db")
    with services_on(store, tmp_path, now_ms=MIDNIGHT + 3 * DAY) as services:
        services.writer.write(readings())
        declare(services, SITE)
        write_intervals(services, {})
        told = {name: {point.time_ms: dict(point.fields) for point in services.reader.derived(
            name, (("site", "one"),), 0, 2 ** 42)}
            for name in ("zone_occupancy", "zone_hour", "seat_use", "site_balance")}
    # A reading holds for a day at most, in which the last ones said that nobody is there.
    known = list(range(BEGIN, LAST + DAY, 30 * MINUTE))
    assert {*known, LAST + DAY} - set(told["zone_occupancy"]) <= {LAST + DAY}
    for name in ("zone_occupancy", "zone_hour", "seat_use"):
        assert min(told[name]) == BEGIN
        assert max(told[name]) in (LAST + DAY - 30 * MINUTE, LAST + DAY)
        assert not set(known) - set(told[name])
    assert len(told["site_balance"]) > len(known) + 48, "the meters told all the while"
    noon = MIDNIGHT + 12 * HOUR
    assert told["zone_hour"][noon - HOUR] == {"seats": 4.0, "occupied": 1.0, "occupied_pct": 25.0}
    # Two seats were never told of: they are neither used nor empty.
    assert told["seat_use"][noon - HOUR]["held_unused"] == 1.0
    assert told["seat_use"][noon + HOUR] == {
        "empty_drawing": 2.0, "empty_wh": 96.0, "held_unused": 2.0, "used_unheld": 0.0}

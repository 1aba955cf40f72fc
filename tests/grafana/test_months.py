"""What the monthly job tells dashboards where a month can not be priced."""

from pathlib import Path

import pytest

from seatwatt.api.jobs.months import write_months
from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.papers import add_paper
from seatwatt.settings import StoreSettings
from tests.services.api_worlds import declare, services_on

NOW_MS = 1_791_300_000_000  # 2026-10-06 20:20 in Karachi
HOUR_MS = 3_600_000
TARIFF = {"tariff": "a", "supplier": "S", "document": "D", "source": "grid", "currency": "PKR",
          "from": "2026-01-01", "lines": [{"id": "fixed", "price": "500", "per": "kw"}]}


def site() -> Site:
    return parse_site({
        "site": "one", "time_zone": "Asia/Karachi", "currency": "PKR",
        "zones": {"hall": {"seats": 2}},
        "meters": {"hall/grid": {"source": "grid"}}, "tenants": {"alpha": {"name": "Alpha"}},
        "leases": [{"tenant": "alpha", "zones": ["hall"], "from": "2026-01-01"}]})


def test_a_month_without_a_measured_interval_still_tells_its_energy(tmp_path: Path) -> None:
    batch = ReadingBatch()
    series = Series("one", Device("meter", "hall", "grid"), quantity("meter", "energy_import"))
    for hour in range(10):
        # An hour between readings: known in sum, measured in no interval.
        at_ms = NOW_MS - (10 - hour) * HOUR_MS
        batch.append(series, at_ms, 1000.0 * hour)
    store = StoreSettings(store_url=f"sqlite:///{tmp_path}/readings.db")
    with services_on(store, tmp_path, now_ms=NOW_MS) as services:
        services.writer.write(batch)
        declare(services, site())
        add_paper(services.ledger, "one", "tariff", TARIFF, "test", NOW_MS)
        outcome = write_months(services, {})
        told = services.reader.derived("tenant_month", (("site", "one"),), 0, NOW_MS)
    assert "one 2026-10: tariff a: lines[0]: per" in outcome.detail
    assert {dict(point.tags)["tenant"] for point in told} == {"alpha", "operator"}
    assert sum(float(dict(point.fields)["energy_wh"]) for point in told) > 5000


def test_two_suppliers_lines_of_one_name_are_added(tmp_path: Path) -> None:
    batch = ReadingBatch()
    series = Series("one", Device("meter", "hall", "grid"), quantity("meter", "energy_import"))
    for step in range(13):
        batch.append(series, NOW_MS - (12 - step) * 600_000, 1000.0 * step)
    store = StoreSettings(store_url=f"sqlite:///{tmp_path}/readings.db")
    with services_on(store, tmp_path, now_ms=NOW_MS) as services:
        services.writer.write(batch)
        declare(services, site())
        for name, price in (("internet", "2"), ("guards", "3")):
            document = {**TARIFF, "tariff": name, "supplier": name, "lines": [
                {"id": "service", "price": price, "per": "kwh"}]}
            add_paper(services.ledger, "one", "tariff", document, "test", NOW_MS)
        write_months(services, {})
        told = services.reader.derived("tenant_cost", (("site", "one"),), 0, NOW_MS)
        [kwh] = [float(dict(point.fields)["energy_wh"]) / 1000 for point in services.reader.derived(
            "tenant_month", (("site", "one"), ("tenant", "alpha")), 0, NOW_MS)]
    [amount] = [float(dict(point.fields)["amount"]) for point in told
                if ("tenant", "alpha") in point.tags]
    assert kwh > 5
    assert amount == pytest.approx(5 * kwh, abs=0.02)

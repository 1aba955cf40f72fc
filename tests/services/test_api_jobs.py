"""The jobs on a real store: they write what billing says, and late data is written again."""

import json
from datetime import date
from pathlib import Path

import pytest
from prometheus_client import CollectorRegistry

from seatwatt.api.jobs import JOBS
from seatwatt.api.scheduler import Scheduler
from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.site import Site
from seatwatt.settings import StoreSettings
from seatwatt.store.sitefiles import load_site
from tests.servers import Server
from tests.services.api_worlds import declare, fill, services_on
from tests.shared import shared

_, INTERVALS, COMPLETENESS, MONTH_DRAFTS, *_rest = JOBS


@pytest.fixture(params=["sqlite", "influx"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> StoreSettings:
    if request.param == "sqlite":
        return StoreSettings(store_url=f"sqlite:///{tmp_path}/readings.db")
    server: Server = request.getfixturevalue("influx")
    return StoreSettings(store_url=f"http://127.0.0.1:{server.port}/seatwatt")


def summed(services: Services, site: Site, measurement: str, field: str, start_ms: int,
           end_ms: int, *tags: tuple[str, str]) -> int:
    """Milliwatt-hours of a field over derived points of a period."""
    points = services.reader.derived(measurement, (("site", site.id), *tags), start_ms, end_ms)
    return sum(round(float(dict(point.fields)[field]) * 1000) for point in points)


def test_derived_points_are_what_billing_says(store: StoreSettings, tmp_path: Path) -> None:
    folder = shared("examples/one")
    expected = json.loads((folder / "expected.json").read_text())
    site = load_site(folder / "site.yaml")
    start_ms, end_ms = (local_midnight_ms(date.fromisoformat(expected[name]), site.time_zone)
                        for name in ("from", "to"))
    with services_on(store, tmp_path, now_ms=end_ms + 3_600_000) as services:
        fill(services.writer, folder / "readings.ndjson.gz")
        declare(services, site)
        scheduler = Scheduler(services, CollectorRegistry())
        assert scheduler.run(INTERVALS)
        assert scheduler.run(COMPLETENESS)
        assert [record.status for record in scheduler.records().values()] == ["ok", "ok"], \
            scheduler.records()
        for party, cells in expected["parties"].items():
            energy = summed(services, site, "tenant_energy", "energy_wh", start_ms, end_ms,
                            ("tenant", party))
            assert energy == pytest.approx(1000 * cells["energy_wh"], abs=1000)
        supply = summed(services, site, "site_balance", "supply_wh", start_ms, end_ms)
        parties = summed(services, site, "tenant_energy", "energy_wh", start_ms, end_ms)
        assert supply == parties
        zones = services.reader.derived("zone_occupancy", (("site", site.id),), start_ms, end_ms)
        assert {dict(point.tags)["zone"] for point in zones} <= {zone.name for zone in site.zones}
        for point in zones:
            fields = dict(point.fields)
            assert 0 <= float(fields["occupied"]) <= float(fields["seats"])
        found = services.reader.derived("events", (("site", site.id),), 0, end_ms + 86_400_000)
        kinds = {dict(point.tags)["kind"] for point in found}
        assert {finding["rule"] for finding in expected["findings"]} <= kinds


def test_late_readings_are_written_again(store: StoreSettings, tmp_path: Path) -> None:
    site = load_site(shared("examples/one/site.yaml"))
    noon_ms = local_midnight_ms(local_date(1_768_000_000_000, site.time_zone), site.time_zone) \
        + 12 * 3_600_000
    clock = [noon_ms + 600_000]
    with services_on(store, tmp_path, clock=lambda: clock[0]) as services:
        declare(services, site)
        scheduler = Scheduler(services, CollectorRegistry())
        _read(services, site, [(noon_ms - 7_200_000, 0.0), (noon_ms, 1000.0)])
        scheduler.run(INTERVALS)
        before = summed(services, site, "site_balance", "supply_wh", noon_ms - 7_200_000, noon_ms)
        _read(services, site, [(noon_ms - 3_600_000, 900.0)])
        clock[0] += 3_600_000
        scheduler.run(INTERVALS)
        points = services.reader.derived("site_balance", (("site", site.id),),
                                         noon_ms - 7_200_000, noon_ms)
        assert before == 1_000_000
        assert [dict(point.fields)["supply_wh"] for point in points] == [900.0, 100.0]


def test_readings_of_last_week_are_written_again_too(store: StoreSettings, tmp_path: Path) -> None:
    site = load_site(shared("examples/one/site.yaml"))
    noon_ms = local_midnight_ms(local_date(1_768_000_000_000, site.time_zone), site.time_zone) \
        + 12 * 3_600_000
    old_ms = noon_ms - 6 * 86_400_000
    clock = [noon_ms + 600_000]
    with services_on(store, tmp_path, clock=lambda: clock[0]) as services:
        declare(services, site)
        scheduler = Scheduler(services, CollectorRegistry())
        _read(services, site, [(old_ms - 7_200_000, 0.0), (old_ms, 1000.0), (noon_ms, 5000.0)])
        scheduler.run(INTERVALS)
        _read(services, site, [(old_ms - 3_600_000, 900.0)])
        clock[0] += 3_600_000
        scheduler.run(INTERVALS)
        assert "late points" in scheduler.records()["intervals"].detail
        points = services.reader.derived("site_balance", (("site", site.id),),
                                         old_ms - 7_200_000, old_ms)
        assert [dict(point.fields)["supply_wh"] for point in points] == [900.0, 100.0]
        clock[0] += 3_600_000
        scheduler.run(INTERVALS)
        assert "late points" not in scheduler.records()["intervals"].detail

def _read(services: Services, site: Site, readings: list[tuple[int, float]]) -> None:
    book, batch = SeriesBook(), ReadingBatch()
    for source in ("grid", "generator"):
        series = book.get(site.id, Device("meter", "plant", source),
                          quantity("meter", "energy_import"))
        for at_ms, value in readings:
            batch.append(series, at_ms, value if source == "grid" else 0.0)
    services.writer.write(batch)

"""A real building's June: imported, replayed through a real mosquitto, stored by ingest, and out
of the API as kilowatt-hours per tenant; on a real InfluxDB and on the embedded store."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from tests.servers import influxd, mosquitto
from tests.services.combed_kit import JUNE, KWH, READINGS, api, command, kwh_by_meter, replay
from tests.services.ingest_kit import IngestProcess, influx_url
from tests.shared import shared


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All fourteen meters' June, in packs of 300 readings."""
    out = tmp_path_factory.mktemp("combed") / "june.ndjson.gz"
    said = command("import", "combed", str(shared("data/combed")), "--out", str(out),
                   "--pack", "300")
    assert f"{READINGS:,} readings of 14 series" in said
    return out


@pytest.fixture(scope="module", params=["influxdb", "sqlite"])
def building(request: pytest.FixtureRequest, recording: Path,
             tmp_path_factory: pytest.TempPathFactory) -> Iterator[TestClient]:
    """The API after every reading came through broker and ingest."""
    folder = tmp_path_factory.mktemp(request.param)
    broker, influx = mosquitto(folder / "mosquitto"), None
    broker.start()
    store_url = f"sqlite:///{folder}/readings.db"
    if request.param == "influxdb":
        influx = influxd(folder / "influxd")
        influx.start()
        store_url = influx_url(influx)
    ingest = IngestProcess(folder / "ingest", broker.port, store_url)
    try:
        replay(ingest, recording, READINGS)
        with api(store_url, folder) as client:
            yield client
    finally:
        if ingest.process is not None:
            ingest.end(signal.SIGKILL)
        broker.stop()
        if influx is not None:
            influx.stop()


def test_energy_of_every_meter_is_the_difference_of_its_registers(building: TestClient) -> None:
    shown = kwh_by_meter(building, JUNE)
    assert {meter: shown[meter] for meter in KWH} == KWH


def test_the_mains_between_midnights_of_utc(building: TestClient) -> None:
    utc = {"from": "2014-06-03T00:00:00Z", "to": "2014-06-30T00:00:00Z", "step": "total"}
    assert kwh_by_meter(building, utc)["plant/mains"] == 17_437.647


def test_the_floors_tenants_add_up_to_the_mains_and_what_has_no_meter_is_shown(
        building: TestClient) -> None:
    answer = building.get("/v1/sites/combed/apportionment",
                          params={"from": "2014-06-03", "to": "2014-07-01"})
    document = answer.json()
    assert document["balanced"] is True
    parties = document["parties"]
    assert set(parties) == {"first", "second", "third", "fourth", "fifth", "operator"}
    milliwh = {party: round(cells["energy_wh"] * 1000) for party, cells in parties.items()}
    supply = sum(round(wh * 1000) for wh in document["supply_wh"]["grid"].values())
    assert sum(milliwh.values()) == supply
    assert round(supply / 1e6, 3) == KWH["plant/mains"]
    assert milliwh["operator"] == 0
    unaccounted = sum(round(cells["unaccounted_wh"] * 1000) for cells in parties.values())
    assert round(unaccounted / 1e6, 1) == 1_035.5


def test_an_open_day_has_the_same_numbers_as_its_half_hours(building: TestClient) -> None:
    day = {"from": "2014-06-10", "to": "2014-06-11"}
    whole = kwh_by_meter(building, {**day, "step": "total"})
    rows = building.get("/v1/sites/combed/energy",
                        params={**day, "step": "interval"}).json()["series"]
    for series in rows:
        assert len(series["points"]) == 48
        total = sum(round(point["energy_wh"] * 1000) for point in series["points"])
        assert round(total / 1e6, 3) == whole[series["id"].removeprefix("meter/")]

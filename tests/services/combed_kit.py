"""The real building of the COMBED data set, through import, broker, ingest, store and API."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi.testclient import TestClient

from seatwatt.settings import StoreSettings
from seatwatt.store.sitefiles import load_site
from tests.services.api_worlds import client_on, declare, services_on
from tests.services.ingest_kit import IngestProcess, until
from tests.shared import ROOT

READINGS = 1_200_143
"""Rows of the fourteen register files, counted by `zcat *_energy.csv.gz | wc -l`."""

JUNE = {"from": "2014-06-03", "to": "2014-07-01", "step": "total"}
KWH = {"plant/mains": 18_134.232, "floor1/floor1": 4_355.687, "floor2/floor2": 4_236.959,
       "floor3/floor3": 1_736.003, "floor4/floor4": 1_535.932, "floor5/floor5": 4_021.955,
       "plant/lifts": 446.111, "plant/ahu0": 766.123}
"""Differences of the registers over JUNE, to the watt-hour."""


def command(*arguments: str, timeout_s: float = 280, **env: str) -> str:
    """What a `seatwatt` command prints; fails when the command does."""
    done = subprocess.run([sys.executable, "-m", "seatwatt", *arguments], capture_output=True,
                          text=True, timeout=timeout_s, env={**os.environ, **env}, check=False)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout


def replay(ingest: IngestProcess, recording: Path, readings: int) -> None:
    """Replay at full speed until ingest has stored every reading."""
    ingest.start().connected()
    command("replay", str(recording), "--speed", "max", SEATWATT_MQTT_PORT=str(ingest.mqtt_port))
    until(lambda: ingest.metric("readings_total") >= readings, "every reading is stored")
    assert ingest.metric("readings_total") == readings
    assert ingest.metric("quarantined_total") == 0
    assert ingest.end() == 0


@contextmanager
def api(store_url: str, folder: Path) -> Iterator[TestClient]:
    """The API over the store, with the example site declared."""
    with services_on(StoreSettings(store_url=store_url), folder) as services:
        declare(services, load_site(ROOT / "examples" / "combed.yaml"))
        with client_on(services) as client:
            yield client


def kwh_by_meter(client: TestClient, period: dict[str, str]) -> dict[str, float]:
    """kWh of every meter over a period, to the watt-hour."""
    answer = client.get("/v1/sites/combed/energy", params={"by": "meter", **period})
    assert answer.status_code == 200, answer.text
    return {series["id"].removeprefix("meter/"): round(series["energy_wh"] / 1000, 3)
            for series in answer.json()["series"]}

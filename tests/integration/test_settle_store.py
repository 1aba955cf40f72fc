"""A period settled from the embedded store is the same as from the recording it came from."""

import json
from pathlib import Path

import numpy as np
import pytest

from seatwatt.contract.intervals import instant_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.settlement.document import document
from seatwatt.settlement.readings import OCCUPIED, REGISTERS
from seatwatt.settlement.settle import settle
from seatwatt.store.recording import Recording, load_recordings
from seatwatt.store.sitefiles import load_site
from seatwatt.store.sqlite import SqliteWriter
from seatwatt.store.sqlite_reader import SqliteReader
from tests.oracle.apportion import days
from tests.shared import shared


def store_all(recording: Recording, file: Path) -> None:
    """Write what settling needs in order of arrival, as ingest would."""
    book, batch = SeriesBook(), ReadingBatch()
    for measured in (*(quantity(*register) for register in REGISTERS), OCCUPIED):
        for device, (taken, received, values) in recording.columns(measured).items():
            series = book.get(recording.site_id, device, measured)
            for at in np.argsort(received, kind="stable").tolist():
                batch.append(series, int(taken[at]), float(values[at]))
    writer = SqliteWriter(file)
    writer.write(batch)
    writer.close()


@pytest.mark.parametrize("name", ["one", "two"])
def test_the_store_and_the_recording_agree(name: str, tmp_path: Path) -> None:
    folder = shared(f"examples/{name}")
    site = load_site(folder / "site.yaml")
    recording = load_recordings([folder / "readings.ndjson.gz"], site.id)
    period = [instant_ms(day, site.time_zone)
              for day in days(json.loads((folder / "expected.json").read_text()))]
    store_all(recording, tmp_path / "readings.db")
    reader = SqliteReader(tmp_path / "readings.db")
    try:
        assert document(settle(site, reader, *period)) == document(
            settle(site, recording, *period))
    finally:
        reader.close()

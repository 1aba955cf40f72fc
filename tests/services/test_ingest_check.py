"""`seatwatt ingest --check` and what the store refuses, on a real broker and a real InfluxDB."""

import json
import subprocess
import sys
from datetime import UTC, datetime
from os import environ
from pathlib import Path

from seatwatt.cli._raw_publisher import packets
from seatwatt.ledger.open import open_engine
from seatwatt.settings import LedgerSettings
from tests.servers import Server, influxd
from tests.services.ingest_kit import (
    NOW_S,
    IngestProcess,
    count_and_sum,
    influx_url,
    publish,
    single,
    until,
)

BAD = ("seatwatt/v1/hall/seat/hall-a/001", b'{ "power":12,  "unit": "\\u0057"}')


def recording(path: Path, messages: list[tuple[str, bytes]]) -> Path:
    at = datetime.fromtimestamp(NOW_S, UTC).isoformat()
    path.write_text("".join(json.dumps({"received_at": at, "topic": topic,
                                        "payload": json.loads(payload)}) + "\n"
                            for topic, payload in messages))
    return path


def check(ingest: IngestProcess, file: Path) -> "subprocess.CompletedProcess[str]":
    return subprocess.run([sys.executable, "-m", "seatwatt", "ingest", "--check", str(file)],
                          env={**environ, **ingest.env}, capture_output=True, text=True,
                          timeout=60, check=False)


def test_what_was_sent_is_compared_with_what_is_there(ingest: IngestProcess, broker: Server,
                                                      influx: Server, tmp_path: Path) -> None:
    # As JSON text an object is a payload like any other; a recording keeps what it says.
    sent = [single(number) for number in range(100)] + [BAD]
    ingest.start().connected()
    publish(broker.port, packets(sent))
    until(lambda: count_and_sum(influx)[0] == 100 and ingest.metric("in_flight") == 0, "stored")
    assert ingest.end() == 0
    whole = check(ingest, recording(tmp_path / "sent.ndjson", sent))
    assert whole.stdout == ("101 messages sent (0 of them no readings), 100 readings: 100 stored, "
                            "1 quarantined, 0 missing\n")
    assert whole.returncode == 0
    more = check(ingest, recording(tmp_path / "more.ndjson", [*sent, single(100)]))
    assert "missing: hall/seat/hall-a/100/energy at " in more.stdout
    assert more.returncode == 2
    assert more.stderr.count("\n") == 1


def test_places_that_are_not_there_are_told_and_not_made(tmp_path: Path) -> None:
    file, mistyped = recording(tmp_path / "sent.ndjson", [single(1)]), tmp_path / "mistyped"
    nowhere = IngestProcess(mistyped, 1, f"sqlite:///{mistyped}/readings.db")
    assert "SEATWATT_LEDGER_URL: there is no ledger" in check(nowhere, file).stderr
    open_engine(LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db")).dispose()
    nowhere.extra["SEATWATT_LEDGER_URL"] = f"sqlite:///{tmp_path}/ledger.db"
    assert "SEATWATT_STORE_URL: there is no store" in check(nowhere, file).stderr
    assert not mistyped.exists()


def test_a_field_of_another_type_costs_only_its_own_reading(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    """Somebody else wrote a text into a field of ours: the store refuses our number."""
    ingest.start().connected()
    publish(broker.port, packets([single(0)]))
    until(lambda: count_and_sum(influx)[0] == 1, "the database is there")
    subprocess.run(["curl", "-sf", f"http://127.0.0.1:{influx.port}/write?db=seatwatt&precision=ms",
                    "--data-binary", f'seat,device=x current_a="much" {NOW_S - 5}000'], check=True)
    both = (b'[{"bt":%d,"n":"current","u":"A","v":1},{"n":"energy","u":"Wh","v":7}]' % NOW_S)
    publish(broker.port, packets([single(1), ("seatwatt/v1/hall/seat/hall-a/001", both),
                                  single(2)]))
    until(lambda: ingest.metric("quarantined_total") == 1, "the message is quarantined")
    assert count_and_sum(influx) == (4, 0 + 1 + 2 + 7)
    row, = ingest.quarantined()
    assert row.message.rule.name == "T13"
    assert "field type conflict" in row.message.detail
    assert row.message.detail.startswith("seat/hall-a/001/current at ")


def test_when_the_server_drops_good_lines_with_the_bad_none_of_ours_is_lost(
        ingest: IngestProcess, broker: Server, tmp_path: Path) -> None:
    """At its series limit InfluxDB 1.x loses as many good lines as it refuses."""
    small = influxd(tmp_path / "small", data="  max-series-per-database = 10")
    small.start()
    ingest.store_url = influx_url(small)
    ingest.extra["SEATWATT_INGEST_PIPELINE_S"] = "3600"
    try:
        ingest.start().connected()
        publish(broker.port, packets([single(number) for number in range(10)]))
        until(lambda: count_and_sum(small)[0] == 10, "ten series are there")
        later = [single(350 + number) for number in range(13)]
        publish(broker.port, packets(later))
        until(lambda: ingest.metric("quarantined_total") == 3, "three series too many")
        until(lambda: count_and_sum(small)[0] == 20, "all readings of the ten series")
        assert count_and_sum(small) == (20, sum(range(10)) + sum(range(350, 360)))
        assert {row.message.rule.name for row in ingest.quarantined()} == {"T13"}
        assert "max-series-per-database" in ingest.quarantined()[0].message.detail
    finally:
        ingest.end()
        small.stop()


def test_readings_beyond_retention_are_quarantined_with_the_servers_words(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    ingest.extra["SEATWATT_STORE_RETENTION"] = "60d"
    ingest.start().connected()
    old = [(topic, payload.replace(b'"bt":%d' % (NOW_S - 3_000_000),
                                   b'"bt":%d' % (NOW_S - 30_000_000)))
           for topic, payload in map(single, range(5))]
    publish(broker.port, packets([single(100), *old, single(101)]))
    until(lambda: ingest.metric("quarantined_total") == 5, "five too old")
    until(lambda: count_and_sum(influx) == (2, 201), "two stored")
    assert all("retention policy" in row.message.detail for row in ingest.quarantined())

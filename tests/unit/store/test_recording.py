"""Recordings and CSV files: what is read, what is quarantined, what is a wrong file."""

import gzip
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import quantity
from seatwatt.store.recording import Message, load_recordings, read_messages, write_recording
from tests.shared import shared

NOW_MS = 1_790_000_000_250
TOPIC = "seatwatt/v1/s/seat/hall-a/017"
SEAT = Device("seat", "hall-a", "017")
ENERGY = quantity("seat", "energy")
OCCUPIED = quantity("seat", "occupied")


def line(topic: str = TOPIC, payload: Any = None, **fields: Any) -> str:
    payload = payload if payload is not None else [
        {"bt": NOW_MS / 1000, "n": "energy", "u": "Wh", "v": 412387.5}]
    return json.dumps({"received_at": "2026-09-21T19:13:21.5+05:00", "topic": topic,
                       "payload": payload, **fields})


def recorded(folder: Path, *lines: str, name: str = "r.ndjson") -> Path:
    path = folder / name
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def values(recording: Any, of: Any = ENERGY) -> dict[str, list[float]]:
    return {str(device): columns[2].tolist() for device, columns in recording.columns(of).items()}


def test_columns_stand_in_file_order_with_both_times(tmp_path: Path) -> None:
    later, sooner = NOW_MS + 60_000, NOW_MS
    path = recorded(tmp_path, *(line(payload=[
        {"bt": at / 1000, "n": "energy", "u": "kWh", "v": value}, {"n": "occupied", "vb": True}])
        for at, value in ((later, 2.0), (sooner, 1.0), (sooner, 1.5))))
    recording = load_recordings([path], "s")
    taken, received, energy = recording.columns(ENERGY)[SEAT]
    assert (taken.dtype, received.dtype, energy.dtype) == (np.int64, np.int64, np.float64)
    assert taken.tolist() == [later, sooner, sooner]
    assert received.tolist() == [1790000001500] * 3
    assert energy.tolist() == [2000.0, 1000.0, 1500.0]
    assert values(recording, OCCUPIED) == {"seat/hall-a/017": [1.0, 1.0, 1.0]}
    assert (recording.messages, recording.readings) == (3, 6)
    assert recording.columns(quantity("seat", "power")) == {}
    assert recording.quantities() == [ENERGY, OCCUPIED]


def test_what_breaks_a_rule_is_quarantined_and_costs_no_neighbour(tmp_path: Path) -> None:
    good = {"bt": NOW_MS / 1000, "n": "energy", "u": "Wh", "v": 1.0}
    path = recorded(
        tmp_path, line(), "", line(payload=[good, {"n": "energy", "u": "W", "v": 2}]),
        line(topic="elsewhere/t"), line(payload={"v": 1}),
        line(payload=[{**good, "v": float("nan")}]),
        line().replace('"payload"', '"payload_b64": "aGVsbG8=", "note"'), line())
    recording = load_recordings([path], "s")
    assert [kept.rule.name for kept in recording.quarantined] == ["T04", "T02", "T01", "T09", "T01"]
    assert recording.quarantined[0].detail.startswith("record 1: energy in 'W'; expected Wh")
    assert recording.quarantined[-1].payload == b"hello"
    assert values(recording) == {"seat/hall-a/017": [412387.5, 1.0, 412387.5]}
    assert recording.messages == 7


def test_other_sites_channels_and_texts_are_counted_apart(tmp_path: Path) -> None:
    status = [{"bn": "ups/plant/u/", "bt": NOW_MS / 1000, "n": "status", "vs": "OL"},
              {"n": "load", "u": "%", "v": 40}]
    path = recorded(tmp_path, line(topic=TOPIC.replace("/s/", "/t/")),
                    line(topic="seatwatt/v1/s/status/plant/gw"), line(),
                    line(topic="seatwatt/v1/s/pack/plant/gw", payload=status))
    recording = load_recordings([path], "s")
    assert (recording.other_sites, recording.others, recording.messages) == ({"t": 1}, 1, 2)
    assert recording.readings == 3
    assert values(recording, quantity("ups", "load")) == {"ups/plant/u": [40.0]}
    assert recording.columns(quantity("ups", "status")) == {}


@pytest.mark.parametrize(("bad", "words"), [
    ("hello", "not a recorded message"), ("5", "not a recorded message"),
    ('{"topic": "t", "payload": []}', "missing required field `received_at`"),
    ('{"received_at": "2026-09-21T18:13:21", "topic": "t", "payload": []}', "timezone"),
    ('{"received_at": "noon", "topic": "t", "payload": []}', "RFC3339"),
    ('{"received_at": "2026-09-21T18:13:21Z", "topic": "t"}', "neither payload nor payload_b64"),
    ('{"received_at": "2026-09-21T18:13:21Z", "topic": "t", "payload_b64": "?"}', "payload_b64:"),
    ('{"received_at": "2026-09-21T18:13:21Z", "topic": "t", "payload": [', "not a recorded")])
def test_a_malformed_line_names_file_and_line(tmp_path: Path, bad: str, words: str) -> None:
    path = recorded(tmp_path, line(), "", bad, line())
    for read in (lambda: load_recordings([path], "s"), lambda: list(read_messages(path))):
        with pytest.raises(InputError) as caught:
            read()
        assert str(caught.value).startswith(f"{path}:3: ")
        assert words in str(caught.value)


def test_line_numbers_survive_chunks(tmp_path: Path) -> None:
    path = recorded(tmp_path, *[line() for _ in range(5000)], "broken")
    with pytest.raises(InputError, match=r"r\.ndjson:5001: "):
        load_recordings([path], "s")


@pytest.mark.parametrize("name", ["r.ndjson", "r.ndjson.gz"])
def test_large_files_come_whole_with_progress(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    count = write_recording(path, (
        Message(NOW_MS, TOPIC, json.dumps([{"bt": (NOW_MS + i) / 1000, "n": "energy", "u": "Wh",
                                            "v": i}]).encode()) for i in range(9000)))
    seen: list[tuple[int, int]] = []
    recording = load_recordings([path], "s", lambda done, size: seen.append((done, size)))
    assert count == recording.messages == 9000
    assert values(recording) == {"seat/hall-a/017": [float(i) for i in range(9000)]}
    assert seen == sorted(seen)
    assert seen[-1] == (path.stat().st_size,) * 2


def test_several_files_are_one_recording_and_gzip_or_no_last_line_end_do_not_matter(
        tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(gzip.compress(line().encode()))
    (tmp_path / "b").write_bytes(line().encode() + b"\r\n" + line().encode())
    (tmp_path / "empty").write_bytes(b"")
    recording = load_recordings([tmp_path / name for name in ("a.gz", "b", "empty")], "s")
    assert recording.messages == 3
    assert len(values(recording)["seat/hall-a/017"]) == 3


def test_files_that_cannot_be_read_are_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_recordings([tmp_path / "none"], "s")
    whole = gzip.compress(line().encode() * 50)
    (tmp_path / "cut.gz").write_bytes(whole[:-20])
    with pytest.raises(InputError, match="its gzip is damaged"):
        load_recordings([tmp_path / "cut.gz"], "s")
    (tmp_path / "bad.gz").write_bytes(whole[:2] + b"x" * 50)
    with pytest.raises(InputError, match="its gzip is damaged"):
        load_recordings([tmp_path / "bad.gz"], "s")
    with pytest.raises(InputError, match="site: 'S' is not an identifier"):
        load_recordings([], "S")


def test_a_line_without_end_is_refused(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"x" * 17_000_000)
    with pytest.raises(InputError, match=r"long:1: the line is too long"):
        load_recordings([tmp_path / "long"], "s")


messages = st.builds(Message, st.integers(0, 4_000_000_000_000), st.text(max_size=30).filter(
    lambda text: text.encode(errors="ignore").decode() == text), st.one_of(
        st.binary(max_size=60), st.just(b'[{"n":"power"}]'), st.just(b'[{"v":NaN}]'),
        st.just(b'[ 1 ,\n2]'), st.just(b'["\xff"]'), st.just(b"[1] "), st.just(b"[]")))


@given(st.lists(messages, max_size=6))
def test_messages_are_read_back_byte_for_byte(tmp_path_factory: pytest.TempPathFactory,
                                              written: list[Message]) -> None:
    path = tmp_path_factory.mktemp("recording") / "r.ndjson.gz"
    assert write_recording(path, written) == len(written)
    assert list(read_messages(path)) == written


def test_a_payload_that_is_json_stays_readable(tmp_path: Path) -> None:
    path = tmp_path / "r.ndjson"
    write_recording(path, [Message(NOW_MS, TOPIC, b'[{"v": 1}]'), Message(NOW_MS, TOPIC, b"?")])
    first, second = path.read_text().splitlines()
    assert json.loads(first) == {"received_at": "2026-09-21T14:13:20.250+00:00", "topic": TOPIC,
                                 "payload": [{"v": 1}]}
    assert json.loads(second)["payload_b64"] == "Pw=="


CSV = """time,kind,zone,device,quantity,value
2026-09-21T19:13:20.25+05:00,seat,hall-a,017,energy,1000.5
1790000060.25,seat,hall-a,017,energy,1001
1790000120250,seat,hall-a,017,energy,1002

1790000120250,seat,hall-a,017,occupied,1
1790000120250,seat,hall-a,017,occupied,false
1790000120250,ups,plant,u,status,OL CHRG
"""


@pytest.mark.parametrize(("written", "said"), [
    (CSV.encode("utf-8-sig"), "r.csv:1: time: it starts with a byte-order mark of UTF-8; expected"),
    (gzip.compress(CSV.encode("utf-8-sig")), "r.csv:1: time: it starts with a byte-order mark"),
    (CSV.encode("utf-16"), "r.csv:1: time: it starts with a byte-order mark of UTF-16"),
    (CSV.encode("utf-16-be"), "r.csv:1: time: it is UTF-16"),
    ((CSV + "\ufeff" + CSV).encode(), "r.csv:9: a byte-order mark stands in the middle"),
    ((line() + "\n").encode("utf-8-sig"), "r.csv:1: received_at: it starts with a byte-order mark"),
    ((line() + "\n\ufeff" + line()).encode(), "r.csv:2: a byte-order mark stands in the middle")])
def test_a_byte_order_mark_is_refused_with_line_and_field(tmp_path: Path, written: bytes,
                                                          said: str) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(written)
    with pytest.raises(InputError, match=said):
        load_recordings([path], "s")
    with pytest.raises(InputError, match=said):
        list(read_messages(path, "s"))


def test_a_csv_is_a_recording_too(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(CSV.replace("\n", "\r\n").encode())
    recording = load_recordings([path], "s")
    taken, received, energy = recording.columns(ENERGY)[SEAT]
    assert taken.tolist() == received.tolist() == [NOW_MS, NOW_MS + 60_000, NOW_MS + 120_000]
    assert energy.tolist() == [1000.5, 1001.0, 1002.0]
    assert values(recording, OCCUPIED) == {"seat/hall-a/017": [1.0, 0.0]}
    assert (recording.messages, recording.readings, recording.quarantined) == (6, 6, [])
    (tmp_path / "again.ndjson").unlink(missing_ok=True)
    write_recording(tmp_path / "again.ndjson", read_messages(path, "s"))
    again = load_recordings([tmp_path / "again.ndjson"], "s")
    assert values(again) == values(recording)
    with pytest.raises(InputError, match="a CSV does not name its site"):
        list(read_messages(path))


@pytest.mark.parametrize(("row", "rule"), [
    ("1790000000,seat,hall-a,017,energy,x", "T11"), ("1790000000,seat,hall-a,017,energy,", "T11"),
    ("1790000000,seat,hall-a,017,energy,nan", "T09"),
    ("1790000000,seat,hall-a,017,energy,-1", "T08"),
    ("1790000000,seat,hall-a,017,energy,inf", "T09"), ("1790000000,seat,hall-a,017,mood,1", "T03"),
    ("1790000000,desk,hall-a,017,energy,1", "T02"), ("1790000000,seat,Hall,017,energy,1", "T02"),
    ("yesterday,seat,hall-a,017,energy,1", "T05"), ("nan,seat,hall-a,017,energy,1", "T05"),
    ("2026-09-21T19:13:20,seat,hall-a,017,energy,1", "T05"),
    ("5,seat,hall-a,017,energy,1", "T06"), ("500000000,seat,hall-a,017,energy,1", "T06"),
    ("1790000000,seat,hall-a,017,occupied,0.5", "T08"),
    ("1790000000,seat,hall-a,018,occupied,yes", "T11"),
    ("1790000000,status,hall-a,017,energy,1", None)])
def test_a_bad_row_is_quarantined_alone(tmp_path: Path, row: str, rule: str | None) -> None:
    path = recorded(tmp_path, "time,kind,zone,device,quantity,value",
                    "1790000000,seat,hall-a,017,energy,1", row,
                    "1790000060,seat,hall-a,017,energy,2", row)
    recording = load_recordings([path], "s")
    assert values(recording) == {"seat/hall-a/017": [1.0, 2.0]}
    refused = [kept.rule.name for kept in recording.quarantined]
    assert refused == ([rule] * 2 if rule else [])


def test_flags_are_read_in_bulk_and_still_checked(tmp_path: Path) -> None:
    flags = ["1", "0", "true", "False", "1.0", "0.5", "", "2", "0"]
    path = recorded(tmp_path, "time,kind,zone,device,quantity,value", *(
        f"{1790000000 + at},seat,hall-a,017,occupied,{flag}" for at, flag in enumerate(flags)))
    recording = load_recordings([path], "s")
    assert values(recording, OCCUPIED) == {"seat/hall-a/017": [1.0, 0.0, 1.0, 0.0, 1.0, 0.0]}
    assert [kept.rule.name for kept in recording.quarantined] == ["T08", "T11", "T08"]
    assert recording.messages == len(flags)


def test_csv_columns_may_stand_in_any_order(tmp_path: Path) -> None:
    path = recorded(tmp_path, "value, quantity,device,zone,kind,Time",
                    '5, energy,"017",hall-a,seat,1790000000')
    assert values(load_recordings([path], "s")) == {"seat/hall-a/017": [5.0]}


@pytest.mark.parametrize(("lines", "words"), [
    (["time,kind,zone,device,value"], ":1: neither a recorded message nor the header of a CSV"),
    (["time,kind,zone,device,quantity,value", "", "1,2,3"], ":3: 3 fields; expected time,kind"),
    (["time,kind,zone,device,quantity,value", '1,"2'], ":2: unexpected end of data")])
def test_a_wrong_csv_names_file_and_line(tmp_path: Path, lines: list[str], words: str) -> None:
    path = recorded(tmp_path, *lines, name="r.csv")
    with pytest.raises(InputError) as caught:
        load_recordings([path], "s")
    assert str(caught.value).startswith(str(path))
    assert words in str(caught.value)


def test_a_csv_that_is_not_utf8_names_its_line(tmp_path: Path) -> None:
    path = tmp_path / "r.csv"
    path.write_bytes(CSV.encode() + b"\xff\n")
    with pytest.raises(InputError, match=r"r\.csv:9: it is not UTF-8"):
        load_recordings([path], "s")


def test_times_and_topics_may_be_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seatwatt.store.recording_csv._TIMES_MAX", 10)
    monkeypatch.setattr("seatwatt.store.recording_columns.BATCH_READINGS", 7)
    rows = [f"{1790000000 + i},seat,hall-a,{i % 5},energy,{i}" for i in range(100)]
    path = recorded(tmp_path, "time,kind,zone,device,quantity,value", *rows)
    recording = load_recordings([path], "s")
    assert recording.readings == 100
    assert values(recording)["seat/hall-a/3"] == [float(i) for i in range(3, 100, 5)]


@pytest.mark.parametrize(("folder", "count"), [
    ("one", 7672), ("two", 6824), ("three", 8512), ("five", 47880), ("six", 16296)])
def test_the_shared_examples_are_read_whole(folder: str, count: int) -> None:
    path = shared(f"examples/{folder}/readings.ndjson.gz")
    recording = load_recordings([path], f"example-{folder}")
    assert (recording.messages, recording.quarantined) == (count, [])
    with gzip.open(path) as lines:
        parsed = [json.loads(text) for text in lines]
    direct: dict[str, list[float]] = {}
    for message in parsed:
        device = "/".join(message["topic"].split("/")[3:])
        direct.setdefault(device, []).append(message["payload"][0]["v"])
    registers = values(recording) | values(recording, quantity("meter", "energy_import"))
    assert registers == direct

"""`seatwatt apportion` as people run it: outputs that add up, and one clear line for bad input."""

import csv
import io
import json
from pathlib import Path

import pytest
import yaml

from seatwatt.cli import main
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import instant_ms
from seatwatt.settlement.settle import settle
from seatwatt.store.recording import load_recordings
from seatwatt.store.sitefiles import load_site

SCENARIO = Path(__file__).parents[1] / "scenarios" / "given_an_undeclared_exchange"
GOOD = {"--site": str(SCENARIO / "site.yaml"), "--readings": str(SCENARIO / "readings.csv"),
        "--from": "2026-10-07", "--to": "2026-10-08"}


def run(monkeypatch: pytest.MonkeyPatch, *more: str, **changed: str) -> int:
    """The whole command in this process; its exit status."""
    options = GOOD | {f"--{name.rstrip('_')}": value for name, value in changed.items()}
    words = [word for pair in options.items() for word in pair]
    monkeypatch.setattr("sys.argv", ["seatwatt", "apportion", *words, *more])
    try:
        main()
    except SystemExit as stop:
        return int(stop.code or 0)
    return 0


def test_json_is_one_object(monkeypatch: pytest.MonkeyPatch,
                            capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found) == ["site", "from", "to", "interval_s", "balanced", "supply_wh", "parties",
                           "findings"]
    assert (found["site"], found["from"], found["to"], found["interval_s"], found["balanced"]) == (
        "scenario", "2026-10-07", "2026-10-08", 1800, True)
    assert list(found["parties"]["alpha"]) == [
        "energy_wh", "direct_wh", "shared_wh", "unaccounted_wh", "estimated_wh", "by", "charges",
        "total"]
    leap = found["findings"][0]
    assert list(leap) == ["rule", "meter", "from", "to", "detail", "blocks"]
    assert (leap["rule"], leap["meter"], leap["from"], leap["to"], leap["blocks"]) == (
        "R07", "meter/hall-a/board", "2026-10-07T11:45:00+05:00", "2026-10-07T12:00:00+05:00", True)


def test_instants_and_another_interval(monkeypatch: pytest.MonkeyPatch,
                                       capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--json", "--interval", "60min", from_="2026-10-07T01:00:00Z",
               to="2026-10-07T09:00:00+05:00") == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["from"], found["to"], found["interval_s"]) == (
        "2026-10-07T06:00:00+05:00", "2026-10-07T09:00:00+05:00", 3600)
    assert found["supply_wh"] == {"grid": {"offpeak": 756.0}}


def test_csv_columns_add_up_to_the_supply(monkeypatch: pytest.MonkeyPatch,
                                          capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--csv") == 0
    head, *rows = csv.reader(io.StringIO(capsys.readouterr().out))
    assert head == ["party", "direct_wh", "shared_wh", "unaccounted_wh", "energy_wh",
                    "estimated_wh", "grid_offpeak_wh"]
    assert [row[0] for row in rows] == ["alpha", "beta", "operator", "supply"]
    for column in range(1, len(head)):
        parts = [round(float(row[column]) * 1000) for row in rows]
        assert sum(parts[:-1]) == parts[-1]
    assert rows[-1][4] == "6048.0"


def test_the_table_ends_with_the_supply(monkeypatch: pytest.MonkeyPatch,
                                        capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch) == 0
    out = capsys.readouterr().out
    [sums] = [line.split() for line in out.splitlines() if "sum = supply" in line]
    assert sums[3:] == ["3.840000", "1.860000", "0.348000", "6.048000"]
    assert "R07 meter/hall-a/board 2026-10-07T11:45:00+05:00: register leapt" in out
    assert "BLOCKS ISSUING" in out


def test_explain_as_json_adds_up(monkeypatch: pytest.MonkeyPatch,
                                 capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--json", "--explain", "alpha") == 0
    found = json.loads(capsys.readouterr().out)
    told, row = found["explain"], found["parties"]["alpha"]
    for lines, name in (("seats", "direct_wh"), ("nodes", "shared_wh"),
                        ("unaccounted", "unaccounted_wh")):
        assert sum(round(line["energy_wh"] * 1000) for line in told[lines]) == round(
            told[name] * 1000) == round(row[name] * 1000)
    assert told["energy_wh"] == row["energy_wh"] == 3538.5
    assert told["seats"][0]["opening"] == {"at": "2026-10-07T00:00:00+05:00",
                                           "register_wh": 5000.0, "quality": "measured"}


def test_explain_as_tables(monkeypatch: pytest.MonkeyPatch,
                           capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, "--explain", "alpha") == 0
    out = capsys.readouterr().out
    assert "weight 24.00 of 48.00 h of seats held, 50.00 %" in out
    assert "total = direct + shared + unaccounted" in out
    assert "3.538500" in out


@pytest.mark.parametrize(("changed", "more", "message"), [
    ({"from_": "2026-10-09"}, (), "--from: 2026-10-09 is not before --to 2026-10-08"),
    ({"from_": "yesterday"}, (), "--from: 'yesterday' is not a time; expected 2026-10-01, or "),
    ({"to": "2026-10-08T00:00:00"}, (), "--to: '2026-10-08T00:00:00' is not a time"),
    ({"from_": "2026-10-07T00:10:00+05:00"}, (),
     "period from: 2026-10-07T00:10:00+05:00 is not on an interval boundary; expected a multiple "
     "of 30 minutes after local midnight"),
    ({"readings": "nowhere.csv"}, (), "--readings: nowhere.csv is not a file"),
    ({}, ("--interval", "7min"), "--interval: '7min' is not a length we know; expected 5min, "),
    ({}, ("--json", "--csv"), "options: several outputs are asked for"),
    ({}, ("--explain", "gamma"), "party: 'gamma' is unknown; expected alpha, beta, operator"),
])
def test_bad_options_are_one_line_and_status_2(
        changed: dict[str, str], more: tuple[str, ...], message: str,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, *more, **changed) == 2
    _one_line(capsys, message)


@pytest.mark.parametrize(("old", "new", "message"), [
    ("interval: 30min", "interval: 7min", "interval: 420 s is not a length we know"),
    ("parent: supply", "parent: hall-z/board", "hall-z/board does not exist"),
    ("tenant: beta", "tenant: gamma", "tenant 'gamma' does not exist"),
    ("share: seats", "share: fixed", "fixed has no weights"),
    ('["hall-a/002"]', '["hall-a/001"]', "both claim hall-a/001"),
    ("source: grid,", "parent: supply,", "no meter is a source"),
])
def test_bad_sites_are_one_line_and_status_2(
        old: str, new: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    site = tmp_path / "site.yaml"
    site.write_text((SCENARIO / "site.yaml").read_text().replace(old, new))
    assert run(monkeypatch, site=str(site)) == 2
    _one_line(capsys, message)


@pytest.mark.parametrize(("value", "message"), [
    ("nan", "readings.csv:3"), ("-5", "readings.csv:3"), ("1e308", "readings.csv:3")])
def test_bad_readings_never_end_in_a_traceback(
        value: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    readings = tmp_path / "readings.csv"
    lines = (SCENARIO / "readings.csv").read_text().splitlines()
    lines[2] = f"{lines[2].rpartition(',')[0]},{value}"
    readings.write_text("\n".join(lines) + "\n")
    status = run(monkeypatch, "--json", readings=str(readings))
    out, err = capsys.readouterr()
    assert "Traceback" not in err
    assert err.count("\n") == 1, "one line: an error, or what was refused"
    if status == 0:
        assert json.loads(out)["balanced"] is True
        assert "1 record refused" in err
        assert message in err
    else:
        assert (status, message in err) == (2, True)


def test_what_is_not_used_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
                                  capsys: pytest.CaptureFixture[str]) -> None:
    other = tmp_path / "more.ndjson"
    records = [{"received_at": "2026-10-07T00:00:00Z", "topic": topic, "payload": payload}
               for topic, payload in (
                   ("seatwatt/v1/elsewhere/meter/plant/grid", []),
                   ("seatwatt/v1/scenario/meter/plant/grid", {"not": "senml"}))]
    other.write_text("".join(json.dumps(record) + "\n" for record in records))
    assert run(monkeypatch, "--json", "--readings", str(other)) == 0
    err = capsys.readouterr().err.splitlines()
    assert err[0].startswith("seatwatt: 1 record refused: T01 not SenML JSON; first ")
    assert f"{other}:2: seatwatt/v1/scenario/meter/plant/grid: " in err[0]
    assert err[1:] == ["seatwatt: 1 message of another site left out: elsewhere"]


def test_registers_that_nobody_declared_are_told(
        monkeypatch: pytest.MonkeyPatch, tmp_path: Path,
        capsys: pytest.CaptureFixture[str]) -> None:
    more = tmp_path / "more.csv"
    more.write_text("time,kind,zone,device,quantity,value\n" + "".join(
        f"2026-10-07T0{hour}:00:00Z,{device},{hour}\n" for hour in (1, 2) for device in (
            "seat,hall-a,999,energy", "seat,hall-z,001,energy", "meter,plant,x,energy_import",
            "meter,plant,y,energy_import", "meter,plant,grid,energy_export")))
    assert run(monkeypatch, "--json", "--readings", str(more)) == 0
    assert capsys.readouterr().err == (
        "seatwatt: registers that the site file does not declare left out: "
        "meter/plant/x (2 readings of energy_import), "
        "meter/plant/y (2 readings of energy_import), "
        "seat/hall-a/999 (2 readings of energy) and 1 more\n")


def exchanged(folder: Path, at: str, meter: str = "seat/hall-a/001") -> str:
    """The scenario's site with an exchange."""
    site = folder / "site.yaml"
    document = yaml.safe_load((SCENARIO / "site.yaml").read_text())
    document["exchanges"] = [{"meter": meter, "at": at, "final_wh": 9000, "initial_wh": 0}]
    site.write_text(yaml.safe_dump(document))
    return str(site)


@pytest.mark.parametrize(("at", "meter"), [
    ("2026-10-07T12:00:00+05:00", "seat/hall-a/001"),
    ("2026-10-07T12:00:00+05:00", "seat/hall-a/002")])
def test_an_exchange_in_the_period_outside_its_series_is_refused(
        at: str, meter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    cut = tmp_path / "readings.csv"
    head, *rows = (SCENARIO / "readings.csv").read_text().splitlines()
    cut.write_text("\n".join([head, *(
        row for row in rows if "hall-a,002," not in row
        and not ("hall-a,001," in row and row > "2026-10-07T06"))]) + "\n")
    site = exchanged(tmp_path, at, meter)
    assert run(monkeypatch, site=site, readings=str(cut)) == 2
    line = Path(site).read_text().split("exchanges:")[0].count("\n") + 2
    _one_line(capsys, f"{site}:{line}: exchanges[0].at: {meter} at {at} lies outside its series: ")


def test_an_exchange_beside_period_and_readings_is_a_warning(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    site = exchanged(tmp_path, "2024-01-01T12:00:00+05:00")
    assert run(monkeypatch, "--json", site=site) == 0
    line = Path(site).read_text().split("exchanges:")[0].count("\n") + 2
    assert capsys.readouterr().err == (
        f"seatwatt: {site}:{line}: 1 exchange outside the period and outside the series not used: "
        "seat/hall-a/001 at 2024-01-01T12:00:00+05:00\n")


@pytest.mark.parametrize(("field", "change", "problem"), [
    ("meters", {"meters": {"hall-a/board": {"share": "seats"}}}, "no meter is a source"),
    ("interval", {"interval": "60min", "bands": {"peak": {"from": "18:30", "to": "22:30"}}},
     "60min has the edge 18:30 of band peak inside an interval")])
def test_what_only_apportioning_finds_wrong_is_told_with_its_line(
        field: str, change: dict[str, object], problem: str, tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    document = yaml.safe_load((SCENARIO / "site.yaml").read_text()) | change
    site = tmp_path / "site.yaml"
    site.write_text(yaml.safe_dump(document, sort_keys=False))
    line = site.read_text().splitlines().index(next(
        row for row in site.read_text().splitlines() if row.startswith(f"{field}:"))) + 1
    assert run(monkeypatch, site=str(site)) == 2
    _one_line(capsys, f"{site}:{line}: {field}: {problem}")


@pytest.mark.parametrize(("from_", "to"), [
    ("9999-12-30", "9999-12-31"), ("0001-01-01", "2026-10-08")])
def test_a_year_no_clock_shows_is_one_line(from_: str, to: str, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    assert run(monkeypatch, from_=from_, to=to) == 2
    _one_line(capsys, f"--from: the year {int(from_[:4])} is out of range; expected 2000 to 2199")


def test_charges_stand_between_energies_and_findings(monkeypatch: pytest.MonkeyPatch,
                                                     capsys: pytest.CaptureFixture[str],
                                                     tmp_path: Path) -> None:
    bill = tmp_path / "bill.yaml"
    bill.write_text(yaml.safe_dump({
        "bill": "october", "supplier": "PESCO", "currency": "PKR", "payable": "10.00",
        "period": {"from": "2026-10-07", "to": "2026-10-08"},
        "lines": [{"id": "fixed", "amount": "10.00", "share_by": "seats"}]}))
    assert run(monkeypatch, "--bill", str(bill)) == 0
    shown = capsys.readouterr().out
    assert shown.index("sum = supply") < shown.index("fixed") < shown.index("R07 ")


def test_a_bill_that_cannot_be_shared_is_told_with_file_and_line(
        monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
        tmp_path: Path) -> None:
    bill = tmp_path / "bill.yaml"
    for changed, said in [
            ({"lines": [{"id": "sat", "amount": "10.00", "share_by": "occupied_hours"}]},
             ":10: lines[0].share_by: sat: nobody has weight by occupied_hours in 2026-10-07 to"),
            ({"lines": [{"id": "peak", "amount": "10.00", "share_by": "energy", "band": "peak"}]},
             ":11: lines[0].band: the site does not have 'peak'"),
            ({"period": {"from": "2026-09-01", "to": "2026-09-02"}, "lines": [
                {"id": "rent", "amount": "10.00", "share_by": "equal"}]},
             ":10: lines[0].share_by: rent: nobody has weight by equal in 2026-09-01 to 2026"),
            ({"period": {"from": "2026-09-01", "to": "2026-09-02"}, "lines": [
                {"id": "rent", "amount": "10.00", "share_by": "seats"}]},
             ":4: period: 2026-09-01 to 2026-09-02 lies outside the period that is shared out")]:
        bill.write_text(yaml.safe_dump({
            "bill": "october", "supplier": "PESCO", "currency": "PKR",
            "period": {"from": "2026-10-07", "to": "2026-10-08"}, **changed}, sort_keys=False))
        assert run(monkeypatch, "--bill", str(bill)) == 2
        _one_line(capsys, f"{bill}{said}")
    assert run(monkeypatch, "--bill", str(bill), "--bill", str(bill)) == 2
    _one_line(capsys, "it is given twice")


def test_explain_says_why_a_register_does_not_simply_rise(
        tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str]) -> None:
    site = exchanged(tmp_path, "2026-10-07T12:05:00+05:00")
    assert run(monkeypatch, "--explain", "alpha", site=site) == 0
    shown = capsys.readouterr().out
    assert " *\n" not in shown     # the mark stands beside what the seat took
    assert " *  " in shown
    assert "* not closing less opening" in shown
    assert ("exchange seat/hall-a/001 2026-10-07T12:05:00+05:00: the old meter ended at 9.000000, "
            "the new one began at 0.000000") in shown
    assert "h of seats held, " in shown
    assert run(monkeypatch, "--explain", "alpha", "--json", site=site) == 0
    assert json.loads(capsys.readouterr().out)["explain"]["exchanges"] == [
        {"meter": "seat/hall-a/001", "at": "2026-10-07T12:05:00+05:00", "final_wh": 9000,
         "initial_wh": 0}]


def test_an_empty_period_is_refused() -> None:
    site = load_site(SCENARIO / "site.yaml")
    recording = load_recordings([SCENARIO / "readings.csv"], site.id)
    start_ms = instant_ms(site.leases[0].from_, site.time_zone)
    with pytest.raises(InputError, match="period: from is not before to"):
        settle(site, recording, start_ms, start_ms)


def _one_line(capsys: pytest.CaptureFixture[str], message: str) -> None:
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith("seatwatt: ")
    assert err.count("\n") == 1
    assert message in err

"""Site files as text: YAML's oddities, and errors that name file and line."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.sitedocument import site_document
from seatwatt.store import sitefiles
from seatwatt.store.sitefiles import load_site, read_yaml, read_yaml_text
from tests.shared import ROOT, shared

HEAD = "site: s\ntime_zone: Asia/Karachi\ncurrency: PKR\n"
BODY = """zones:
  hall-a: {seats: 9}
tenants: {alpha: {name: Alpha}, beta: }
leases:
  - tenant: alpha
    seats: ["hall-a/001-004"]
    from: 2026-10-01
    shift:
      days: mon-fri
      start: 09:00
      end: 17:00
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "site.yaml"
    path.write_bytes(text.encode())
    return path


def test_unquoted_times_dates_and_numbers_mean_what_they_look_like(tmp_path: Path) -> None:
    document, _ = read_yaml(written(tmp_path, """
times: [17:00, 09:00, 17:00:30, 2026-10-01, 2026-10-01T11:00:00+05:00]
names: [009, 010, 08, 1_000, 0x1F, on, off, yes, No, ~, null, '', "17", '5', 1e5, 2.50, -3, .5,
        .inf]
flags: [true, False]
on: 5
7: seven
empty:
"""))
    assert document == {
        "times": ["17:00", "09:00", "17:00:30", "2026-10-01", "2026-10-01T11:00:00+05:00"],
        "names": ["009", "010", "08", "1_000", "0x1F", "on", "off", "yes", "No", None, None, "",
                  "17", "5", 100000.0, 2.5, -3, 0.5, float("inf")],
        "flags": [True, False], "on": 5, "7": "seven", "empty": None}


@pytest.mark.parametrize(("text", "line"), [
    (HEAD + "interval: 7min\n", ":4: interval: 420 s is not a length we know"),
    (HEAD + "colour: red\n", ":4: colour: is unknown; expected site, name"),
    (HEAD.replace("site: s\n", ""), ":1: site: is missing"),
    (HEAD + BODY.replace("mon-fri", "mon-fry"), ":12: leases[0].shift.days: 'mon-fry' is unknown"),
    (HEAD + BODY.replace("    from: 2026-10-01\n", ""), ":8: leases[0].from: is missing"),
    (HEAD + BODY.replace("001-004", "008-010"), ":9: leases[0].seats: seat hall-a/010 does not"),
    (HEAD + BODY + "  - {tenant: beta, seats: [hall-a/004], from: 2026-10-05}\n",
     ":15: leases[1].seats: leases[0] and leases[1] (alpha and beta) both claim hall-a/004 from "
     "2026-10-05T09:00:00+05:00"),
    (HEAD + "meters:\n  a/x: {parent: b/x}\n  b/x:\n    parent: a/x\n",
     ":5: meters.a/x.parent: the meters form a cycle: a/x -> b/x -> a/x"),
    (HEAD + "site: t\n", ":4: site is given twice; expected each key once"),
    (HEAD + "zones:\n  a: {}\n  b: {}\n  a: {}\n", ":7: zones.a is given twice"),
    (HEAD + "name: [a\n", ":5: not YAML: "), (HEAD + "name: 'a\n", ": not YAML: "),
    (HEAD + "\tname: a\n", ":4: not YAML: "), ("site: \x07\n", ": not YAML: "),
    (HEAD + "name: !!python/object:os.system a\n", ":4: tag:yaml.org,2002:python/object:os.system"),
    (HEAD + "? [a, b]\n: c\n", ":4: a key is not a text"),
    ("&a [*a]\n", ": an alias holds itself"),
    ("site:\n  " + "[" * 100_000, ":2: it is nested too deeply"),
    ("", ":1: site: is missing"), ("hello\n", ":1: site: 'hello' is not a mapping")])
def test_each_error_names_file_and_line(tmp_path: Path, text: str, line: str) -> None:
    with pytest.raises(InputError) as caught:
        load_site(written(tmp_path, text))
    assert str(caught.value).startswith(f"{tmp_path / 'site.yaml'}:")
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_clash_stays_a_conflict(tmp_path: Path) -> None:
    again = "  - {tenant: beta, seats: [hall-a], from: 2026-10-05}\n"
    with pytest.raises(ConflictError):
        load_site(written(tmp_path, HEAD + BODY + again))


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch
                                                ) -> None:
    with pytest.raises(InputError, match="cannot be read: No such file"):
        load_site(tmp_path / "none.yaml")
    (tmp_path / "site.yaml").write_bytes(b"name: \xff\n")
    with pytest.raises(InputError, match="byte 6 is not UTF-8"):
        load_site(tmp_path / "site.yaml")
    monkeypatch.setattr(sitefiles, "BYTES_MAX", 3)
    with pytest.raises(InputError, match="it is too large; expected at most 3 bytes"):
        load_site(tmp_path / "site.yaml")


def test_aliases_of_aliases_come_to_an_end(tmp_path: Path) -> None:
    laugh = "a: &a [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join([f'*{of}'] * 10)}]\n"
        for of, name in zip("abcdef", "bcdefg", strict=True))
    with pytest.raises(InputError, match="more than 1000000 fields"):
        load_site(written(tmp_path, laugh))


def test_windows_lines_are_taken(tmp_path: Path) -> None:
    assert load_site(written(tmp_path, (HEAD + BODY).replace("\n", "\r\n"))).id == "s"


@pytest.mark.parametrize(("text", "codec", "said"), [
    (HEAD + BODY, "utf-8-sig", "it starts with a byte-order mark of UTF-8"),
    (HEAD + BODY, "utf-16", "it starts with a byte-order mark of UTF-16"),
    (HEAD + BODY, "utf-16-le", "it is UTF-16"),
    (HEAD + "# \ufeff\n" + BODY, "utf-8", "a byte-order mark stands in the middle")])
def test_a_byte_order_mark_is_refused(tmp_path: Path, text: str, codec: str, said: str) -> None:
    path = tmp_path / "site.yaml"
    path.write_bytes(text.encode(codec))
    with pytest.raises(InputError, match=rf"site\.yaml:\d+: (site: )?{said}"):
        load_site(path)


def test_a_text_by_another_way_than_a_file_bears_no_mark_either() -> None:
    with pytest.raises(InputError, match="the text:1: bill: it starts with a byte-order mark"):
        read_yaml_text("\ufeffbill: pesco", "the text")


@pytest.mark.parametrize("folder", ["one", "two", "three", "five", "six"])
def test_the_shared_examples_are_read_and_written_back(folder: str, tmp_path: Path) -> None:
    site = load_site(shared(f"examples/{folder}/site.yaml"))
    assert site.id == f"example-{folder}"
    text = yaml.safe_dump(site_document(site), sort_keys=False)
    assert load_site(written(tmp_path, text)) == site


EXAMPLES = [path for path in sorted(ROOT.glob("examples/*.yaml"))
            if "\nsite:" in "\n" + path.read_text(encoding="utf-8")]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_our_own_examples_are_right(path: Path, tmp_path: Path) -> None:
    site = load_site(path)
    text = yaml.safe_dump(site_document(site), sort_keys=False)
    assert load_site(written(tmp_path, text)) == site


def test_site_check_says_what_a_file_declares(tmp_path: Path) -> None:
    good = seatwatt("site", "check", str(written(tmp_path, HEAD + BODY)))
    assert good.returncode == 0
    assert good.stdout.startswith("s: right; 1 zones, 9 seats, 0 meters (no source), 2 tenants")
    bad = seatwatt("site", "check", str(written(tmp_path, HEAD + "interval: 7min\n")))
    assert (bad.returncode, bad.stdout) == (2, "")
    assert bad.stderr.count("\n") == 1
    assert "site.yaml:4: interval: 420 s is not a length we know" in bad.stderr


def seatwatt(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "seatwatt", *arguments], capture_output=True,
                          text=True, check=False, timeout=60)

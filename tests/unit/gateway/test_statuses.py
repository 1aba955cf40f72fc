"""UPS variables: words to flags, values that are believed, and all the real dumps."""

import io
import re
import tarfile
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.gateway.statuses import RANGES, ups_report
from tests.shared import shared

ONLINE = {"ups.status": "OL CHRG", "battery.charge": "100", "battery.runtime": "1200",
          "battery.voltage": "27.2", "battery.voltage.nominal": "24.0", "ups.load": "042.7",
          "input.voltage": "231.4", "input.frequency": "50.0", "output.voltage": "230.0",
          "ups.realpower.nominal": "1000", "ups.temperature": "33.3"}


def test_a_healthy_ups() -> None:
    report = ups_report(ONLINE)
    assert report.problems == []
    assert report.named() == {
        "status": "OL CHRG", "on_battery": 0.0, "low_battery": 0.0, "replace_battery": 0.0,
        "overload": 0.0, "bypass": 0.0, "load": 42.7, "battery_charge": 100.0,
        "battery_runtime": 1200.0, "battery_voltage": 27.2, "input_voltage": 231.4,
        "input_frequency": 50.0, "output_voltage": 230.0, "temperature": 33.3, "power": 427.0}


@pytest.mark.parametrize(("status", "flags"), [
    ("OB DISCHRG", {"on_battery"}),
    ("OB LB", {"on_battery", "low_battery"}),
    ("OL OVER RB", {"overload", "replace_battery"}),
    ("OL BYPASS", {"bypass"}),
    ("OL TRIM", set()),
    ("OL ECO NEVER-HEARD-OF", set()),
    ("OFF", set()),
])
def test_words_become_flags_and_unknown_words_stay(status: str, flags: set[str]) -> None:
    named = ups_report({"ups.status": status}).named()
    assert named["status"] == status
    assert {name for name, value in named.items() if value == 1.0} == flags


@pytest.mark.parametrize(("changes", "lost", "says"), [
    ({"ups.load": "660"}, {"load", "power"}, "ups.load 660 is not between 0 and 200"),
    ({"ups.load": "46" + "0" * 253}, {"load", "power"}, "(255 characters) is not between"),
    ({"ups.load": "-1.00"}, {"load", "power"}, "ups.load -1.00 means that it is not known"),
    ({"input.voltage": "-159357104.0"}, {"input_voltage"}, "is not between 0 and 600"),
    ({"battery.charge": "120"}, {"battery_charge"}, "is not between 0 and 100"),
    ({"battery.runtime": "65535"}, {"battery_runtime"}, "means that it is not known"),
    ({"battery.runtime": "64:41"}, {"battery_runtime"}, "'64:41' is not a number"),
    ({"battery.runtime": "0"}, {"battery_runtime"}, "0 at a charge of 100 % is not believed"),
    ({"battery.voltage": "16.0"}, {"battery_voltage"}, "does not fit battery.voltage.nominal 24"),
    ({"input.frequency": "005.9"}, {"input_frequency"}, "is not between 40 and 70"),
    ({"ups.temperature": "302.0"}, {"temperature"}, "is not between -20 and 100"),
    ({"output.voltage": "0.0"}, {"output_voltage"}, "with a load of 42.7 % is not believed"),
    ({"input.voltage": "405.4", "input.voltage.nominal": "120"}, {"input_voltage"},
     "does not fit input.voltage.nominal 120"),
    ({"ups.status": "OL OB"}, {"on_battery"}, "OL and OB exclude each other"),
    ({"ups.status": "OL DISCHRG"}, set(), "DISCHRG while OL"),
    ({"ups.status": "OL LB"}, set(), "LB at a charge of 100 %"),
    ({"ups.status": "WAIT"}, {"on_battery", "low_battery", "replace_battery", "overload",
                              "bypass"}, "has not reached the UPS yet"),
    ({"ups.status": " "}, {"status", "on_battery", "low_battery", "replace_battery", "overload",
                           "bypass"}, "ups.status is empty"),
])
def test_what_is_not_believed_is_dropped_with_its_reason(
        changes: dict[str, str], lost: set[str], says: str) -> None:
    report = ups_report(ONLINE | changes)
    assert says in "; ".join(report.problems)
    assert set(ups_report(ONLINE).named()) - set(report.named()) == lost


@given(st.dictionaries(st.sampled_from(sorted(ONLINE)), st.text(max_size=20)))
def test_nothing_a_ups_says_is_an_exception(variables: dict[str, str]) -> None:
    named = ups_report(variables).named()
    for name, bounds in RANGES.items():
        value = named.get(name)
        assert value is None or value == 0 or bounds.low <= float(value) <= bounds.high


def dumps() -> Iterator[tuple[str, dict[str, str]]]:
    """Every real dump; the library's own marks (`#BAD: ...`) cut off, for no UPS sends them."""
    raw = shared("data/ups-dumps/devices.tar.gz").read_bytes()
    with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
        for member in archive:
            if member.name.endswith(".dev"):
                text = archive.extractfile(member).read().decode()  # type: ignore[union-attr]
                rows = re.findall(r"(?m)^([a-z][\w.-]*):[ \t]*([^#\n]*)", text)
                yield member.name, {name: value.strip() for name, value in rows}


def test_all_real_dumps_are_read(capsys: pytest.CaptureFixture[str]) -> None:
    kept: Counter[str] = Counter()
    why: Counter[str] = Counter()
    contradictory, read = [], 0
    for name, variables in dumps():
        report = ups_report(variables)
        read += 1
        kept.update(list(report.named()))
        why.update(re.sub(r"[-0-9.]+[0-9]|'.*?'", "N", problem.split("(")[0])
                   for problem in report.problems)
        contradictory += [name for problem in report.problems if "exclude" in problem]
        assert all(isinstance(value, str) or abs(value) < 1e7 for value in report.values.values())
    with capsys.disabled():
        print(f"\n{read} dumps; values kept: {dict(kept.most_common())}")
        for problem, count in why.most_common():
            print(f"  {count:4} {problem}")
    assert read == 356
    assert len(contradictory) == 3
    assert kept["status"] == 355

"""The UPS-MIB as NUT variables."""

from seatwatt.gateway.drivers.ups_mib import (
    ALARM_TABLE,
    ALARMS,
    BASE,
    BATTERY_STATUS,
    OUTPUT_SOURCE,
    SECONDS_ON_BATTERY,
    WELL_KNOWN,
    variables,
)
from seatwatt.gateway.statuses import ups_report


def test_scales_are_those_of_the_mib() -> None:
    found = {f"{BASE}.2.3.0": 35, f"{BASE}.2.4.0": 93, f"{BASE}.2.5.0": 544, f"{BASE}.2.7.0": 31,
             f"{BASE}.3.3.1.2.1": 501, f"{BASE}.3.3.1.3.1": 229, f"{BASE}.4.4.1.2.1": 230,
             OUTPUT_SOURCE: 3, BATTERY_STATUS: 2}
    assert variables(found, {}) == {
        "battery.runtime": "2100", "battery.charge": "93", "battery.voltage": "54.4",
        "ups.temperature": "31", "input.frequency": "50.1", "input.voltage": "229",
        "output.voltage": "230", "ups.status": "OL"}


def test_phases_add_up_in_power_and_the_highest_load_counts() -> None:
    found = {f"{BASE}.4.4.1.4.{n}": n * 100 for n in (1, 2, 3)}
    found |= {f"{BASE}.4.4.1.5.{n}": n * 10 for n in (1, 2, 3)}
    assert variables(found, {}) == {"ups.realpower": "600", "ups.load": "30"}


def test_a_power_that_is_not_measured_is_left_out() -> None:
    assert variables({f"{BASE}.4.4.1.4.1": 0}, {}) == {}


def test_a_negative_battery_voltage_is_invalid() -> None:
    assert variables({f"{BASE}.2.5.0": -1}, {}) == {}


def test_alarms_become_words_and_unknown_ones_an_alarm() -> None:
    def status(*numbers: int, source: int = 3) -> str:
        rows = {f"{ALARM_TABLE}.{i}": f"{WELL_KNOWN}.{n}" for i, n in enumerate(numbers)}
        return variables({OUTPUT_SOURCE: source, ALARMS: len(numbers)}, rows)["ups.status"]

    assert status(8, 1) == "OL RB OVER ALARM"
    assert status(2, 3, source=5) == "OB DISCHRG LB ALARM"
    assert status(9, source=4) == "OL BYPASS ALARM"
    assert status(17) == "OL ALARM"
    assert status() == "OL"


def test_depleted_is_low_and_seconds_on_battery_tell_what_the_source_does_not() -> None:
    assert variables({OUTPUT_SOURCE: 5, BATTERY_STATUS: 4}, {})["ups.status"] == "OB DISCHRG LB"
    assert variables({OUTPUT_SOURCE: 1, SECONDS_ON_BATTERY: 9}, {})["ups.status"] == "OB"
    assert variables({OUTPUT_SOURCE: 2}, {})["ups.status"] == "OFF"


def test_one_set_of_rules_judges_both_protocols() -> None:
    report = ups_report(variables({OUTPUT_SOURCE: 3, f"{BASE}.2.4.0": 250,
                                   f"{BASE}.4.4.1.5.1": -1}, {}))
    assert report.problems == ["ups.load -1 means that it is not known",
                               "battery.charge 250 is not between 0 and 100"]

"""What a UPS says of itself, in NUT's names, as readings. Pure.

Names and words are those of RFC 9271 and NUT's variable list. UPSs and their drivers send much
that is not so: sentinels, values off by ten, states that exclude each other. Such a value is
dropped, with the reason; the values around it stand.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from seatwatt.contract.quantities import QUANTITIES, Quantity

FLAGS = {"OB": "on_battery", "LB": "low_battery", "RB": "replace_battery", "OVER": "overload",
         "BYPASS": "bypass"}
"""Status word -> flag. Words that are not known stay in the status text."""

EXCLUDING = (("OL", "OB"), ("CHRG", "DISCHRG"), ("LB", "HB"), ("TRIM", "BOOST"), ("OB", "CHRG"),
             ("OB", "BYPASS"))
"""Words that cannot both be true."""

_NUMBER = re.compile(r"[+-]?[0-9]+(?:\.[0-9]*)?")
_SENTINELS = {-1.0, 32767.0, 65535.0, 6553.5, 2147483647.0, 4294967295.0, 3932100.0}
"""All ones and the largest signed numbers, also after a scale of 0.1 or 60."""


@dataclass(frozen=True, slots=True)
class Range:
    """Where a value is believed; `of` names the variable that gives the nominal value."""

    low: float
    high: float
    of: str = ""
    low_share: float = 0.0
    high_share: float = 0.0


RANGES: dict[str, Range] = {
    "load": Range(0, 200),
    "battery_charge": Range(0, 100),
    "battery_runtime": Range(0, 7 * 86_400),
    "battery_voltage": Range(0.5, 1000, "battery.voltage.nominal", 0.7, 1.35),
    "input_voltage": Range(0, 600, "input.voltage.nominal", 0.0, 2.5),
    "input_frequency": Range(40, 70),
    "output_voltage": Range(0, 600, "output.voltage.nominal", 0.0, 2.5),
    "power": Range(0, 1e6),
    "temperature": Range(-20, 100),
}
"""Quantity -> what a working UPS can show; narrower than what may cross the wire."""

NAMES: dict[str, tuple[str, ...]] = {
    "load": ("ups.load", "output.L1.power.percent"),
    "battery_charge": ("battery.charge",),
    "battery_runtime": ("battery.runtime",),
    "battery_voltage": ("battery.voltage",),
    "input_voltage": ("input.voltage", "input.L1-N.voltage"),
    "input_frequency": ("input.frequency",),
    "output_voltage": ("output.voltage", "output.L1-N.voltage"),
    "power": ("ups.realpower", "output.realpower"),
    "temperature": ("ups.temperature", "battery.temperature"),
}
"""Quantity -> the NUT variables that hold it, the first that is there."""


@dataclass(slots=True)
class UpsReport:
    """What is believed of a UPS (quantity -> value), and what is not, and why."""

    values: dict[Quantity, float | str] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    def named(self) -> dict[str, float | str]:
        """The values by the quantity's name."""
        return {quantity.name: value for quantity, value in self.values.items()}

    def put(self, name: str, value: float | str) -> None:
        """Believe a value."""
        self.values[QUANTITIES["ups", name]] = value

    def drop(self, name: str) -> None:
        """Believe it no more."""
        self.values.pop(QUANTITIES["ups", name], None)


def ups_report(variables: Mapping[str, str]) -> UpsReport:
    """The readings in a UPS's variables (name -> text as `upsc` prints it)."""
    report = UpsReport()
    words = _status(variables.get("ups.status", ""), report)
    for name, sources in NAMES.items():
        source = next((one for one in sources if one in variables), None)
        if source is not None:
            _number(report, name, source, variables)
    _power_of_load(variables, report)
    _judge(words, report)
    return report


def _status(text: str, report: UpsReport) -> set[str]:
    words = text.split()
    if not words:
        report.problems.append("ups.status is empty: no state is known")
        return set()
    report.put("status", " ".join(words))
    if "WAIT" in words:
        report.problems.append("ups.status WAIT: its driver has not reached the UPS yet")
        return set()
    for word, flag in FLAGS.items():
        report.put(flag, float(word in words))
    for one, other in EXCLUDING:
        if one in words and other in words:
            report.problems.append(f"ups.status {text.strip()!r}: {one} and {other} exclude "
                                   "each other")
            for word in (one, other):
                if word in FLAGS:
                    report.drop(FLAGS[word])
    return set(words)


def _number(report: UpsReport, name: str, source: str, variables: Mapping[str, str]) -> None:
    text = variables[source].strip()
    if not _NUMBER.fullmatch(text):
        report.problems.append(f"{source} {_short(text)!r} is not a number")
        return
    value = float(text)
    problem = _disbelief(name, value, variables)
    if problem:
        report.problems.append(f"{source} {_short(text)} {problem}")
    else:
        report.put(name, value)


def _disbelief(name: str, value: float, variables: Mapping[str, str]) -> str:
    """Why the value is not believed; empty when it is."""
    if value in _SENTINELS and name != "temperature":
        return "means that it is not known"
    bounds = RANGES[name]
    if name == "input_frequency" and value == 0:
        return ""
    if not bounds.low <= value <= bounds.high:
        return f"is not between {bounds.low:g} and {bounds.high:g}"
    nominal = number_of(variables.get(bounds.of, ""))
    if nominal is not None and nominal > 0 and not (
            bounds.low_share * nominal <= value <= bounds.high_share * nominal):
        return f"does not fit {bounds.of} {nominal:g}"
    return ""


def number_of(text: str) -> float | None:
    """The number that a NUT variable holds (`042.7`); None when it holds none."""
    text = text.strip()
    return float(text) if _NUMBER.fullmatch(text) else None


def _power_of_load(variables: Mapping[str, str], report: UpsReport) -> None:
    """Most UPSs tell their load in percent only; with the nominal power it is a power."""
    named = report.named()
    nominal = number_of(variables.get("ups.realpower.nominal", ""))
    load = named.get("load")
    if "power" not in named and nominal and nominal > 0 and isinstance(load, float):
        report.put("power", round(nominal * load / 100, 3))


def _judge(words: set[str], report: UpsReport) -> None:
    """What the values say against the state, or against each other."""
    named = report.named()
    load, volts = named.get("load"), named.get("output_voltage")
    if isinstance(load, float) and load > 0 and volts == 0:
        report.problems.append(f"output.voltage 0 with a load of {load:g} % is not believed")
        report.drop("output_voltage")
    charge = named.get("battery_charge")
    if named.get("battery_runtime") == 0 and isinstance(charge, float) and charge >= 90:
        report.problems.append(f"battery.runtime 0 at a charge of {charge:g} % is not believed")
        report.drop("battery_runtime")
    if {"OL", "DISCHRG"} <= words and not {"OB", "CAL"} & words:
        report.problems.append("ups.status: DISCHRG while OL, and no calibration runs")
    if "LB" in words and isinstance(charge, float) and charge >= 90:
        report.problems.append(f"ups.status: LB at a charge of {charge:g} %")


def _short(text: str) -> str:
    return text if len(text) <= 24 else f"{text[:20]}... ({len(text)} characters)"

"""The UPS-MIB (RFC 1628) as NUT variables, so that one set of rules judges both. Pure.

Only what is read: the control group (8.x) is never touched.
"""

from collections.abc import Mapping

BASE = "1.3.6.1.2.1.33.1"

SCALED: dict[str, tuple[str, float]] = {
    f"{BASE}.2.3.0": ("battery.runtime", 60),
    f"{BASE}.2.4.0": ("battery.charge", 1),
    f"{BASE}.2.5.0": ("battery.voltage", 0.1),
    f"{BASE}.2.7.0": ("ups.temperature", 1),
    f"{BASE}.3.3.1.2.1": ("input.frequency", 0.1),
    f"{BASE}.3.3.1.3.1": ("input.voltage", 1),
    f"{BASE}.4.4.1.2.1": ("output.voltage", 1),
}
"""OID -> variable, and the factor to its unit (minutes to seconds, decivolts to volts)."""

BATTERY_STATUS, OUTPUT_SOURCE = f"{BASE}.2.1.0", f"{BASE}.4.1.0"
SECONDS_ON_BATTERY, ALARMS = f"{BASE}.2.2.0", f"{BASE}.6.1.0"
ALARM_TABLE, WELL_KNOWN = f"{BASE}.6.2.1.2", f"{BASE}.6.3"
LINES = (1, 2, 3)
POWERS = tuple(f"{BASE}.4.4.1.4.{line}" for line in LINES)
LOADS = tuple(f"{BASE}.4.4.1.5.{line}" for line in LINES)

ASKED: tuple[str, ...] = (BATTERY_STATUS, SECONDS_ON_BATTERY, OUTPUT_SOURCE, ALARMS, *SCALED,
                          *POWERS, *LOADS)
"""Everything one request asks for; what an agent lacks it leaves out."""

SOURCES = {2: "OFF", 3: "OL", 4: "OL BYPASS", 5: "OB DISCHRG", 6: "OL BOOST", 7: "OL TRIM"}
"""upsOutputSource; 1 (other) tells nothing."""
BATTERIES = {3: "LB", 4: "LB"}
"""upsBatteryStatus: low, depleted."""
ALARM_WORDS = {1: "RB", 3: "LB", 4: "LB", 8: "OVER", 9: "BYPASS"}
"""upsWellKnownAlarms that have a word."""


def variables(found: Mapping[str, int], alarms: Mapping[str, str]) -> dict[str, str]:
    """NUT variables from the agent's answers: OID -> number, and the alarm table's rows
    (OID -> the alarm's OID)."""
    out = {name: f"{found[oid] * factor:.10g}"
           for oid, (name, factor) in SCALED.items() if oid in found}
    if out.get("battery.voltage", "").startswith("-"):
        del out["battery.voltage"]
    powers = [found[oid] for oid in POWERS if oid in found]
    if powers and sum(powers) > 0:
        out["ups.realpower"] = str(sum(powers))
    loads = [found[oid] for oid in LOADS if oid in found]
    if loads:
        out["ups.load"] = str(max(loads))
    words = _words(found, alarms)
    if words:
        out["ups.status"] = " ".join(dict.fromkeys(words))
    return out


def _words(found: Mapping[str, int], alarms: Mapping[str, str]) -> list[str]:
    source = SOURCES.get(found.get(OUTPUT_SOURCE, 0), "")
    words = [*source.split(), *BATTERIES.get(found.get(BATTERY_STATUS, 0), "").split()]
    if not source and found.get(SECONDS_ON_BATTERY, 0) > 0:
        words.append("OB")
    numbers = [int(value.removeprefix(f"{WELL_KNOWN}.")) for value in alarms.values()
               if value.removeprefix(f"{WELL_KNOWN}.").isdigit()]
    words += [ALARM_WORDS[number] for number in sorted(numbers) if number in ALARM_WORDS]
    return [*words, "ALARM"] if words and (numbers or found.get(ALARMS, 0) > 0) else words

"""Which alerts fire on an ordinary day and on the day of incidents, and into how many messages."""

import re
from collections import Counter

import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.store.influx import InfluxWriter
from seatwatt.store.influx_http import InfluxAddress
from tests.grafana.files import Json, alert_rules, provisioning
from tests.grafana.interpolation import as_ms
from tests.grafana.seeding import Seeded
from tests.grafana.simulation import Labels, evaluate, firing
from tests.grafana.world import DAY, Incident, span

RULES = {rule["uid"]: rule for rule in alert_rules()}
MARGIN = 35
"""Minutes looked at beyond an incident: the longest pending period."""


def unit(device: str, zone: str = "plant") -> Labels:
    return (("device", device), ("site", "one"), ("zone", zone))


SITE: Labels = (("site", "one"),)
WORKER: Labels = (("worker", "ingest-1"),)
EXPECTED: dict[str, tuple[slice, set[Labels]]] = {
    "sw-ups-on-battery": (Incident.BATTERY, {unit("ups-1"), unit("ups-2")}),
    "sw-ups-low-battery": (Incident.BATTERY, {unit("ups-1"), unit("ups-2")}),
    "sw-ups-runtime": (Incident.BATTERY, {unit("ups-1"), unit("ups-2")}),
    "sw-ups-replace-battery": (Incident.UPS_TROUBLE, {unit("ups-2")}),
    "sw-ups-overload": (Incident.UPS_TROUBLE, {unit("ups-2")}),
    "sw-ups-bypass": (Incident.UPS_TROUBLE, {unit("ups-2")}),
    "sw-ups-load": (Incident.UPS_TROUBLE, {unit("ups-2")}),
    "sw-voltage-l1": (Incident.LOW_VOLTAGE, set()),
    "sw-voltage-l2": (Incident.LOW_VOLTAGE, {
        unit("grid"), unit("lift"), unit("board", "hall-a"), unit("board", "hall-b")}),
    "sw-voltage-l3": (Incident.OUTAGE, set()),
    "sw-frequency": (Incident.LOW_VOLTAGE, {
        unit("grid"), unit("lift"), unit("board", "hall-a"), unit("board", "hall-b")}),
    "sw-power-factor": (Incident.POWER_FACTOR, {unit("grid")}),
    "sw-demand": (Incident.DEMAND, {SITE}),
    "sw-register-stuck": (span(1, 16, 17), {unit("lift")}),
    "sw-register-backwards": (slice(Incident.RESET_AT, Incident.RESET_AT + 5),
                              {unit("board", "hall-b")}),
    "sw-unaccounted": (span(1, 20, 20.6), {SITE}),
    "sw-meter-silent": (Incident.SILENCE, {unit("board", "hall-a")}),
    "sw-ups-silent": (Incident.SILENCE, {unit("ups-1")}),
    "sw-gateway-silent": (Incident.SILENCE, {unit("gw-1")}),
    "sw-seats-silent": (Incident.SILENCE, {(("site", "one"), ("zone", "hall-b"))}),
    "sw-uplink-down": (Incident.UPLINK_DOWN, {unit("isp-1")}),
    "sw-quarantine": (Incident.LATE, {WORKER}),
    "sw-broker-drops": (Incident.LATE, {WORKER}),
    "sw-ingest-lag": (Incident.LATE, {WORKER}),
    "sw-write-errors": (Incident.LATE, {WORKER}),
    "sw-unbalanced": (Incident.LATE, {WORKER}),
}


def test_every_rule_is_simulated() -> None:
    assert set(EXPECTED) == set(RULES)


def fired(seeded: Seeded, uid: str, part: slice) -> set[Labels]:
    at = seeded.world.at_ms
    return set(firing(RULES[uid], seeded.port, seeded.database, at(part.start - 1),
                      at(part.stop + MARGIN)))


@pytest.mark.parametrize("uid", list(EXPECTED))
def test_the_day_of_incidents_fires(seeded: Seeded, uid: str) -> None:
    part, expected = EXPECTED[uid]
    assert fired(seeded, uid, part) == expected


@pytest.mark.parametrize("uid", list(EXPECTED))
def test_an_ordinary_day_fires_nothing(seeded: Seeded, uid: str) -> None:
    at = seeded.world.at_ms
    for minute in range(8 * 60, DAY, 47):
        assert not any(evaluate(RULES[uid], seeded.port, seeded.database, at(minute)).values())


@pytest.mark.parametrize(("power_w", "step_wh", "every"), [
    (60.0, 10.0, 1), (150.0, 1000.0, 1), (95.0, 1000.0, 1), (40_000.0, 10.0, 15)])
def test_a_register_of_coarse_steps_is_not_stuck(seeded: Seeded, power_w: float, step_wh: float,
                                                 every: int) -> None:
    """From its first reading on, its registers read every so many minutes."""
    database, batch = f"coarse{power_w:.0f}", ReadingBatch()
    device, minutes = Device("meter", "plant", "new"), 14 * 60
    for minute in range(minutes):
        at_ms = seeded.world.at_ms(minute)
        batch.append(Series("one", device, quantity("meter", "power")), at_ms, power_w)
        if minute % every == 0:
            batch.append(Series("one", device, quantity("meter", "energy_import")), at_ms,
                         step_wh * (minute * power_w / 60 // step_wh))
    writer = InfluxWriter(InfluxAddress(host="127.0.0.1", port=seeded.port, database=database),
                          create=True)
    writer.write(batch)
    writer.close()
    assert firing(RULES["sw-register-stuck"], seeded.port, database, seeded.world.at_ms(1),
                  seeded.world.at_ms(minutes)) == {}


def test_one_load_shedding_is_one_message_for_the_site(seeded: Seeded) -> None:
    [policy] = [each for document in provisioning("alerting")
                for each in document.get("policies", [])]
    messages: Counter[tuple[object, ...]] = Counter()
    silent = [uid for uid, rule in RULES.items() if rule["group"] == "devices"]
    # What has no UPS falls silent in it too.
    for part, uids in ((Incident.BATTERY, list(RULES)), (Incident.SILENCE, silent)):
        for uid in uids:
            rule = RULES[uid]
            for labels in fired(seeded, uid, part):
                route = route_of(policy, rule["labels"])
                known = dict(labels) | {"alertname": rule["title"],
                                        "grafana_folder": rule["folder"]}
                messages[route["receiver"], *(known.get(tag) for tag in route["group_by"])] += 1
    assert list(messages) == [("facility", "one")]
    assert messages.total() >= 8


def test_a_battery_that_runs_low_is_told_while_there_is_time(seeded: Seeded) -> None:
    """It joins the message of the load-shedding, which is told again when the group's next turn
    comes: that must be within the five minutes that are left."""
    [policy] = [each for document in provisioning("alerting")
                for each in document.get("policies", [])]
    for uid in ("sw-ups-low-battery", "sw-ups-runtime"):
        rule = RULES[uid]
        route = route_of(policy, rule["labels"])
        part = Incident.LOW_BATTERY
        first = min(firing(rule, seeded.port, seeded.database, seeded.world.at_ms(part.start - 5),
                           seeded.world.at_ms(part.stop + 5)).values())
        told_ms = first + as_ms(route["group_interval"]) - seeded.world.at_ms(part.start)
        assert told_ms <= 4 * 60_000, uid


def route_of(policy: Json, labels: Json) -> Json:
    """The first route whose matchers hold."""
    for route in policy["routes"]:
        if all(labels[name] == value if operator == "=" else re.fullmatch(value, labels[name])
               for name, operator, value in route["object_matchers"]):
            return {**policy, **route}
    return policy


def test_a_vanished_pipeline_is_no_data(seeded: Seeded) -> None:
    rule = RULES["sw-ingest-lag"]
    later_ms = seeded.world.now_ms + 3_600_000
    assert evaluate(rule, seeded.port, seeded.database, later_ms) == {}
    assert rule["noDataState"] == rule["execErrState"] == "Alerting"
    others = {uid for uid, each in RULES.items() if each["noDataState"] == "Alerting"}
    assert others == {"sw-ingest-lag"}


def test_a_lost_store_is_one_alert() -> None:
    """A rule whose query fails tells a `DatasourceError` of its own in state Error, itself in
    Alerting; in OK a UPS on battery would be told to be well."""
    said = Counter(rule["execErrState"] for rule in RULES.values())
    assert said == {"KeepLast": len(RULES) - 1, "Alerting": 1}
    assert RULES["sw-ingest-lag"]["execErrState"] == "Alerting"

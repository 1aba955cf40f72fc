"""The site file: what it says, and one clear line for each thing that may be wrong in it."""

import copy
import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.site import Lease, Node, SeatMeters, Shift, Zone
from seatwatt.contract.sitedocument import site_document
from seatwatt.contract.sitefile import parse_site

SITE = yaml.safe_load("""
site: two-tenants
name: Two tenants, one board
time_zone: Asia/Karachi
currency: PKR
interval: 30min
max_gap: 15min
bands:
  peak:
    - {months: dec-feb, from: "17:00", to: "21:00"}
    - {months: [mar, 4, "may,sep-nov"], days: mon-sun, from: "18:30", to: "22:30"}
zones:
  hall-a: {kind: hall, area_m2: 120, seats: 12, title: The hall}
  lab: {seats: [w1, w2, "001-002"]}
  conf-1: {kind: conference, area_m2: 30}
meters:
  plant/grid: {source: grid, max_power_w: 50000, register_modulus_wh: 1000000000, multiplier: 40}
  meter/plant/generator: {source: generator}
  ups/plant/ups-1: {parent: supply, storage: true, title: UPS}
  hall-a/board: {parent: ups/plant/ups-1, share: seats, vacant: excluded}
  lab/board: {parent: hall-a/board, metered: false, share: fixed, weights: {alpha: 2, operator: 1}}
  conf-1/board: {parent: supply, share: bookings, otherwise: seats, serves: [conf-1, hall-a]}
seat_meters: {parent: "{zone}/board", max_power_w: 2300}
unaccounted: {share: area, alarm_pct: 7.5}
exchanges:
  - {meter: seat/hall-a/002, at: 2026-10-07T11:00:00+05:00, final_wh: 1200, initial_wh: 0}
  - {meter: plant/grid, at: "2026-10-07T11:00:00+05:00", final_wh: 1, initial_wh: 2.5,
     quantity: energy_export}
acceptances:
  - {meter: hall-a/board, at: "2026-10-08T11:00:00.5+05:00", reason: new air conditioner}
  - {meter: plant/grid, at: "2026-10-08T11:00:00+05:00"}
tenants: {alpha: {name: Alpha Contact}, beta: , gamma: {}}
leases:
  - {tenant: alpha, seats: ["hall-a/001-010", "hall-a/011", lab/w1-w2, lab/001-002],
     from: 2026-10-01}
  - {tenant: beta, seats: hall-a/012, from: 2026-10-01, to: "2026-10-20",
     shift: {days: "mon,wed-fri", start: "20:00", end: "05:00:30"}}
  - {tenant: gamma, seats: [hall-a/012], from: 2026-10-20T11:00:00+05:00, to: 2026-10-21,
     label: pass-7}
  - {tenant: beta, seats: [conf-1], zones: [conf-1], from: 2026-11-01, to: 2026-11-02,
     shift: {start: 540, end: 24:00}}
bookings:
  - {tenant: beta, zone: conf-1, from: 2026-10-05T10:00:00+05:00, to: 2026-10-05T12:30:00+05:00}
  - {tenant: alpha, zone: conf-1, from: 2026-10-05T07:30:00Z, to: 2026-10-05T09:00:00Z, label: b-2}
""")


def changed(path: str, value: Any) -> dict[str, Any]:
    """The site with one field set (`leases/0/from`; a missing list item is appended)."""
    document: dict[str, Any] = copy.deepcopy(SITE)
    at: Any = document
    *steps, last = [int(step) if step.isdigit() else step for step in path.split("|")]
    for step in steps:
        at = at[step]
    if isinstance(at, list) and last == len(at):
        at.append(value)
    elif value is ...:
        del at[last]
    else:
        at[last] = value
    return document


def test_everything_the_file_can_say_is_read() -> None:
    site = parse_site(SITE)
    assert (site.interval_s, site.max_gap_s, site.name) == (1800, 900, "Two tenants, one board")
    assert [rule.months for rule in site.bands] == [(1, 2, 12), (3, 4, 5, 9, 10, 11)]
    assert site.bands[1].start == time(18, 30)
    assert site.zones[0].seats[0] == "001"
    assert len(site.zones[0].seats) == 12
    assert site.zones[1].seats == ("w1", "w2", "001-002")
    grid, generator, ups, hall, lab, conf = site.nodes
    assert (grid.source, grid.multiplier, grid.parent) == ("grid", 40.0, None)
    assert generator.device == Device("meter", "plant", "generator")
    assert (ups.storage, ups.metered, ups.parent) == (True, False, None)
    assert (hall.parent, hall.share.vacant_counts) == (ups.device, False)
    assert (lab.metered, lab.share.weights) == (False, (("alpha", 2), ("operator", 1)))
    assert (conf.serves, conf.share.otherwise) == (("conf-1", "hall-a"), "seats")
    assert site.unaccounted.alarm_pct == 7.5
    assert site.exchanges[0].at_ms == 1791352800000
    assert site.acceptances[0].at_ms == 1791439200500
    assert site.tenants[1].name == "beta"


def test_seats_are_numbers_ranges_names_and_whole_zones() -> None:
    alpha, beta, gamma, whole = parse_site(SITE).leases
    assert [seat for zone, seat in alpha.seats if zone == "hall-a"] == [
        f"{number:03}" for number in range(1, 12)]
    assert [seat for zone, seat in alpha.seats if zone == "lab"] == ["w1", "w2", "001-002"]
    assert beta.shift == Shift(days=(0, 2, 3, 4), start=time(20), end=time(5, 0, 30))
    assert (beta.from_, beta.to) == (date(2026, 10, 1), date(2026, 10, 20))
    assert (gamma.label, beta.label) == ("pass-7", "leases[1]")
    assert gamma.from_ == datetime(2026, 10, 20, 6, tzinfo=UTC)
    assert (whole.zones, whole.seats) == (("conf-1",), ())
    assert whole.shift == Shift(days=tuple(range(7)), start=time(9), end=time(0))


def test_a_site_survives_the_way_to_its_document_and_back() -> None:
    site = parse_site(SITE)
    document = site_document(site)
    assert parse_site(document) == site
    assert parse_site(json.loads(json.dumps(document))) == site
    assert parse_site(yaml.safe_load(yaml.safe_dump(document, sort_keys=False))) == site
    assert document["leases"][0]["seats"] == [  # type: ignore[index]
        "hall-a/001-011", "lab/w1", "lab/w2", "lab/001-002"]


def test_the_least_that_a_site_file_may_say() -> None:
    site = parse_site({"site": "s", "time_zone": "UTC", "currency": "EUR", "zones": None,
                       "bands": {"night": {"from": "22:00", "to": "06:00"}}})
    assert (site.name, site.interval_s, site.zones, site.seat_meters) == ("s", 1800, (), None)
    assert parse_site(site_document(site)) == site
    odd = parse_site({**site_document(site), "max_gap": "90s"})
    assert parse_site(site_document(odd)).max_gap_s == 90


def test_a_range_is_not_shortened_where_a_seat_has_its_name() -> None:
    document = {"site": "s", "time_zone": "UTC", "currency": "EUR", "tenants": {"a": {}},
                "zones": {"z": {"seats": ["001", "002", "003", "001-003"]}},
                "leases": [{"tenant": "a", "seats": ["z/001", "z/002", "z/003"],
                            "from": "2026-10-01"}]}
    site = parse_site(document)
    assert parse_site(site_document(site)) == site
    assert len(site.leases[0].seats) == 3


def lease(**fields: Any) -> dict[str, Any]:
    return {"tenant": "beta", "seats": ["hall-a/012"], "from": "2027-01-01", **fields}


BAD_VALUES: list[tuple[str, Any, str]] = [
    ("site", ..., "site: site: is missing; expected a value"),
    ("site", "Two Tenants", "site: site: 'Two Tenants' is not an identifier; expected a-z"),
    ("colour", "red", "site: colour: is unknown; expected site, name, time_zone"),
    ("name", 5, "name: 5 is not a text"),
    ("name", "two\nlines", "name: 'two\\nlines' is not a text"),
    ("time_zone", "Asia/Peshawar", "time_zone: 'Asia/Peshawar' is not a time zone"),
    ("time_zone", "../etc/passwd", "time_zone: '../etc/passwd' is not a time zone"),
    ("currency", "rupees", "currency: 'rupees' is no currency code; expected such as PKR"),
    ("interval", "7min", "interval: 420 s is not a length we know; expected 5, 10, 15, 20, 30"),
    ("interval", 30, "interval: 30 is not a length of time; expected such as 30min"),
    ("max_gap", "0min", "max_gap: 0 is not above 0"),
    ("bands|peak|0|from", "17:10", "bands.peak[0].from: 17:10:00 is not on a half hour"),
    ("bands|peak|0|from", "25:00", "bands.peak[0].from: '25:00' is not a time of day"),
    ("bands|peak|0|from", None, "bands.peak[0].from: is missing"),
    ("bands|peak|0|months", "dec-smarch", "bands.peak[0].months: 'dec-smarch' is unknown"),
    ("bands|peak|0|months", "jan-feb-mar", "'jan-feb-mar' is unknown"),
    ("bands|peak|0|months", [13], "bands.peak[0].months: (13,) is not a choice"),
    ("bands|peak|0|months", [True], "bands.peak[0].months: 'True' is unknown"),
    ("bands|peak|0|days", [], "bands.peak[0].days: () is not a choice; expected one or more of 0"),
    ("bands|Night", {"from": "22:00", "to": "06:00"}, "bands.Night.band: 'Night' is not an ident"),
    ("bands|shoulder", {"months": "jan", "from": "20:30", "to": "23:00"},
     "bands.shoulder: shoulder and peak both claim 20:30 in month 1 on weekday 1"),
    ("zones", ["hall-a"], "zones: ['hall-a'] is not a mapping; expected key: value"),
    ("zones", {5: {}}, "zones: key 5 is not a text; expected a name; q"),
    ("zones", {"a\n": {}}, "zones: key 'a\\n' is not a text"),
    ("zones|Hall", {}, "zones.Hall.name: 'Hall' is not an identifier"),
    ("zones|hall-a|seets", 4, "zones.hall-a.seets: is unknown; expected kind, area_m2, seats"),
    ("zones|hall-a|area_m2", -1, "zones.hall-a.area_m2: -1.0 is not above 0"),
    ("zones|hall-a|area_m2", "big", "zones.hall-a.area_m2: 'big' is not a number"),
    ("zones|hall-a|area_m2", float("nan"), "zones.hall-a.area_m2: nan is not a finite number"),
    ("zones|hall-a|area_m2", 10 ** 400, "zones.hall-a.area_m2: 1000"),
    ("zones|hall-a|seats", -1, "zones.hall-a.seats: -1 is no number of seats"),
    ("zones|hall-a|seats", True, "zones.hall-a.seats: True is not a list"),
    ("zones|lab|seats", ["w1", "w1"], "zones.lab.seats: 'w1' is named twice"),
    ("zones|lab|seats", ["W1"], "zones.lab.seats: 'W1' is not an identifier"),
    ("zones|lab|seats", ["w\n"], "zones.lab.seats: 'w\\n' is not a name"),
    ("zones|lab|seats", [1.5], "zones.lab.seats: 1.5 is not a name"),
    ("meters|hall-a", {}, "meters.hall-a.device: 'hall-a' is not a device"),
    ("meters|seat/hall-a/001", {}, "meters.seat/hall-a/001.device: seat/hall-a/001 is no meter"),
    ("meters|meter/plant/grid", {}, "meters: plant/grid is declared twice"),
    ("meters|plant/grid|source", "wind", "meters.plant/grid.source: 'wind' is unknown"),
    ("meters|plant/grid|parent", "supply", "meters.plant/grid.parent: a source has no parent"),
    ("meters|plant/grid|metered", False, "meters.plant/grid.metered: a source needs a meter"),
    ("meters|plant/grid|metered", "no", "meters.plant/grid.metered: 'no' is neither true nor fal"),
    ("meters|plant/grid|multiplier", 0, "meters.plant/grid.multiplier: 0.0 is not above 0"),
    ("meters|plant/grid|multiplier", 1e300, "meters.plant/grid.multiplier: 1e+300 is too large"),
    ("meters|plant/grid|multiplier", 1e-9, "meters.plant/grid.multiplier: 1e-09 is too small"),
    ("meters|plant/grid|max_power_w", 1e308, "meters.plant/grid.max_power_w: 1e+308 is too large"),
    ("meters|plant/grid|register_modulus_wh", 1e12, "register_modulus_wh: 1000000000000.0 is too "
     "large; expected at most 2.25e+11"),
    ("meters|plant/grid|max_power_w", 0, "meters.plant/grid.max_power_w: 0.0 is not above 0"),
    ("meters|ups/plant/ups-1|metered", True, "meters.ups/plant/ups-1.metered: a ups has no energ"),
    ("meters|hall-a/board|parent", "plant/main",
     "meters.hall-a/board.parent: plant/main does not exist; expected supply, or one of plant/gri"),
    ("meters|hall-a/board|parent", "main", "meters.hall-a/board.parent.device: 'main' is not a de"),
    ("meters|hall-a/board|parent", "plant/grid", "hall-a/board.parent: plant/grid is a source"),
    ("meters|ups/plant/ups-1|parent", "lab/board",
     "the meters form a cycle: ups/plant/ups-1 -> lab/board -> hall-a/board -> ups/plant/ups-1"),
    ("meters|hall-a/board|share", "fairly", "meters.hall-a/board.share: 'fairly' is unknown"),
    ("meters|hall-a/board|share", "fixed", "meters.hall-a/board.weights: share: fixed has no weig"),
    ("meters|hall-a/board|vacant", "maybe", "meters.hall-a/board.vacant: 'maybe' is unknown"),
    ("meters|hall-a/board|weights", {"alpha": 1}, "weights: share: seats takes no weights"),
    ("meters|conf-1/board|otherwise", "bookings", "conf-1/board.otherwise: 'bookings' cannot"),
    ("meters|conf-1/board|serves", ["hall-z"], "meters.conf-1/board.serves: zone 'hall-z' does n"),
    ("meters|lab/board|weights|omega", 1, "meters.lab/board.weights: tenant 'omega' does not exi"),
    ("meters|lab/board|weights|alpha", -1, "meters.lab/board.weights.alpha: -1 is negative"),
    ("meters|lab/board|weights|alpha", -0.5, "lab/board.weights.alpha: -0.5 is negative"),
    ("meters|lab/board|weights|alpha", "2", "weights.alpha: '2' is not a number; expected a num"),
    ("meters|lab/board|weights|alpha", 1e-10, "weights.alpha: 1e-10 is no weight; expected at mos"),
    ("meters|lab/board|weights|alpha", 2e18, "board.weights.alpha: 2e+18 is too large a weight; "),
    ("meters|lab/board|weights|operator", 1e300, "weights.operator: 1e+300 is too large a weigh"),
    ("meters|lab/board|weights", {"alpha": 1e9 + 1, "operator": 1e-9},
     "weights.alpha: 1000000001.0 is too large a weight; expected at most 1e+09 beside the others"),
    ("meters|lab/board|weights", [1], "meters.lab/board.weights: [1] is not a mapping"),
    ("seat_meters|parent", "{zone}/main", "seat_meters.parent: for the seats of zone hall-a: "
     "hall-a/main does not exist"),
    ("seat_meters|parent", "{room}/main", "seat_meters.device zone: '{room}' is not an identifier"),
    ("seat_meters|share", "seats", "seat_meters.share: is unknown"),
    ("unaccounted|share", "bookings", "unaccounted.share: the supply is no room to be booked"),
    ("unaccounted|alarm_pct", -1, "unaccounted.alarm_pct: -1.0 is negative"),
    ("exchanges", {"meter": "plant/grid"}, "exchanges: {'meter': 'plant/grid'} is not a list"),
    ("exchanges|0", 7, "exchanges[0]: 7 is not a mapping"),
    ("exchanges|0|meter", "seat/hall-a/099", "exchanges[0].meter: seat/hall-a/099 does not exist"),
    ("exchanges|0|meter", "lab/board", "exchanges[0].meter: meter/lab/board does not exist"),
    ("exchanges|0|meter", "room/conf-1/x", "exchanges[0].meter: room/conf-1/x has no register"),
    ("exchanges|0|at", "2026-10-07", "exchanges[0].at: 2026-10-07 has no offset"),
    ("exchanges|0|at", "noon", "exchanges[0].at: 'noon' is not a time"),
    ("exchanges|0|final_wh", -1, "exchanges[0].final_wh: -1.0 is negative"),
    ("exchanges|0|quantity", "power", "exchanges[0].quantity: 'power' is no register of seat/hall"),
    ("exchanges|0|final_wh", 1e308, "exchanges[0].final_wh: 1e+308 Wh is no register reading"),
    ("exchanges|1|initial_wh", 3e11, "exchanges[1].initial_wh: 300000000000.0 Wh is no register "
     "reading; expected at most 2.25e+11"),    # of a meter with a multiplier of 40
    ("exchanges|2", SITE["exchanges"][0], "exchanges: seat/hall-a/002 at 2026-10-07T11:00:00+05:00"
     " is declared twice"),
    ("acceptances|0|meter", "plant/main", "acceptances[0].meter: meter/plant/main does not exist"),
    ("tenants|operator", {}, "tenants.operator.id: a tenant cannot be named operator"),
    ("tenants|Alpha", {}, "tenants.Alpha.id: 'Alpha' is not an identifier"),
    ("leases|0|tenant", "omega", "leases[0].tenant: tenant 'omega' does not exist; expected alph"),
    ("leases|0|tenant", None, "leases[0].tenant: is missing"),
    ("leases|0|seats", ["hall-z/001"], "leases[0].seats: zone 'hall-z' does not exist; expected h"),
    ("leases|0|seats", ["hall-a/099"], "leases[0].seats: seat hall-a/099 does not exist; expected "
     "001 to 012"),
    ("leases|0|seats", ["hall-a/011-013"], "leases[0].seats: seat hall-a/013 does not exist"),
    ("leases|0|seats", ["hall-a/003-001"], "leases[0].seats: the range 003-001 runs backwards"),
    ("leases|0|seats", ["hall-a/"], "leases[0].seats: 'hall-a/' names no seat"),
    ("leases|0|seats", ["conf-1/001"], "seat conf-1/001 does not exist; expected a zone with se"),
    ("leases|0|seats", [], "leases[0].seats: the lease claims nothing"),
    ("leases|0|zones", ["hall-z"], "leases[0].zones: zone 'hall-z' does not exist"),
    ("leases|1|to", "2026-10-01", "leases[1].from: from is not before to"),
    ("leases|1|to", "2026-13-01", "leases[1].to: '2026-13-01' is not a date"),
    ("leases|1|to", "2026-11-01T00:00", "leases[1].to: 2026-11-01T00:00 has no offset"),
    ("leases|1|to", "9999-01-01", "leases[1].to: the year 9999 is out of range"),
    ("leases|1|shift|days", "weekend", "leases[1].shift.days: 'weekend' is unknown"),
    ("leases|1|shift|days", [7], "leases[1].shift.days: (7,) is not a choice"),
    ("leases|1|label", "pass-7", "leases: pass-7 is declared twice"),
    ("leases|4", lease(seats=["hall-a/001"]), "leases[4].seats: leases[0] and leases[4] (alpha and "
     "beta) both claim hall-a/001 from 2027-01-01T00:00:00+05:00"),
    ("leases|4", lease(**{"from": "2026-10-10T06:00:00+05:00",
                          "to": "2026-10-20", "tenant": "alpha"}),
     "leases[4].seats: leases[1] and leases[4] (beta and alpha) both claim hall-a/012 from "
     "2026-10-12T20:00:00+05:00"),
    ("bookings|0|to", "2026-10-05T10:00:00+05:00", "bookings[0].from: from is not before to"),
    ("bookings|0|zone", "hall-z", "bookings[0].zone: zone 'hall-z' does not exist"),
    ("bookings|1|tenant", "omega", "bookings[1].tenant: tenant 'omega' does not exist"),
    ("bookings|1|from", "2026-10-05T12:29:59+05:00", "bookings[1]: overlaps bookings[0]: alpha and "
     "beta both have conf-1 at 2026-10-05T12:29:59+05:00"),
]


@pytest.mark.parametrize(("written", "weights"), [
    ({"alpha": 0.6, "operator": 0.3}, (("alpha", 6), ("operator", 3))),
    ({"alpha": 33.333, "operator": 50}, (("alpha", 33333), ("operator", 50000))),
    ({"alpha": 2.0, "operator": 0}, (("alpha", 2), ("operator", 0))),
    ({"alpha": 1e9, "operator": 1e-9}, (("alpha", 10**18), ("operator", 1))),
    ({"alpha": 10**18 - 1, "operator": 1}, (("alpha", 10**18 - 1), ("operator", 1))),
])
def test_weights_with_decimals_keep_their_proportion(
        written: dict[str, float], weights: tuple[tuple[str, int], ...]) -> None:
    document = copy.deepcopy(SITE)
    document["meters"]["lab/board"]["weights"] = written
    site = parse_site(document)
    assert site.nodes[4].share.weights == weights
    assert parse_site(site_document(site)) == site


@pytest.mark.parametrize(("path", "value", "line"), BAD_VALUES)
def test_each_wrong_thing_is_one_clear_line(path: str, value: Any, line: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_site(changed(path, value))
    assert line in str(caught.value)
    assert "\n" not in str(caught.value)


def test_what_clashes_is_a_conflict() -> None:
    with pytest.raises(ConflictError):
        parse_site(changed("leases|4", lease(seats=["hall-a/001"])))


def test_an_area_rule_needs_an_area_somewhere() -> None:
    document = changed("zones|hall-a|area_m2", ...)
    del document["zones"]["conf-1"]["area_m2"]
    with pytest.raises(InputError, match=r"unaccounted\.share: area has no weights: no zone"):
        parse_site(document)


@pytest.mark.parametrize("document", [None, [], "site", 5])
def test_what_is_no_mapping_is_no_site(document: object) -> None:
    with pytest.raises(InputError, match="site"):
        parse_site(document)


def test_the_place_in_front_may_be_left_out() -> None:
    with pytest.raises(InputError, match=r"^interval: 420 s"):
        parse_site(changed("interval", "7min"), where="")


def test_the_nouns_refuse_what_no_file_could_say() -> None:
    with pytest.raises(InputError, match="from: 2026-10-01 00:00:00 has no time zone"):
        Lease(tenant="a", seats=(("z", "1"),), from_=datetime(2026, 10, 1))  # noqa: DTZ001
    with pytest.raises(InputError, match="area_m2: nan is not a finite number"):
        Zone(name="z", area_m2=float("nan"))
    grid = Device("meter", "plant", "grid")
    with pytest.raises(InputError, match="parent: a source has no parent"):
        Node(device=grid, source="grid", parent=grid)
    assert SeatMeters(parent="supply").parent_in("hall-a") is None


def test_a_site_made_without_a_file_is_checked_as_well() -> None:
    site = parse_site(SITE)
    stray = Lease(tenant="beta", seats=(("hall-a", "099"),), from_=date(2027, 1, 1))
    with pytest.raises(InputError, match=r"leases\[0\].seats: seat hall-a/099 does not exist"):
        replace(site, leases=(stray,))


def test_a_meter_that_hangs_below_a_cycle_is_not_blamed_for_it() -> None:
    document = changed("meters", {"a/x": {"parent": "b/x"}, "b/x": {"parent": "c/x"},
                                  "c/x": {"parent": "b/x"}})
    with pytest.raises(InputError, match=r"b/x\.parent: the meters form a cycle: b/x -> c/x"):
        parse_site({**document, "seat_meters": None, "exchanges": [], "acceptances": []})


def _paths(document: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(document, dict | list):
        for key in document if isinstance(document, dict) else range(len(document)):
            yield from _paths(document[key], (*path, key))


_PATHS = list(_paths(SITE))
_junk = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
    | st.sampled_from(["hall-a", "supply", "plant/grid", "fixed", "mon-fri", "17:00", "2026-10-01",
                       "2026-10-07T11:00:00+05:00", "hall-a/001-003", "operator", "0001-01-01"])
    | st.dates() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.text(max_size=4), inner, max_size=3), max_leaves=5)


@given(st.sampled_from(_PATHS), _junk)
def test_any_value_anywhere_is_taken_or_refused_in_one_line(path: tuple[Any, ...], value: Any
                                                            ) -> None:
    document = copy.deepcopy(SITE) if path else value
    at = document
    for step in path[:-1]:
        at = at[step]
    if path:
        at[path[-1]] = value
    try:
        site, problem = parse_site(document), ""
    except InputError as error:
        site, problem = None, str(error)
    assert "\n" not in problem
    if site is not None:
        assert parse_site(site_document(site)) == site


@given(st.sets(st.integers(1, 12)), st.sets(st.sampled_from(["w1", "w2", "001-002"])),
       st.booleans())
def test_any_seats_survive_as_ranges(numbers: set[int], names: set[str], whole: bool) -> None:
    seats = [f"hall-a/{number:03}" for number in numbers] + [f"lab/{name}" for name in names]
    seats += ["conf-1"] if whole or not seats else []
    site = parse_site({**SITE, "leases": [{"tenant": "alpha", "seats": seats,
                                           "from": "2026-10-01"}]})
    assert {f"{zone}/{seat}" for zone, seat in site.leases[0].seats} == set(seats) - {"conf-1"}
    assert parse_site(site_document(site)) == site

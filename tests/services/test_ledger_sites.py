"""Declarations of a site go into the ledger and come back, each change dated and signed."""

import threading
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import Engine

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.site import Site, Tenant
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.changes import Change
from seatwatt.ledger.sites import (
    compare_site,
    list_sites,
    load_declared,
    load_site,
    save_site,
    trail,
)

AT_MS = 1_790_000_000_000


def a_site(**changed: object) -> Site:
    """A site that uses every part of the model."""
    return parse_site({
        "site": "two-tenants", "name": "Two tenants", "time_zone": "Asia/Karachi",
        "currency": "PKR", "interval": "30min", "max_gap": "15min",
        "bands": {"peak": [{"months": "dec-feb", "from": "17:00", "to": "21:00"},
                           {"months": "mar-may", "days": "mon-fri", "from": "18:00",
                            "to": "22:00"}]},
        "zones": {"hall-a": {"kind": "hall", "area_m2": 120.5, "seats": 4},
                  "conf-1": {"kind": "conference", "area_m2": 30},
                  "cabins": {"seats": ["w2", "w1"], "title": "Cabins"}},
        "meters": {
            "plant/grid": {"source": "grid", "max_power_w": 50000,
                           "register_modulus_wh": 1_000_000_000, "multiplier": 40},
            "plant/generator": {"source": "generator"},
            "hall-a/board": {"share": "seats", "vacant": "excluded", "serves": ["hall-a"]},
            "ups/plant/ups-1": {"parent": "hall-a/board", "storage": True},
            "cabins/board": {"share": "fixed", "weights": {"beta": 2, "alpha": 1}, "serves": []},
            "conf-1/board": {"share": "bookings", "otherwise": "seats", "title": "Conference"}},
        "seat_meters": {"parent": "{zone}/board", "max_power_w": 2300},
        "unaccounted": {"share": "consumption", "alarm_pct": 4.5},
        "exchanges": [{"meter": "seat/hall-a/002", "at": "2026-10-07T11:00:00+05:00",
                       "final_wh": 1200.5, "initial_wh": 0}],
        "acceptances": [{"meter": "hall-a/board", "at": "2026-10-08T11:00:00+05:00",
                         "reason": "read by hand"}],
        "tenants": {"alpha": {"name": "Alpha Contact"}, "beta": {"name": "Beta Soft"}},
        "leases": [
            {"tenant": "alpha", "seats": ["hall-a/001-002"], "from": "2026-10-01"},
            {"tenant": "beta", "seats": ["hall-a/003"], "from": "2026-10-01", "to": "2026-10-20",
             "shift": {"days": "mon-sat", "start": "20:00", "end": "05:00"}},
            {"tenant": "alpha", "zones": ["cabins"], "from": "2026-10-05T10:00:00+05:00",
             "to": "2026-10-06"}],
        "bookings": [{"tenant": "beta", "zone": "conf-1", "from": "2026-10-05T10:00:00+05:00",
                      "to": "2026-10-05T12:30:00+05:00"}],
        **changed})


def unlabelled(site: Site) -> Site:
    """The site without the names that a file or the ledger gave to leases and bookings."""
    return replace(site, leases=tuple(replace(each, label="") for each in site.leases),
                   bookings=tuple(replace(each, label="") for each in site.bookings))


def told(changes: tuple[Change, ...]) -> list[tuple[str, str, str]]:
    return [(change.action, change.kind, change.name) for change in changes]


def test_a_site_comes_back_as_it_was_declared(ledger: Engine) -> None:
    site = a_site()
    saved = save_site(ledger, site, "amir", AT_MS)
    assert saved.revision == 1
    assert unlabelled(load_site(ledger, "two-tenants")) == unlabelled(site)
    assert {change.action for change in saved.changes} == {"added"}
    assert ("added", "lease", "lease-3") in told(saved.changes)


def test_saving_the_same_again_changes_nothing(ledger: Engine) -> None:
    save_site(ledger, a_site(), "amir", AT_MS)
    again = save_site(ledger, a_site(), "bina", AT_MS + 1)
    assert (again.revision, again.changes) == (1, ())
    assert save_site(ledger, load_site(ledger, "two-tenants"), "bina", AT_MS + 1).changes == ()


def test_a_change_says_what_was_and_what_is_and_leases_keep_their_number(ledger: Engine) -> None:
    save_site(ledger, a_site(), "amir", AT_MS)
    site = load_site(ledger, "two-tenants")
    ended = replace(site.leases[0], to=date(2026, 12, 1))
    tenants = (*site.tenants, Tenant(id="gamma", name="Gamma"))
    changed = replace(site, leases=(ended, *site.leases[2:]), tenants=tenants)
    preview = compare_site(ledger, changed)
    saved = save_site(ledger, changed, "bina", AT_MS + 5)
    assert saved.changes == preview
    assert told(saved.changes) == [("changed", "lease", "lease-1"), ("removed", "lease", "lease-2"),
                                   ("added", "tenant", "gamma")]
    assert saved.changes[0].differences() == ["to: - -> 2026-12-01"]
    assert [lease.label for lease in load_site(ledger, "two-tenants").leases] == [
        "lease-1", "lease-3"]


def test_a_number_is_never_given_twice(ledger: Engine) -> None:
    save_site(ledger, a_site(), "amir", AT_MS)
    site = load_site(ledger, "two-tenants")
    save_site(ledger, replace(site, leases=site.leases[:2], bookings=()), "amir", AT_MS)
    save_site(ledger, a_site(), "amir", AT_MS)
    declared = load_declared(ledger, "two-tenants")
    assert [lease.label for lease in declared.site.leases] == ["lease-1", "lease-2", "lease-4"]
    assert [booking.label for booking in declared.site.bookings] == ["booking-2"]
    assert declared.revision == 3


def test_another_order_alone_is_a_change_too(ledger: Engine) -> None:
    save_site(ledger, a_site(), "amir", AT_MS)
    site = load_site(ledger, "two-tenants")
    saved = save_site(ledger, replace(site, zones=site.zones[::-1]), "amir", AT_MS)
    assert told(saved.changes) == [("changed", "order", "two-tenants")]
    assert [zone.name for zone in load_site(ledger, "two-tenants").zones] == [
        "cabins", "conf-1", "hall-a"]


def test_the_trail_tells_who_changed_what_and_when(ledger: Engine) -> None:
    save_site(ledger, a_site(), "amir", AT_MS)
    save_site(ledger, a_site(name="Renamed"), "bina", AT_MS + 7)
    entries = trail(ledger, "two-tenants", limit=1000)
    last = entries[-1]
    assert (last.who, last.at_ms, last.revision) == ("bina", AT_MS + 7, 2)
    assert last.change.differences() == ["name: Two tenants -> Renamed"]
    assert trail(ledger, "two-tenants", after_id=entries[-2].id) == [last]
    assert trail(ledger, "elsewhere") == []


def test_a_stale_revision_is_refused_and_nothing_written(ledger: Engine) -> None:
    save_site(ledger, a_site(), "amir", AT_MS, expected_revision=0)
    with pytest.raises(ConflictError, match="revision 1 by now"):
        save_site(ledger, a_site(name="Mine"), "bina", AT_MS, expected_revision=0)
    assert load_site(ledger, "two-tenants").name == "Two tenants"


def test_an_unknown_site_is_refused_with_those_that_exist(ledger: Engine) -> None:
    with pytest.raises(InputError, match="'nowhere' is not declared; expected a site"):
        load_site(ledger, "nowhere")
    save_site(ledger, a_site(), "amir", AT_MS)
    with pytest.raises(InputError, match="expected two-tenants"):
        load_site(ledger, "nowhere")
    assert [(head.id, head.revision, head.changed_by) for head in list_sites(ledger)] == [
        ("two-tenants", 1, "amir")]


def test_two_who_declare_at_once_do_not_lose_or_mix_anything(ledger: Engine) -> None:
    outcomes: list[str] = []

    def declare(name: str) -> None:
        try:
            save_site(ledger, a_site(name=name), name, AT_MS, expected_revision=0)
            outcomes.append(name)
        except ConflictError:
            outcomes.append("conflict")

    threads = [threading.Thread(target=declare, args=(name,)) for name in ("amir", "bina")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("conflict") == 1
    assert load_site(ledger, "two-tenants").name in outcomes
    assert {entry.who for entry in trail(ledger, "two-tenants", 1000)} <= set(outcomes)

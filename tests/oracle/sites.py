"""Random site documents: zones, a meter tree, leases and bookings, all from one generator."""

from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

PLACES = (("Asia/Karachi", (2026, 1, 17)), ("Asia/Kolkata", (2026, 10, 24)),
          ("Europe/Amsterdam", (2026, 3, 28)), ("Europe/Amsterdam", (2026, 10, 24)),
          ("Africa/Cairo", (2026, 4, 23)), ("Atlantic/Azores", (2026, 3, 28)),
          ("Atlantic/Azores", (2026, 10, 24)), ("America/New_York", (2026, 10, 31)))
"""Time zones and days around which most of their clocks change, some of them at midnight."""
RULES = ("consumption", "seats", "occupancy", "area", "equal", "fixed", "operator")
TENANTS = ("alpha", "beta", "gamma", "delta")
Document = dict[str, Any]


def share(rng: Random) -> Document:
    """A share rule with whatever it needs."""
    rule = rng.choice(RULES)
    if rule == "fixed":
        return {"share": rule, "weights": weights(rng)}
    if rule == "seats" and rng.random() < 0.4:
        return {"share": rule, "vacant": "excluded"}
    return {"share": rule}


def weights(rng: Random) -> dict[str, int]:
    """Fixed weights of two parties, who may hold no seat at all, or be the operator."""
    return {party: rng.randint(1, 9) for party in rng.sample((*TENANTS, "operator"), 2)}


def site(rng: Random) -> tuple[Document, date]:
    """A site of two to four halls, meeting rooms and plant, and the day to begin on."""
    zone, day = rng.choice(PLACES)
    minutes = rng.choice((5, 10, 15, 20, 30, 30, 60))
    halls = [f"hall-{c}" for c in "abcd"[:rng.randint(1, 4)]]
    zones = _zones(rng, halls)
    document = {
        "site": "world", "name": "World", "time_zone": zone, "currency": "PKR",
        "interval": f"{minutes}min", "max_gap": f"{rng.choice((10, 15, 15, 30))}min",
        "bands": bands(rng, minutes), "zones": zones, "meters": meters(rng, halls),
        "seat_meters": {},
        "unaccounted": {**share(rng), "alarm_pct": rng.choice((1, 5, 50))}, "exchanges": [],
        "acceptances": [], "tenants": {t: {"name": t.title()} for t in TENANTS},
        "leases": leases(rng, zones, date(*day), zone), "bookings": bookings(rng, zone, day)}
    document["seat_meters"] = seat_meters(rng, list(document["meters"]))
    return document, date(*day)


def seat_meters(rng: Random, nodes: list[str]) -> Document:
    """Seats hang under their boards, or all under one node, or under the supply."""
    parents = ["{zone}/board"] * 6 + [n for n in nodes if n in ("plant/floor", "plant/ups-1")]
    found: Document = {"parent": rng.choice([*parents, "supply"] if rng.random() < 0.5
                                            else parents[:1])}
    if rng.random() < 0.8:
        found["max_power_w"] = 2300
    if rng.random() < 0.2:
        found["register_modulus_wh"] = 100_000
    if rng.random() < 0.1:
        found["multiplier"] = 0.5
    return found


def _zones(rng: Random, halls: list[str]) -> Document:
    zones: Document = {}
    for hall in halls:
        count = rng.randint(1, 5)
        zones[hall] = {"kind": "hall", "seats": count}
        if rng.random() < 0.3:
            zones[hall]["seats"] = [f"w{k}" for k in range(1, count)] + ["corner-desk"]
        if rng.random() < 0.9:
            zones[hall]["area_m2"] = rng.choice((40, 75.5, 120, 133.37))
    zones["conf-1"] = {"kind": "conference", "area_m2": rng.randint(10, 60)}
    zones["conf-2"] = {"kind": "conference"}
    zones["cabin"] = {"kind": "cabin", "area_m2": 12.5}
    zones["plant"] = {"kind": "plant"}
    return zones


def bands(rng: Random, minutes: int) -> Document:
    """Evening and night bands, some on half hours where the interval allows, some on weekdays."""
    half = ":30" if minutes not in (20, 60) and rng.random() < 0.5 else ":00"
    days = {"days": rng.choice(("mon-fri", "sat,sun", "fri-mon"))} if rng.random() < 0.5 else {}
    return {"peak": [{"months": "jan-dec", "from": f"18{half}", "to": f"22{half}", **days}],
            "night": [{"months": rng.choice(("jan-dec", "oct-mar")), "from": f"23{half}",
                       "to": f"05{half}", **days}]}


def meters(rng: Random, halls: list[str]) -> Document:
    """Sources; a floor with or without a meter; a UPS; boards; a lift."""
    found: Document = {}
    if rng.random() < 0.4:  # declared in an order that is not the order of the split
        found["plant/solar"] = {"source": "solar", "max_power_w": 60000}
    found["plant/grid"] = {"source": "grid", "max_power_w": 60000,
                           "register_modulus_wh": 10_000_000}
    if rng.random() < 0.3:
        found["plant/feeder-2"] = {"source": "grid", "max_power_w": 60000, "multiplier": 40}
    if rng.random() < 0.5:
        found["plant/generator"] = {"source": "generator", "max_power_w": 60000}
    above = "supply"
    for name in ("plant/building", "plant/floor"):
        if rng.random() < 0.4:
            found[name] = {"parent": above, **share(rng), "max_power_w": 60000,
                           **({"metered": False} if rng.random() < 0.5 else {}),
                           **serves(rng, halls, 0.2)}
            above = name
    if rng.random() < 0.4:
        found["plant/ups-1"] = {"parent": above, "storage": True, "max_power_w": 20000,
                                **share(rng), **serves(rng, halls, 0.2)}
    for hall in halls:
        under = rng.choice((above, "plant/ups-1")) if "plant/ups-1" in found else above
        found[f"{hall}/board"] = {"parent": under, "max_power_w": 20000, **share(rng)}
        if rng.random() < 0.2:
            found[f"{hall}/board"]["multiplier"] = rng.choice((0.1, 20, 37.5))
        if rng.random() < 0.1:
            found[f"{hall}/board"]["metered"] = False
    found["conf-1/board"] = _room(rng)
    found["cabin/board"] = {"parent": above, "max_power_w": 6000, **share(rng)}
    if rng.random() < 0.6:
        found["plant/lift"] = {"parent": "supply", "max_power_w": 9000, **share(rng),
                               **serves(rng, halls, 0.6)}
    return found


def serves(rng: Random, halls: list[str], chance: float) -> Document:
    """Some zones that a node names, or nothing."""
    if rng.random() >= chance:
        return {}
    return {"serves": rng.sample([*halls, "cabin"], rng.randint(1, len(halls)))}


def _room(rng: Random) -> Document:
    """The board of one meeting room, or of both."""
    rule = rng.choice(("seats", "consumption", "area", "equal", "occupancy", "operator", "fixed"))
    return {"parent": "supply", "max_power_w": 6000, "share": "bookings", "otherwise": rule,
            **({"weights": weights(rng)} if rule == "fixed" else {}),
            **({"vacant": "excluded"} if rng.random() < 0.2 else {}),
            **({"serves": ["conf-1", "conf-2"]} if rng.random() < 0.3 else {})}


def leases(rng: Random, zones: Document, start: date, zone: str) -> list[Document]:
    """Halls leased whole, or seat by seat; the cabin leased or not."""
    found: list[Document] = []
    first = (start - timedelta(days=5)).isoformat()
    if rng.random() < 0.6:
        found.append({"tenant": rng.choice(TENANTS), "zones": ["cabin"], "from": first,
                      **({"to": _instant(rng, start, zone)} if rng.random() < 0.4 else {})})
    for name, spec in zones.items():
        seats = spec.get("seats", [])
        seats = [f"{k:03d}" for k in range(1, seats + 1)] if isinstance(seats, int) else seats
        if seats and rng.random() < 0.2:
            whole = rng.choice(({"zones": [name]}, {"seats": [name]}))
            found += [{**lease, **whole} for lease in _terms(rng, start, zone)]
            continue
        for seat in seats:
            found += _seat(rng, f"{name}/{seat}", start, zone)
    return found


def _instant(rng: Random, start: date, zone: str) -> str:
    at = datetime(start.year, start.month, start.day, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    at += timedelta(seconds=rng.randint(0, 170_000))
    return at.astimezone(ZoneInfo(zone)).isoformat()


def _seat(rng: Random, seat: str, start: date, zone: str) -> list[Document]:
    """The leases of one seat."""
    return [{**lease, "seats": [seat]} for lease in _terms(rng, start, zone)]


def _terms(rng: Random, start: date, zone: str) -> list[Document]:
    """Vacant, one holder, a change of holder by date or instant, two shifts, or shifts cut."""
    first, change = (start - timedelta(days=5)).isoformat(), (start + timedelta(1)).isoformat()
    a, b = rng.sample(TENANTS, 2)
    kind = rng.randrange(6)
    day = {"days": rng.choice(("mon-sun", "mon-fri")), "start": "09:00", "end": "18:10"}
    night = {"days": rng.choice(("mon-sat", "fri-sun")), "start": "20:00", "end": "05:20"}
    if kind == 0:
        return []
    if kind == 1:
        return [{"tenant": a, "from": first}]
    if kind in (2, 3):
        change = change if kind == 2 else _instant(rng, start, zone)
        return [{"tenant": a, "from": first, "to": change},
                {"tenant": b, "from": change}]
    if kind == 4:
        return [{"tenant": a, "from": first, "shift": day},
                {"tenant": b, "from": first, "shift": night}]
    cut = rng.choice((change, _instant(rng, start, zone)))
    return [{"tenant": a, "from": first, "to": cut, "shift": night},
            {"tenant": b, "from": cut, "shift": night}]


def bookings(rng: Random, zone: str, day: tuple[int, int, int]) -> list[Document]:
    """Meetings in both rooms."""
    return _meetings(rng, zone, day, "conf-1") + _meetings(rng, zone, day, "conf-2")


def _meetings(rng: Random, zone: str, day: tuple[int, int, int], room: str) -> list[Document]:
    """Up to four that do not overlap, not on the grid."""
    at = datetime(*day, 6, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = []
    for _ in range(rng.randint(0, 4)):
        at += timedelta(minutes=rng.randint(5, 400))
        end = at + timedelta(minutes=rng.randint(20, 150))
        # Arithmetic in UTC: a local clock may go back between the two.
        found.append({"tenant": rng.choice(TENANTS), "zone": room,
                      "from": at.astimezone(ZoneInfo(zone)).isoformat(),
                      "to": end.astimezone(ZoneInfo(zone)).isoformat()})
        at = end
    return found

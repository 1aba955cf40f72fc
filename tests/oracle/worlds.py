"""Random small sites with faults: a site document and a recording, from a seed alone."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

ZONES = ("Asia/Karachi", "Europe/Amsterdam", "Asia/Kolkata")
STARTS = {"Asia/Karachi": (2026, 1, 17), "Europe/Amsterdam": (2026, 3, 28),
          "Asia/Kolkata": (2026, 10, 24)}
RULES = ("consumption", "seats", "occupancy", "equal", "fixed", "operator")
TENANTS = ("alpha", "beta", "gamma", "delta")
Message = dict[str, Any]


def share(rng: Random) -> dict[str, Any]:
    """A share rule with whatever it needs."""
    rule = rng.choice(RULES)
    if rule == "fixed":
        return {"share": rule, "weights": {t: rng.randint(1, 9) for t in rng.sample(TENANTS, 2)}}
    if rule == "seats" and rng.random() < 0.4:
        return {"share": rule, "vacant": "excluded"}
    return {"share": rule}


def document(rng: Random) -> dict[str, Any]:
    """A site: two to four halls, a conference room, plant, one to three sources."""
    zone = rng.choice(ZONES)
    halls = [f"hall-{c}" for c in "abcd"[:rng.randint(1, 4)]]
    zones: dict[str, Any] = {h: {"kind": "hall", "area_m2": rng.randint(40, 200),
                                 "seats": rng.randint(1, 5)} for h in halls}
    zones["conf-1"] = {"kind": "conference", "area_m2": rng.randint(10, 60)}
    zones["plant"] = {"kind": "plant"}
    meters: dict[str, Any] = {"plant/grid": {"source": "grid", "max_power_w": 60000,
                                             "register_modulus_wh": 10_000_000}}
    for source in rng.sample(("generator", "solar"), rng.randint(0, 2)):
        meters[f"plant/{source}"] = {"source": source, "max_power_w": 60000}
    # One more level in half of the worlds: halls hang below a floor, metered or not.
    above = "supply"
    if rng.random() < 0.5:
        above = "plant/floor"
        meters[above] = {"parent": "supply", **share(rng), "max_power_w": 60000,
                         **({"metered": False} if rng.random() < 0.4 else {})}
    for hall in halls:
        meters[f"{hall}/board"] = {"parent": above, "max_power_w": 20000, **share(rng)}
    meters["conf-1/board"] = {"parent": "supply", "max_power_w": 6000, "share": "bookings",
                              "otherwise": rng.choice(("seats", "consumption", "operator"))}
    if rng.random() < 0.6:
        meters["plant/lift"] = {"parent": "supply", "max_power_w": 9000, **share(rng)}
    return {"site": "world", "name": "World", "time_zone": zone, "currency": "PKR",
            "interval": f"{rng.choice((15, 30, 60))}min", "max_gap": "15min",
            "bands": {"peak": [{"months": "jan-dec", "from": "18:00", "to": "22:00"}],
                      "night": [{"months": "jan-dec", "from": "23:00", "to": "05:00"}]},
            "zones": zones, "meters": meters,
            "seat_meters": {"parent": "{zone}/board", "max_power_w": 2300},
            "unaccounted": {**share(rng), "alarm_pct": 50}, "exchanges": [],
            "tenants": {t: {"name": t.title()} for t in TENANTS},
            "leases": leases(rng, zones, date(*STARTS[zone])),
            "bookings": bookings(rng, zone)}


def leases(rng: Random, zones: dict[str, Any], start: date) -> list[dict[str, Any]]:
    """For each seat: vacant, one holder, a change of holder, or two shifts."""
    found: list[dict[str, Any]] = []
    first = (start - timedelta(days=5)).isoformat()
    change = (start + timedelta(days=1)).isoformat()
    for zone, spec in zones.items():
        for seat in range(1, spec.get("seats", 0) + 1):
            seats = [f"{zone}/{seat:03d}"]
            a, b = rng.sample(TENANTS, 2)
            kind = rng.randrange(4)
            if kind == 1:
                found.append({"tenant": a, "seats": seats, "from": first})
            elif kind == 2:
                found += [{"tenant": a, "seats": seats, "from": first, "to": change},
                          {"tenant": b, "seats": seats, "from": change}]
            elif kind == 3:
                found += [{"tenant": a, "seats": seats, "from": first,
                           "shift": {"days": "mon-sun", "start": "09:00", "end": "18:10"}},
                          {"tenant": b, "seats": seats, "from": first,
                           "shift": {"days": "mon-sat", "start": "20:00", "end": "05:20"}}]
    return found


def bookings(rng: Random, zone: str) -> list[dict[str, Any]]:
    """Up to four meetings that do not overlap, not on the grid."""
    at = datetime(*STARTS[zone], 6, tzinfo=ZoneInfo(zone)).astimezone(UTC)
    found = []
    for _ in range(rng.randint(0, 4)):
        at += timedelta(minutes=rng.randint(5, 400))
        end = at + timedelta(minutes=rng.randint(20, 150))
        # Arithmetic in UTC: a local clock may go back between the two.
        found.append({"tenant": rng.choice(TENANTS), "zone": "conf-1",
                      "from": at.astimezone(ZoneInfo(zone)).isoformat(),
                      "to": end.astimezone(ZoneInfo(zone)).isoformat()})
        at = end
    return found


class World:
    """A seeded site, its messages, and the period to apportion."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.document = document(self.rng)
        self.zone = ZoneInfo(self.document["time_zone"])
        self.start = datetime(*STARTS[self.document["time_zone"]], tzinfo=self.zone)
        self.end = self.start + timedelta(days=2)
        self.messages = list(self._messages())
        self.rng.shuffle(self.messages)

    def _power(self) -> Iterator[tuple[str, float, bool]]:
        """(device, mean W, is a seat) for everything that has a register."""
        meters, seats, total = self.document["meters"], {}, 0.0
        for zone, spec in self.document["zones"].items():
            for seat in range(1, spec.get("seats", 0) + 1):
                seats[f"seat/{zone}/{seat:03d}"] = self.rng.uniform(20, 200)
        for device, watts in seats.items():
            yield device, watts, True
        for name, spec in meters.items():
            if "source" in spec or name == "plant/floor":
                continue
            below = sum(w for d, w in seats.items() if d.split("/")[1] == name.split("/")[0])
            own = below + self.rng.uniform(-20, 300)
            total += own
            if spec.get("metered", True):
                yield f"meter/{name}", max(own, 1), False
        sources = [n for n, s in meters.items() if "source" in s]
        if "plant/floor" in meters and meters["plant/floor"].get("metered", True):
            yield "meter/plant/floor", total * self.rng.uniform(0.6, 0.9), False
        for name in sources:
            yield f"meter/{name}", total * self.rng.uniform(1.0, 1.1) / len(sources), False

    def _messages(self) -> Iterator[Message]:
        for device, watts, is_seat in self._power():
            register = float(self.rng.randint(0, 60_000))
            if device == "meter/plant/grid" and self.rng.random() < 0.5:
                register = 10_000_000 - self.rng.randint(10, 5000)
            yield from self._series(device, watts, register, is_seat)

    def _series(self, device: str, watts: float, register: float, is_seat: bool
                ) -> Iterator[Message]:
        rng, step = self.rng, self.rng.choice((60, 300, 300, 420))
        at = self.start.timestamp() - 3600 + rng.randint(0, 59)
        gap_at, gap_s = self.start.timestamp() + rng.randint(0, 170_000), rng.choice((0, 0, 9000))
        occupied = rng.random() < 0.5
        while at < self.end.timestamp() + 3600:
            if not gap_at <= at < gap_at + gap_s:
                yield from self._reading(device, at, register, is_seat, occupied)
            occupied ^= rng.random() < 0.05
            register += watts * rng.choice((0, 0.7, 1, 1.4)) * step / 3600
            register = self._fault(device, at, register, is_seat)
            at += step

    def _fault(self, device: str, at: float, register: float, is_seat: bool) -> float:
        chance = self.rng.random()
        if is_seat and chance < 0.001:
            return 0.0
        if is_seat and chance < 0.0015:
            when = datetime.fromtimestamp(at + 30, self.zone)
            self.document["exchanges"].append({
                "meter": device, "at": when.isoformat(), "final_wh": round(register + 0.2, 3),
                "initial_wh": 1500})
            return 1500.5
        modulus = self.document["meters"].get(device.removeprefix("meter/"), {}).get(
            "register_modulus_wh")
        return register - modulus if modulus and register >= modulus else register

    def _reading(self, device: str, at: float, register: float, is_seat: bool, occupied: bool
                 ) -> Iterator[Message]:
        rng, shown = self.rng, register
        chance = rng.random()
        if chance < 0.002:
            shown = register * 10 + 1000
        elif chance < 0.004:
            shown = 0.0
        quantity = "energy" if is_seat else "energy_import"
        records = [{"bt": at, "n": quantity, "u": "Wh", "v": round(shown, 3)}]
        if is_seat:
            records.append({"n": "occupied", "vb": occupied})
        late = rng.choice((1, 1, 1, 9000))
        message = {"received_at": datetime.fromtimestamp(at + late, self.zone).isoformat(),
                   "topic": f"seatwatt/v1/world/{device}", "payload": records}
        yield message
        if rng.random() < 0.02:
            yield message

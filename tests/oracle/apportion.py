"""Energy to tenants, interval by interval, in plain dictionaries. Imports nothing of Seatwatt."""

import gzip
import json
from collections import defaultdict
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml

from tests.oracle.metering import Energy, energies, read, split

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
SOURCES = ("grid", "generator", "solar")
OCCUPIED_FOR_MS = 86_400_000
"""How long a report of presence is believed when no other follows."""
Weights = dict[str, int]


def ms(when: datetime) -> int:
    return round(when.timestamp() * 1000)


def instant(value: Any, zone: ZoneInfo) -> int:
    if isinstance(value, str):
        value = datetime.fromisoformat(value)
        if value.tzinfo is None:
            value = value.date()
    if isinstance(value, datetime):
        return ms(value)
    return ms(datetime.combine(value, time(), tzinfo=zone))


def clock(value: Any) -> time:
    if isinstance(value, int):
        return time(value // 60, value % 60)
    return time.fromisoformat(str(value).zfill(5))


def named(text: Any, names: tuple[str, ...]) -> set[int]:
    """`dec-feb`, `mon,wed`, a list: the indices."""
    if text is None:
        return set(range(len(names)))
    result: set[int] = set()
    for part in text if isinstance(text, list) else str(text).split(","):
        first, _, last = part.strip().partition("-")
        a, b = names.index(first), names.index(last or first)
        result |= {(a + k) % len(names) for k in range((b - a) % len(names) + 1)}
    return result


def signed_split(amount: int, weights: Weights) -> Weights:
    """Largest remainders where weights may be negative: floors, then the largest fractions. What
    is taken back is split as it was given."""
    total = sum(weights.values())
    if amount < 0:
        return {party: -part for party, part in signed_split(-amount, weights).items()}
    if total < 0:
        return signed_split(amount, {party: -w for party, w in weights.items()})
    quotas = {p: Fraction(amount * w, total) for p, w in weights.items()}
    parts = {p: q.numerator // q.denominator for p, q in quotas.items()}
    order = sorted(quotas, key=lambda p: (parts[p] - quotas[p], p == "operator", p))
    for party in order[:amount - sum(parts.values())]:
        parts[party] += 1
    return parts


class Plant:
    """A site file, read plainly."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.doc = document
        self.zone = ZoneInfo(document["time_zone"])
        self.interval = int(str(document.get("interval", "30min")).removesuffix("min")) * 60_000
        self.max_gap = int(str(document.get("max_gap", "15min")).removesuffix("min")) * 60_000
        self.seats = {z: self._seats(v) for z, v in document["zones"].items()}
        self.nodes = {k if k.count("/") == 2 else f"meter/{k}": v or {}
                      for k, v in document["meters"].items()}
        self.exchanges: dict[str, list[tuple[int, int, int]]] = defaultdict(list)

    @staticmethod
    def _seats(zone: dict[str, Any]) -> list[str]:
        seats = zone.get("seats", [])
        return [f"{k:03d}" for k in range(1, seats + 1)] if isinstance(seats, int) else seats

    def spec(self, device: str) -> dict[str, Any]:
        """What the site file says of a register's device."""
        if device.startswith("seat/"):
            return self.doc.get("seat_meters") or {}
        return self.nodes.get(device) or {}

    def parent(self, node: str) -> str | None:
        """The parent's device; None for the supply."""
        if node.startswith("seat/"):
            zone = node.split("/")[1]
            text = self.doc["seat_meters"]["parent"].replace("{zone}", zone)
        else:
            text = self.nodes[node].get("parent", "supply")
        return None if text == "supply" else text if text.count("/") == 2 else f"meter/{text}"

    def leased(self, lease: dict[str, Any]) -> list[tuple[str, str]]:
        found = [(z, s) for z in lease.get("zones", []) for s in self.seats[z]]
        for text in lease.get("seats", []):
            zone, _, names = text.partition("/")
            if not names:
                found += [(zone, s) for s in self.seats[zone]]
            elif "-" in names and names not in self.seats[zone]:
                first, last = names.split("-")
                found += [(zone, s) for s in self.seats[zone]
                          if first <= s <= last and len(s) == len(first)]
            else:
                found.append((zone, names))
        return found

    def rooms(self, lease: dict[str, Any]) -> list[str]:
        """Zones without seats that the lease takes whole."""
        whole = lease.get("zones", []) + [t for t in lease.get("seats", []) if "/" not in t]
        return [z for z in whole if not self.seats[z]]

    def spells(self, lease: dict[str, Any], start: int, end: int) -> list[tuple[int, int]]:
        """When the lease holds, within [start, end), in ms."""
        since = instant(lease["from"], self.zone)
        until = instant(lease["to"], self.zone) if lease.get("to") else end
        shift = lease.get("shift")
        if not shift:
            return [(max(since, start), min(until, end))]
        spells, days = [], named(shift.get("days"), DAYS)
        begin, finish = clock(shift["start"]), clock(shift["end"])
        day = datetime.fromtimestamp(start / 1000, self.zone).date() - timedelta(days=2)
        while instant(day, self.zone) < end:
            last = day + timedelta(days=1) if finish <= begin else day
            a = ms(datetime.combine(day, begin, tzinfo=self.zone))
            b = ms(datetime.combine(last, finish, tzinfo=self.zone))
            if day.weekday() in days:
                spells.append((max(a, since, start), min(b, until, end)))
            day += timedelta(days=1)
        return spells


def overlap(spells: list[tuple[int, int]], a: int, b: int) -> int:
    return sum(max(0, min(e, b) - max(s, a)) for s, e in spells)


class Run:
    """One apportionment."""

    def __init__(self, plant: Plant, messages: list[dict[str, Any]], start: Any, end: Any) -> None:
        self.plant = plant
        self.boundaries = self._grid(instant(start, plant.zone), instant(end, plant.zone))
        day = 86_400_000
        self.around = sorted({*self._grid(self.boundaries[0] - day, self.boundaries[-1] + day),
                              *self.boundaries} - {self.boundaries[-1] + day})
        self.registers: dict[tuple[str, str], list[tuple[int, int, int]]] = defaultdict(list)
        self.occupied: dict[str, list[tuple[int, int, bool]]] = defaultdict(list)
        self._read(messages)
        for e in plant.doc.get("exchanges") or []:
            meter = e["meter"] if e["meter"].count("/") == 2 else f"meter/{e['meter']}"
            plant.exchanges[meter].append((instant(e["at"], plant.zone),
                                           self._milliwh(meter, e["final_wh"]),
                                           self._milliwh(meter, e["initial_wh"])))
        self.accepted: dict[str, frozenset[int]] = {}
        for a in plant.doc.get("acceptances") or []:
            meter = a["meter"] if a["meter"].count("/") == 2 else f"meter/{a['meter']}"
            self.accepted[meter] = self.accepted.get(meter, frozenset()) | {
                instant(a["at"], plant.zone)}
        self.meters: dict[str, Energy] = {}
        self.present: dict[tuple[str, str], list[tuple[int, int]]] = {}
        self._hold()
        self._meter_all()

    def _grid(self, first: int, last: int) -> list[int]:
        zone, step = self.plant.zone, self.plant.interval
        grid: list[int] = []
        day = datetime.fromtimestamp(first / 1000, zone).date()
        while instant(day, zone) < last:
            grid += list(range(instant(day, zone), instant(day + timedelta(1), zone), step))
            day += timedelta(days=1)
        return [b for b in grid if first <= b < last] + [last]

    def _read(self, messages: list[dict[str, Any]]) -> None:
        for order, message in enumerate(messages):
            device = "/".join(message["topic"].split("/")[3:])
            received = ms(datetime.fromisoformat(message["received_at"])) * 10_000_000 + order
            base: dict[str, Any] = {"bn": "", "bt": 0.0, "bu": ""}
            for record in message["payload"]:
                base |= {k: v for k, v in record.items() if k in base}
                name = base["bn"] + record.get("n", "")
                taken = round((base["bt"] + record.get("t", 0)) * 1000)
                if device.startswith("pack/") or "/" in name:
                    device, name = name.rsplit("/", 1)
                unit = record.get("u", base["bu"])
                if name in ("energy", "energy_import", "energy_export"):
                    self.registers[device, name].append(
                        (taken, received, self._milliwh(device, record["v"], unit)))
                elif name == "occupied":
                    self.occupied[device].append((taken, received, record["vb"]))

    def _milliwh(self, device: str, value: float, unit: str = "Wh") -> int:
        """round(value x multiplier x 1000) of the value in Wh, in which it is stored."""
        value_wh = value * 1000 if unit == "kWh" else value
        multiplier = Decimal(str(self.plant.spec(device).get("multiplier", 1)))
        return round(Decimal(str(value_wh)) * multiplier * 1000)

    def _hold(self) -> None:
        """held[seat][interval][party] in ms, the rest is the operator's."""
        plant, grid = self.plant, self.boundaries
        self.spells: dict[tuple[str, str], list[tuple[str, int, int]]] = {
            (z, s): [] for z in plant.seats for s in plant.seats[z]}
        # A room that a lease takes whole can be let: a place like a seat, vacant or not.
        self.spells |= {(room, ""): [] for lease in plant.doc.get("leases") or []
                        for room in plant.rooms(lease)}
        for lease in plant.doc.get("leases") or []:
            for a, b in plant.spells(lease, grid[0], grid[-1]):
                for seat in plant.leased(lease):
                    if b > a:
                        self.spells[seat].append((lease["tenant"], a, b))
                for room in plant.rooms(lease):
                    self.spells[room, ""] += [(lease["tenant"], a, b)] if b > a else []

    def held(self, seat: tuple[str, str], a: int, b: int) -> Weights:
        """Held time by tenant, the rest the operator's. A room leased whole is (zone, "")."""
        weights: Weights = defaultdict(int)
        for tenant, s, e in self.spells[seat]:
            if e > a and s < b:
                weights[tenant] += min(e, b) - max(s, a)
        free = b - a - sum(weights.values())
        if free:
            weights["operator"] = free
        return weights

    def _one(self, device: str, quantity: str, spec: dict[str, Any], shape: Any) -> Energy:
        modulus = spec.get("register_modulus_wh")
        exchanges = self.plant.exchanges[device] if quantity != "energy_export" else []
        factor = Fraction(str(spec.get("multiplier", 1)))
        meter = read(self.registers[device, quantity], exchanges, spec.get("max_power_w"),
                     round(Fraction(str(modulus)) * factor * 1000) if modulus else None,
                     self.accepted.get(device, frozenset()))
        return energies(meter, self.boundaries, self.around, self.plant.max_gap, shape)

    def _meter_all(self) -> None:
        plant, n = self.plant, len(self.boundaries) - 1
        sources = {d: s for d, s in plant.nodes.items() if s.get("source")}
        self.by_source: dict[str, list[int]] = {
            s: [0] * n for s in SOURCES if s in [spec["source"] for spec in sources.values()]}
        self.exports: dict[str, Energy] = {}
        for device, spec in sources.items():
            net = self._one(device, "energy_import", spec, None)
            self.meters[device] = net
            energy = list(net.energy)
            if (device, "energy_export") in self.registers:
                export = self._one(device, "energy_export", spec, None)
                self.exports[device] = export
                # Without one of the two registers the net is unknown: missing, and 0.
                known = ["missing" not in pair for pair in zip(
                    net.quality, export.quality, strict=True)]
                energy = [(a - b) * ok for a, b, ok in zip(
                    energy, export.energy, known, strict=True)]
            total = self.by_source.setdefault(spec["source"], [0] * n)
            self.by_source[spec["source"]] = [a + b for a, b in zip(total, energy, strict=True)]
        self.supply = [sum(s[k] for s in self.by_source.values()) for k in range(n)]

        def supply_shape(a: int, b: int) -> int | None:
            parts = [self.meters[d].between(a, b) for d in sources]
            fed_in = [e.between(a, b) for e in self.exports.values()]
            if None in parts or None in fed_in:
                return None
            return sum(p for p in parts if p) - sum(p for p in fed_in if p)

        known = {f"seat/{z}/{s}" for z, seats in plant.seats.items() for s in seats}
        seats = [d for d, q in self.registers if d in known and q == "energy"
                 and plant.doc.get("seat_meters")]
        waiting = [d for d in plant.nodes if d not in sources] + seats
        while waiting:
            for device in list(waiting):
                above = plant.parent(device)
                while above and plant.nodes[above].get("metered", True) is False:
                    above = plant.parent(above)
                if above and above not in self.meters:
                    continue
                waiting.remove(device)
                spec = plant.nodes.get(device) or plant.doc.get("seat_meters") or {}
                if spec.get("metered", True) is False:
                    continue
                shape = self.meters[above].between if above else supply_shape
                quantity = "energy" if device.startswith("seat/") else "energy_import"
                self.meters[device] = self._one(device, quantity, spec, shape)
        self.children: dict[str | None, list[str]] = defaultdict(list)
        for device in [d for d in plant.nodes if d not in sources] + sorted(seats):
            self.children[plant.parent(device)].append(device)

    def serves(self, node: str | None) -> set[str]:
        if node is None:
            return set()
        if self.plant.nodes.get(node, {}).get("serves"):
            zones = set(self.plant.nodes[node]["serves"])
        else:
            zones = {node.split("/")[1]}
        for child in self.children[node]:
            zones |= self.serves(child)
        return zones

    def seats_of(self, node: str | None, by_area: bool = False) -> list[tuple[str, str]]:
        """The places that share: seats, by area also rooms leased whole; such rooms alone where
        the zones have no seats; the whole site's seats where there is neither."""
        zones = self.serves(node) & set(self.plant.seats)
        seats = [(z, s) for z in sorted(zones) for s in self.plant.seats[z]]
        rooms = [(z, "") for z in sorted(zones) if (z, "") in self.spells]
        if not seats and not rooms:
            zones = set(self.plant.seats)
            seats = [(z, s) for z in sorted(zones) for s in self.plant.seats[z]]
            rooms = [(z, "") for z in sorted(zones) if (z, "") in self.spells]
            return seats + rooms if by_area else seats
        return seats + rooms if by_area else seats or rooms

    def metered_below(self, node: str | None) -> list[str]:
        found = []
        for child in self.children[node]:
            found += [child] if child in self.meters else self.metered_below(child)
        return found

    def seat_weights(self, node: str | None, k: int, vacant: bool = True) -> Weights:
        weights: Weights = defaultdict(int)
        for seat in self.seats_of(node):
            for party, held in self.held(seat, *self.boundaries[k:k + 2]).items():
                weights[party] += held
        if not vacant:
            weights.pop("operator", None)
        return weights

    def presence(self, seat: tuple[str, str]) -> list[tuple[int, int]]:
        if seat not in self.present:
            self.present[seat] = self.occupied_spells(seat)
        return self.present[seat]

    def occupied_spells(self, seat: tuple[str, str]) -> list[tuple[int, int]]:
        reports = sorted(self.occupied[f"seat/{seat[0]}/{seat[1]}"], key=lambda r: r[1])
        latest = {taken: state for taken, _, state in reports}
        times = sorted(latest)
        ends = [*times[1:], 1 << 62] if times else []
        return [(t, min(e, t + OCCUPIED_FOR_MS))
                for t, e in zip(times, ends, strict=True) if latest[t]]

    def area_weights(self, node: str | None, k: int) -> dict[str, Any]:
        """Held time times the place's area; a seat has its part of its zone's area."""
        found: dict[str, Fraction] = defaultdict(Fraction)
        for place in self.seats_of(node, by_area=True):
            area = Fraction(str(self.plant.doc["zones"][place[0]].get("area_m2") or 0))
            for party, held in self.held(place, *self.boundaries[k:k + 2]).items():
                found[party] += held * area / (len(self.plant.seats[place[0]]) or 1)
        return found

    def weights(self, rule: str, node: str | None, k: int, carried: Weights) -> dict[str, Any]:
        spec = self.plant.nodes.get(node or "", self.plant.doc.get("unaccounted", {}))
        a, b = self.boundaries[k:k + 2]
        if rule == "consumption":
            return {p: w for p, w in carried.items() if w > 0}
        if rule == "seats":
            return self.seat_weights(node, k, spec.get("vacant") != "excluded")
        if rule == "equal":
            return {p: 1 for p in self.seat_weights(node, k) if p != "operator"}
        if rule == "fixed":
            return dict(spec["weights"])
        if rule == "area":
            return self.area_weights(node, k)
        weights: Weights = defaultdict(int)
        if rule == "occupancy":
            for seat in self.seats_of(node):
                for s, e in self.presence(seat):
                    if e > a and s < b:
                        for party, held in self.held(seat, max(s, a), min(e, b)).items():
                            weights[party] += held
            weights.pop("operator", None)
        return weights

    def share(self, amount: int, rule: str, node: str | None, k: int, carried: Weights) -> Weights:
        if rule == "operator":
            return {"operator": amount}
        if rule == "bookings" and node:
            return self.share_booked(amount, node, k, carried)
        for attempt in (rule, "seats"):
            weights = {p: w for p, w in self.weights(attempt, node, k, carried).items() if w}
            if weights:
                return split(amount, weights)
        return {"operator": amount}

    def share_booked(self, amount: int, node: str, k: int, carried: Weights) -> Weights:
        a, b = self.boundaries[k:k + 2]
        rooms = self.plant.nodes[node].get("serves") or [node.split("/")[1]]
        booked: Weights = defaultdict(int)
        for booking in self.plant.doc.get("bookings") or []:
            spell = [(instant(booking["from"], self.plant.zone),
                      instant(booking["to"], self.plant.zone))]
            if booking["zone"] in rooms and overlap(spell, a, b):
                booked[booking["tenant"]] += overlap(spell, a, b)
        free = (b - a) * len(rooms) - sum(booked.values())
        parts = split(amount, {**booked, **({"~free": free} if free else {})})
        rest = parts.pop("~free", 0)
        otherwise = self.plant.nodes[node].get("otherwise", "operator")
        for party, part in self.share(rest, otherwise, node, k, carried).items():
            parts[party] = parts.get(party, 0) + part
        return parts

    def carry(self, node: str | None, k: int, book: dict[str, dict[str, int]]) -> Weights:
        """What each party carries below and at `node` in interval k; `book` collects it."""
        carried: Weights = defaultdict(int)
        for child in self.children[node]:
            if child.startswith("seat/"):
                parts = split(self.meters[child].energy[k],
                              self.held((child.split("/")[1], child.split("/")[2]),
                                        *self.boundaries[k:k + 2]))
                for party, part in parts.items():
                    book["direct_wh"][party] += part
                    if self.meters[child].quality[k] == "estimated":
                        book["estimated_wh"][party] += part
            else:
                parts = self.carry(child, k, book)
            for party, part in parts.items():
                carried[party] += part
        own = self.supply[k] if node is None else (
            self.meters[node].energy[k] if node in self.meters else None)
        if own is None:
            return carried
        residual = own - sum(self.meters[d].energy[k] for d in self.metered_below(node))
        self.residuals[node or "supply"][k] = residual
        spec = self.plant.doc.get("unaccounted", {}) if node is None else self.plant.nodes[node]
        for party, part in self.share(residual, spec.get("share", "consumption"), node, k,
                                      carried).items():
            carried[party] += part
            book["unaccounted_wh" if node is None else "shared_wh"][party] += part
        return carried

    def band(self, at: int) -> str:
        """The band; months and weekdays are those of the day on which its hours begin."""
        local = datetime.fromtimestamp(at / 1000, self.plant.zone)
        for name, rules in (self.plant.doc.get("bands") or {}).items():
            for rule in rules:
                a, b, now = clock(rule["from"]), clock(rule["to"]), local.time()
                day = local.date() - timedelta(days=1 if b <= a and now < b else 0)
                inside = a <= now < b if a < b else now >= a or now < b
                if (inside and day.month - 1 in named(rule.get("months"), MONTHS)
                        and day.weekday() in named(rule.get("days"), DAYS)):
                    return str(name)
        return "offpeak"

    def by_source_of(self, carried: Weights, k: int) -> dict[str, Weights]:
        """Each source in turn, in proportion to what the parties have left; the last the rest."""
        left, found = dict(carried), {}
        for at, source in enumerate(self.by_source):
            amount, total = self.by_source[source][k], sum(left.values())
            if at == len(self.by_source) - 1:
                parts = dict(left)
            elif total:
                parts = signed_split(amount, left)
            else:
                parts = {"operator": amount}
            for party, part in parts.items():
                left[party] = left.get(party, 0) - part
            found[source] = parts
        return found

    def told_negative(self) -> set[str]:
        """Nodes whose children read more: in an interval, or a storage node over a day (B01)."""
        found = set()
        for node, residuals in self.residuals.items():
            days: Weights = defaultdict(int)
            for k, amount in residuals.items():
                day = datetime.fromtimestamp(self.boundaries[k] / 1000, self.plant.zone).date()
                days[str(day)] += amount
            storage = self.plant.nodes.get(node, {}).get("storage")
            if any(v < 0 for v in (days if storage else residuals).values()):
                found.add(node)
        return found

    def result(self) -> dict[str, Any]:
        """Milliwatt-hours: {party: {energy_wh, direct_wh, ..., by: {source: {band: ...}}}}."""
        book: dict[str, dict[str, int]] = {key: defaultdict(int) for key in (
            "direct_wh", "shared_wh", "unaccounted_wh", "estimated_wh")}
        self.residuals: dict[str, dict[int, int]] = defaultdict(dict)
        energy: Weights = defaultdict(int)
        by: dict[str, Any] = defaultdict(lambda: defaultdict(lambda: defaultdict(int)))
        for k, at in enumerate(self.boundaries[:-1]):
            carried = self.carry(None, k, book)
            if sum(carried.values()) != self.supply[k]:
                raise AssertionError(f"interval {k} does not balance")
            band = self.band(at)
            for party, part in carried.items():
                energy[party] += part
            for source, parts in self.by_source_of(carried, k).items():
                for party, part in parts.items():
                    by[party][source][band] += part
        return {party: {"energy_wh": energy[party], "by": by[party],
                        **{key: book[key][party] for key in book}} for party in sorted(energy)}


def load(folder: Path) -> tuple[Plant, list[dict[str, Any]]]:
    """A folder with site.yaml and readings.ndjson.gz."""
    document = yaml.safe_load((folder / "site.yaml").read_text())
    with gzip.open(folder / "readings.ndjson.gz", "rt") as lines:
        return Plant(document), [json.loads(line) for line in lines]


def days(expected: dict[str, Any]) -> tuple[date, date]:
    return date.fromisoformat(expected["from"]), date.fromisoformat(expected["to"])

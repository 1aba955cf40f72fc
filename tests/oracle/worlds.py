"""Random small sites with faults: a site document and a recording, from a seed alone."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zlib import crc32
from zoneinfo import ZoneInfo

from tests.oracle.sites import site

Message = dict[str, Any]


class World:
    """A seeded site, its messages, and the period [start, end) to apportion, in ms."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(seed)
        self.document, day = site(self.rng)
        self.zone = ZoneInfo(self.document["time_zone"])
        first = datetime(day.year, day.month, day.day, tzinfo=self.zone)
        # Not always a whole local day: any instant on the grid may begin a period.
        first += timedelta(hours=self.rng.choice((0, 0, 0, 5)))
        last = first + timedelta(days=self.rng.choice((1, 2, 2)))
        self.start, self.end = first.isoformat(), last.isoformat()
        self._from, self._to = first.timestamp(), last.timestamp()
        self.messages = list(self._messages())
        self.rng.shuffle(self.messages)
        nodes = list(self.document["meters"].items())
        self.rng.shuffle(nodes)     # a parent may stand below its children
        self.document["meters"] = dict(nodes)

    def local(self, at_ms: int) -> datetime:
        """An instant in the site's time zone, to the millisecond."""
        whole_s, rest_ms = divmod(at_ms, 1000)
        return datetime.fromtimestamp(whole_s, self.zone).replace(microsecond=rest_ms * 1000)

    def spec(self, device: str) -> dict[str, Any]:
        """What the document says of a device's register."""
        if device.startswith("seat/"):
            return dict(self.document["seat_meters"])
        return dict(self.document["meters"][device.removeprefix("meter/")])

    def _seats(self) -> dict[str, float]:
        """Mean watts of every seat that reports; some do not."""
        found = {}
        for zone, spec in self.document["zones"].items():
            seats = spec.get("seats", [])
            if isinstance(seats, int):
                seats = [f"{k:03d}" for k in range(1, seats + 1)]
            found |= {f"seat/{zone}/{seat}": self.rng.uniform(20, 200) for seat in seats
                      if self.rng.random() < 0.93}
        return found

    def _power(self) -> Iterator[tuple[str, str, float]]:
        """(device, quantity, mean W) for everything that has a register."""
        meters, seats, own = self.document["meters"], self._seats(), {}
        for device, watts in seats.items():
            yield device, "energy", watts
        # From the leaves up: what a node reads is what hangs below it, and a little more.
        for name in reversed(list(meters)):
            spec = meters[name]
            if "source" in spec:
                continue
            below = sum(w for d, w in seats.items() if self.document["seat_meters"][
                "parent"].replace("{zone}", d.split("/")[1]) == name)
            below += sum(own[n] for n in own if meters[n].get("parent") == name)
            own[name] = below + (self.rng.uniform(-20, 300) if spec.get("metered", True) else 0)
            if spec.get("metered", True):
                yield f"meter/{name}", "energy_import", max(own[name], 1)
        total = sum(w for n, w in own.items() if meters[n]["parent"] == "supply")
        sources = [n for n, s in meters.items() if "source" in s]
        for name in sources:
            part = total * self.rng.uniform(1.0, 1.1) / len(sources)
            yield f"meter/{name}", "energy_import", part
            if meters[name]["source"] == "grid" and self.rng.random() < 0.3:
                yield f"meter/{name}", "energy_export", part * self.rng.choice((0.3, 1.5))

    def _messages(self) -> Iterator[Message]:
        for device, quantity, watts in self._power():
            register = float(self.rng.randint(0, 60_000))
            modulus = self.spec(device).get("register_modulus_wh")
            if quantity != "energy_export" and modulus:
                register = modulus - self.rng.choice((modulus * 0.9, self.rng.randint(10, 5000)))
            yield from self._series(device, quantity, watts, register)

    def _series(self, device: str, quantity: str, watts: float, register: float
                ) -> Iterator[Message]:
        """One register over time; `register` counts what the device shows, before a CT."""
        rng, step = self.rng, self.rng.choice((60, 300, 300, 420))
        watts /= self.spec(device).get("multiplier", 1)
        at, until = self._from - 3600 + rng.randint(0, 59), self._to + 3600
        if rng.random() < 0.05:
            at += rng.choice((0, rng.randint(3600, 40_000)))
            until -= rng.choice((0, rng.randint(3600, 40_000)))
        gap_at, gap_s = self._from + rng.randint(0, 170_000), rng.choice((0, 0, 9000))
        # A generator stands still most of the time; some seats too.
        idle = "generator" in device or rng.random() < 0.1
        load = (0,) * 9 + (3,) if idle else (0, 0.7, 1, 1.4)
        occupied, speaks_until = rng.random() < 0.5, self._from + rng.choice((1e6, 1e6, 20_000))
        while at < until:
            if not gap_at <= at < gap_at + gap_s:
                yield from self._reading(device, quantity, at, register,
                                         occupied if at < speaks_until else None)
            occupied ^= rng.random() < 0.05
            register += watts * rng.choice(load) * step / 3600
            register = self._fault(device, quantity, at, register)
            at += step

    def _fault(self, device: str, quantity: str, at: float, register: float) -> float:
        """A reset, an exchange, a leap, or the end of the register."""
        chance, small = self.rng.random(), device.startswith("seat/")
        rate = 0.001 if small else 0.0003
        if chance < rate:
            return 0.0
        if rate <= chance < 1.5 * rate and quantity != "energy_export":
            when = datetime.fromtimestamp(at + 30, self.zone)
            self.document["exchanges"].append({
                "meter": device.removeprefix("meter/"), "at": when.isoformat(),
                "final_wh": round(register + 0.2, 3), "initial_wh": 1500})
            return 1500.5
        if 1.5 * rate <= chance < 2 * rate:
            return register + self.rng.choice((900, 40_000, 400_000))
        modulus = self.spec(device).get("register_modulus_wh")
        return register - modulus if modulus and register >= modulus else register

    def _reading(self, device: str, quantity: str, at: float, register: float,
                 occupied: bool | None) -> Iterator[Message]:
        rng, shown = self.rng, register
        chance = rng.random()
        if chance < 0.002:
            shown = register * 10 + 1000
        elif chance < 0.004:
            shown = 0.0
        late = rng.choice((1, 1, 1, 9000))
        message = self._message(device, quantity, at, round(shown, 3), late, occupied)
        yield message
        chance = rng.random()
        if chance < 0.02:
            yield message
        elif chance < 0.022:  # a second opinion on the same moment, received later or earlier
            other = round(register + rng.choice((-0.4, 0.3)), 3)
            yield self._message(device, quantity, at, max(other, 0.0),
                                late + rng.choice((-0.5, 30)), None)

    def _message(self, device: str, quantity: str, at: float, value: float, late: float,
                 occupied: bool | None) -> Message:
        records: list[dict[str, Any]] = [{"bt": at, "n": quantity, "u": "Wh", "v": value}]
        topic, form = device, self.rng.random()
        # One unit a device: a register in two units may step back by a rounding.
        if crc32(device.encode()) % 10 == 0:
            records = [{"bt": at + 5, "bu": "kWh", "n": quantity, "t": -5, "v": value / 1000}]
        elif form < 0.2:
            topic = "pack/plant/gw-1"
            records = [{"bn": f"{device}/", "bt": at, "n": quantity, "u": "Wh", "v": value}]
        if occupied is not None and quantity == "energy":
            records.append({"n": "occupied", "u": "", "t": at - records[0]["bt"],
                            "vb": occupied})
        return {"received_at": datetime.fromtimestamp(at + late, self.zone).isoformat(),
                "topic": f"seatwatt/v1/world/{topic}", "payload": records}

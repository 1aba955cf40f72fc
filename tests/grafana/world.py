"""A site of ten seats through an ordinary day and one on which everything happens, minute by
minute, sent through the wire format and the jobs into a real InfluxDB.

Minutes count from local midnight of 30 September 2026 in Karachi, so that the second day begins a
month. What each incident does, and when, stands in `Incident`.
"""

from collections.abc import Iterator, Mapping
from datetime import date
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.site import Site
from seatwatt.contract.sitefile import parse_site

Floats = NDArray[np.float64]
DAY, HOUR = 1440, 60
MINUTES = 2 * DAY + 40
"""Until 00:40 of the third day, when the world is looked at."""

SITE_FILE = {
    "site": "one", "name": "Ten seats", "time_zone": "Asia/Karachi", "currency": "PKR",
    "interval": "30min", "max_gap": "15min", "sanctioned_load_w": 3000,
    "bands": {"peak": [{"from": "18:00", "to": "22:00"}]},
    "zones": {"hall-a": {"seats": 6}, "hall-b": {"seats": 4}, "plant": {"kind": "plant"}},
    "meters": {
        "plant/grid": {"source": "grid", "max_power_w": 50000},
        "plant/generator": {"source": "generator", "max_power_w": 50000},
        "hall-a/board": {"parent": "supply", "share": "seats", "max_power_w": 20000},
        "hall-b/board": {"parent": "supply", "share": "seats", "max_power_w": 20000},
        "plant/lift": {"parent": "supply", "share": "equal", "max_power_w": 5000}},
    "seat_meters": {"parent": "{zone}/board", "max_power_w": 2300},
    "unaccounted": {"share": "consumption", "alarm_pct": 3},
    "exchanges": [{"meter": "seat/hall-a/001", "at": "2026-10-01T11:00:30+05:00",
                   "final_wh": 2237, "initial_wh": 0}],
    "tenants": {"alpha": {"name": "Alpha"}, "beta": {"name": "Beta"}},
    "leases": [{"tenant": "alpha", "seats": ["hall-a/001-006"], "from": "2026-09-01"},
               {"tenant": "beta", "seats": ["hall-b/001-003"], "from": "2026-09-01"}]}

TARIFFS = [{"tariff": name, "supplier": "Supplier", "document": "Gazette", "source": "grid",
            "currency": "PKR", "from": start, **end, "lines": [
                {"id": "energy-peak", "price": "43.82", "per": "kwh", "band": "peak"},
                {"id": "energy-offpeak", "price": "32.24", "per": "kwh", "band": "offpeak"}]}
           for name, start, end in (("summer", "2026-09-01", {"to": "2026-10-01"}),
                                    ("winter", "2026-10-01", {}))]


def span(day: int, start: float, end: float) -> slice:
    """Minutes from one local hour to another."""
    return slice(round(day * DAY + start * HOUR), round(day * DAY + end * HOUR))


class Incident:
    """What goes wrong on the second day, by local hours."""

    OUTAGE = span(1, 10, 10 + 40 / 60)
    BATTERY = span(1, 10, 10.1)
    LOW_BATTERY = span(1, 10 + 3 / 60, 10.1)
    LOW_VOLTAGE = span(1, 12, 12 + 40 / 60)
    UPLINK_DOWN = span(1, 12, 12 + 10 / 60)
    POWER_FACTOR = span(1, 13, 14.5)
    DEMAND = span(1, 14, 15)
    RESET_AT = 1 * DAY + 15 * HOUR + 30
    UPS_TROUBLE = span(1, 16, 16 + 20 / 60)
    SILENCE = span(1, 17, 17.5)
    LIFT_STUCK = span(1, 4, 24)
    LATE = span(1, 19, 19 + 10 / 60)
    RESTART_AT = 1 * DAY + 22 * HOUR


class World:
    """Every reading of the two days, and what is true about them."""

    def __init__(self) -> None:
        self.site: Site = parse_site(SITE_FILE)
        self.start_ms = local_midnight_ms(date(2026, 9, 30), self.site.time_zone)
        self.now_ms = self.at_ms(MINUTES)
        self.times_ms = self.start_ms + 60_000 * np.arange(-20, MINUTES + 1)
        self._book = SeriesBook()

    def at_ms(self, minute: float) -> int:
        return self.start_ms + round(minute * 60_000)

    def _where(self, part: slice) -> NDArray[np.bool_]:
        minute = (self.times_ms - self.start_ms) // 60_000
        return np.asarray((minute >= part.start) & (minute < part.stop))

    def _flat(self, value: float) -> Floats:
        return np.full(len(self.times_ms), value)

    @cached_property
    def occupied(self) -> dict[tuple[str, str], Floats]:
        """Hall A works from nine to six; in hall B seats 3 and 4 are used, 1 and 2 held for
        nothing."""
        minute = (self.times_ms - self.start_ms) // 60_000
        day = ((minute % DAY >= 9 * HOUR) & (minute % DAY < 18 * HOUR)).astype(np.float64)
        return {(zone.name, seat): day * (zone.name == "hall-a" or seat in ("003", "004"))
                for zone in self.site.zones for seat in zone.seats}

    @cached_property
    def powers(self) -> dict[Device, Floats]:
        """Mean power of the minute that begins at each time, by metered device."""
        alive = ~self._where(Incident.BATTERY)
        powers = {Device("seat", *seat): alive * np.where(
            sits > 0, 80.0, 15.0 if seat[0] == "hall-a" else 2.0)
            for seat, sits in self.occupied.items()}
        lights = self._flat(400) + 1400 * self._where(Incident.DEMAND)
        for zone, own in (("hall-a", lights), ("hall-b", self._flat(200))):
            seats = sum(power for device, power in powers.items() if device.zone == zone)
            powers[Device("meter", zone, "board")] = alive * own + seats
        powers[Device("meter", "plant", "lift")] = alive * self._flat(100)
        supply = 1.01 * sum(power for device, power in powers.items() if device.kind == "meter")
        outage = self._where(Incident.OUTAGE)
        powers[Device("meter", "plant", "grid")] = supply * ~outage
        powers[Device("meter", "plant", "generator")] = supply * outage
        return powers

    def register(self, device: Device) -> Floats:
        """What the register shows at each time, faults and all."""
        steps = np.concatenate(([0.0], self.powers[device][:-1] / 60))
        if device.name == "lift":
            steps = steps * ~self._where(Incident.LIFT_STUCK)
        shown = 1000 + np.cumsum(steps)
        if device == Device("meter", "hall-b", "board"):
            after = self.times_ms >= self.at_ms(Incident.RESET_AT)
            shown = np.where(after, shown - shown[np.argmax(after) - 1], shown)
        return shown

    def exchanged(self, device: Device) -> Floats:
        """As `register`, for the seat whose meter was exchanged for a new one at zero."""
        shown = self.register(device)
        after = self.times_ms > self.at_ms(DAY + 11 * HOUR)
        return np.where(after, shown - shown[np.argmax(after) - 1], shown)

    def silent(self, device: Device) -> NDArray[np.bool_]:
        """Whether the device says nothing at each time."""
        quiet = {("meter", "board"), ("ups", "ups-1"), ("gateway", "gw-1")}
        if ((device.kind, device.name) in quiet and device.zone != "hall-b") \
                or (device.kind, device.zone) == ("seat", "hall-b"):
            return self._where(Incident.SILENCE)
        return np.zeros(len(self.times_ms), dtype=np.bool_)

    def columns(self) -> Iterator[tuple[Device, dict[str, Floats]]]:
        """Device and its quantities at each time."""
        for device, power in self.powers.items():
            yield device, (self._meter(device, power) if device.kind == "meter"
                           else self._seat(device, power))
        battery, low = self._where(Incident.BATTERY), self._where(Incident.LOW_BATTERY)
        trouble = self._where(Incident.UPS_TROUBLE)
        for name in ("ups-1", "ups-2"):
            odd = trouble * (name == "ups-2")
            yield Device("ups", "plant", name), {
                "on_battery": battery * 1.0, "low_battery": low * 1.0, "overload": odd * 1.0,
                "bypass": odd * 1.0, "replace_battery": odd * 1.0,
                "load": 40 + 50.0 * odd, "battery_charge": 100 - 60.0 * low,
                "battery_runtime": 1800 - 1600.0 * low, "battery_voltage": 54 - 8.0 * low,
                "input_voltage": 230.0 * ~battery, "temperature": self._flat(27)}
        down = self._where(Incident.UPLINK_DOWN)
        yield Device("uplink", "plant", "isp-1"), {
            "up": 1.0 - down, "latency": 12 + 80.0 * down, "loss": 100.0 * down}
        yield Device("gateway", "plant", "gw-1"), {
            "up": self._flat(1), "spool_messages": 3 + 200.0 * self._where(Incident.LATE),
            "spool_dropped": self._flat(0), "clock_offset": self._flat(0.02)}
        yield Device("room", "hall-a", "presence"), {
            "people": sum(v for (zone, _), v in self.occupied.items() if zone == "hall-a")}

    def _seat(self, device: Device, power: Floats) -> dict[str, Floats]:
        shown = self.exchanged(device) if device == Device("seat", "hall-a", "001") \
            else self.register(device)
        return {"occupied": self.occupied[device.zone, device.name], "power": power,
                "energy": shown, "voltage": self._flat(229)}

    def _meter(self, device: Device, power: Floats) -> dict[str, Floats]:
        dark = power == 0
        low = self._where(Incident.LOW_VOLTAGE)
        bad = self._where(Incident.POWER_FACTOR) * (device.name == "grid")
        factor = 0.96 - 0.26 * bad
        return {"energy_import": self.register(device), "power": power,
                "apparent_power": power / factor, "power_factor": factor * ~dark,
                "reactive_import": self.register(device) / 4,
                "frequency": (50 - 0.8 * low) * ~dark,
                "voltage_l1": 230.0 * ~dark, "voltage_l2": (230 - 25.0 * low) * ~dark,
                "voltage_l3": 231.0 * ~dark, "current_l1": power / 690,
                "current_l2": power / 690, "current_l3": power / 690}

    def batches(self) -> Iterator[ReadingBatch]:
        """All readings, a batch a device, meters every minute and seats every five."""
        for device, quantities in self.columns():
            heard = ~self.silent(device)
            if device.kind == "seat":
                heard &= (self.times_ms // 60_000) % 5 == 0
            times = self.times_ms[heard].tolist()
            batch = ReadingBatch()
            for name, values in quantities.items():
                series = self._book.get("one", device, quantity(device.kind, name))
                batch.series += [series] * len(times)
                batch.taken_at_ms += times
                batch.values += values[heard].round(4).tolist()
            yield batch

    def devices(self) -> Mapping[Device, NDArray[np.int64]]:
        """When each device was heard."""
        return {device: self.times_ms[~self.silent(device)] for device, _ in self.columns()}

    def true_kwh(self, device: Device, day: int) -> float:
        """What really went through in a local day."""
        part = slice(20 + day * DAY, 20 + (day + 1) * DAY)
        return float(self.powers[device][part].sum()) / 60_000

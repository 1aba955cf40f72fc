"""Who sits where, minute by minute: from the leases' shifts, with late comers, breaks and absences.

Every occurrence of a shift draws its chance from the day on which it starts, so the day before
and the day after midnight agree on one night shift.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import time, timedelta

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.intervals import instant_ms
from seatwatt.contract.site import Booking, Lease, Zone
from seatwatt.simulators.chance import chance
from seatwatt.simulators.days import MINUTE_MS, LocalDay
from seatwatt.simulators.layout import Layout

HABITS = ((time(10), time(19), 0.6), (time(14), time(23), 0.25), (time(21), time(6), 0.15))
"""Hours of people whose lease has no shift: start, end, share of the seats."""

ABSENT = 0.08
DAY_PASS_MS = 24 * 60 * MINUTE_MS


@dataclass(frozen=True, slots=True)
class Attendance:
    """One stretch in which a group of seats is expected to be worked."""

    seats: NDArray[np.intp]
    start_ms: int
    end_ms: int
    label: str


def presence(layout: Layout, seed: int, day: LocalDay) -> NDArray[np.bool_]:
    """Whether somebody sits there: (seats, minutes of the day)."""
    present = np.zeros((len(layout.seats), day.minutes), dtype=np.bool_)
    starts_ms = day.minute_starts_ms
    for first in (_before(day), day):
        for group in _attendances(layout, seed, first):
            if group.end_ms + 2 * 60 * MINUTE_MS > day.start_ms and len(group.seats):
                present[group.seats] |= _worked(group, seed, starts_ms)
    return present


def _before(day: LocalDay) -> LocalDay:
    return LocalDay.of(day.day - timedelta(days=1), day.zone)


def _attendances(layout: Layout, seed: int, day: LocalDay) -> Iterator[Attendance]:
    """What begins on this local day."""
    index = {seat: i for i, seat in enumerate(layout.seats)}
    for lease in layout.site.leases:
        from_ms = instant_ms(lease.from_, day.zone)
        to_ms = day.end_ms + DAY_PASS_MS if lease.to is None else instant_ms(lease.to, day.zone)
        if from_ms >= day.end_ms or to_ms <= day.start_ms:
            continue
        seats = np.array(sorted({index[seat] for seat in _seats(layout, lease)}), dtype=np.intp)
        for group, start_ms, end_ms, name in _hours(lease, seats, seed, day, (from_ms, to_ms)):
            start_ms, end_ms = max(start_ms, from_ms), min(end_ms, to_ms)
            if start_ms < end_ms:
                yield Attendance(group, start_ms, end_ms, f"{name}:{day.day}")


def _seats(layout: Layout, lease: Lease) -> Iterator[tuple[str, str]]:
    yield from lease.seats
    for zone in layout.site.zones:
        if zone.name in lease.zones:
            yield from ((zone.name, seat) for seat in zone.seats)


def _hours(lease: Lease, seats: NDArray[np.intp], seed: int, day: LocalDay, held: tuple[int, int]
           ) -> Iterator[tuple[NDArray[np.intp], int, int, str]]:
    name = f"{lease.tenant}:{lease.from_}:{seats[:1]}"
    if lease.shift is not None:
        if day.day.weekday() in lease.shift.days:
            start, end = lease.shift.start, lease.shift.end
            yield seats, day.at_ms(start), day.at_ms(end, int(end <= start)), f"{name}:{start}"
    elif held[1] - held[0] <= DAY_PASS_MS:
        if day.start_ms <= held[0] < day.end_ms:
            yield seats, *held, name
    elif day.day.weekday() != 6:
        habit = np.searchsorted(np.cumsum([share for *_, share in HABITS][:-1]),
                                chance(seed, "habit", name).random(len(seats)), side="right")
        for i, (start, end, _) in enumerate(HABITS):
            yield (seats[habit == i], day.at_ms(start), day.at_ms(end, int(end <= start)),
                   f"{name}:{i}")


def _worked(group: Attendance, seed: int, starts_ms: NDArray[np.int64]) -> NDArray[np.bool_]:
    rng, k = chance(seed, "people", group.label), len(group.seats)
    long = group.end_ms - group.start_ms
    arrive = group.start_ms + _minutes(rng.normal(3, 9, k), 25)
    leave = group.end_ms + _minutes(rng.normal(0, 9, k), 25)
    lunch = group.start_ms + (long * rng.uniform(0.4, 0.55, k)).astype(np.int64)
    lunch_end = lunch + _minutes(rng.uniform(20, 55, k), 60)
    tea = group.start_ms + (long * rng.uniform(0.7, 0.85, k)).astype(np.int64)
    tea_end = tea + _minutes(rng.uniform(5, 20, k), 20)
    came = rng.random(k) >= ABSENT

    def inside(start: NDArray[np.int64], end: NDArray[np.int64]) -> NDArray[np.bool_]:
        return (starts_ms >= start[:, None]) & (starts_ms < end[:, None])

    return inside(arrive, leave) & ~inside(lunch, lunch_end) & ~inside(tea, tea_end) & came[:, None]


def _minutes(values: NDArray[np.float64], limit: float) -> NDArray[np.int64]:
    return np.clip(values, -limit, limit).astype(np.int64) * MINUTE_MS


def people(layout: Layout, seed: int, day: LocalDay, worked: NDArray[np.bool_]
           ) -> NDArray[np.int64]:
    """How many persons are in each room: (rooms, minutes). Booked rooms are used, others now and
    then; a cafeteria fills at meal times with the people who are in the house."""
    counts = np.zeros((len(layout.rooms), day.minutes), dtype=np.int64)
    in_house = worked.sum(axis=0)
    for row, room in enumerate(layout.rooms):
        if room.kind in ("cafeteria", "lounge"):
            counts[row] = _meals(seed, day, room, in_house)
            continue
        for start_ms, end_ms, label in _meetings(layout.site.bookings, seed, day, room):
            rng = chance(seed, "meeting", room.name, label)
            inside = (day.minute_starts_ms >= start_ms) & (day.minute_starts_ms < end_ms)
            counts[row, inside] = int(rng.integers(2, 9))
    return counts


def _meals(seed: int, day: LocalDay, room: Zone, in_house: NDArray[np.int64]) -> NDArray[np.int64]:
    rng, hours = chance(seed, "meals", room.name, day.day), day.hours()
    share = sum(np.exp(-((hours - at) / 0.6) ** 2) * rng.uniform(0.08, 0.16)
                for at in (10.5, 13.5, 17.0, 21.0, 1.5))
    return np.asarray(np.rint(share * in_house), dtype=np.int64)


def _meetings(bookings: tuple[Booking, ...], seed: int, day: LocalDay, room: Zone
              ) -> Iterator[tuple[int, int, str]]:
    for booking in bookings:
        if booking.zone == room.name and booking.from_ms < day.end_ms:
            yield booking.from_ms, booking.to_ms, f"{booking.tenant}:{booking.from_ms}"
    rng = chance(seed, "unbooked", room.name, day.day)
    if rng.random() < 0.5:
        start_ms = day.start_ms + int(rng.integers(9 * 60, 17 * 60)) * MINUTE_MS
        yield start_ms, start_ms + int(rng.integers(15, 70)) * MINUTE_MS, f"unbooked:{day.day}"

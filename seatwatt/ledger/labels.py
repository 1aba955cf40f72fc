"""Which lease of a new declaration is which of the old: identity for things without a name."""

import re
from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from seatwatt.contract.site import Booking, Lease, Site

Labelled = TypeVar("Labelled", Lease, Booking)

_PLACE = re.compile(r"(leases|bookings)\[\d+\]")
"""A label that says where something stands in a file names nothing that lasts."""


def labelled(site: Site, old: Site | None, leases_counted: int, bookings_counted: int) -> Site:
    """`site` with a label on every lease and booking: its own; or that of the one in `old` with
    the same words, or the same but for its end; or a new one, counted on from the numbers given."""
    leases = _label("lease", site.leases, old.leases if old else (), leases_counted,
                    (_words, _same_lease))
    bookings = _label("booking", site.bookings, old.bookings if old else (), bookings_counted,
                      (_words, _same_booking))
    return replace(site, leases=leases, bookings=bookings)


def highest(kind: str, items: Sequence[Labelled], counted: int) -> int:
    """The highest number in a label `kind-N` that was ever given, so that none is given twice."""
    for item in items:
        found = re.fullmatch(rf"{kind}-([1-9]\d{{0,8}})", item.label)
        counted = max(counted, int(found[1]) if found else 0)
    return counted


def _label(kind: str, new: Sequence[Labelled], old: Sequence[Labelled], counted: int,
           likenesses: Sequence[Callable[[Labelled], Hashable]]) -> tuple[Labelled, ...]:
    labels = ["" if _PLACE.fullmatch(item.label) else item.label for item in new]
    unclaimed = {item.label: item for item in old if item.label not in labels}
    for likeness in likenesses:
        waiting: dict[Hashable, list[str]] = {}
        for label, item in unclaimed.items():
            waiting.setdefault(likeness(item), []).append(label)
        for index, item in enumerate(new):
            same = waiting.get(likeness(item), [])
            if not labels[index] and same:
                labels[index] = same.pop(0)
                del unclaimed[labels[index]]
    counted = highest(kind, new, counted)
    for index, label in enumerate(labels):
        if not label:
            counted += 1
            labels[index] = f"{kind}-{counted}"
    return tuple(replace(item, label=label) for item, label in zip(new, labels, strict=True))


def _words(item: Labelled) -> Hashable:
    return replace(item, label="")


def _same_lease(lease: Lease) -> Hashable:
    return lease.tenant, lease.seats, lease.zones, lease.from_, lease.shift


def _same_booking(booking: Booking) -> Hashable:
    return booking.tenant, booking.zone, booking.from_ms

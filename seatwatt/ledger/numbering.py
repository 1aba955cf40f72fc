"""Which lease of a new declaration is which of the old: identity for things without a name."""

from collections.abc import Callable, Hashable, Sequence
from dataclasses import replace
from typing import TypeVar

from seatwatt.contract.site import Booking, Lease, Site
from seatwatt.ledger.site_rows import number

Numbered = TypeVar("Numbered", Lease, Booking)


def numbered(site: Site, old: Site | None, leases_counted: int, bookings_counted: int) -> Site:
    """`site` with every lease and booking labelled by the ledger's number. What was there
    keeps its number: by its label, as the same words, or with another end; the rest is new and
    counts on from `leases_counted` and `bookings_counted`."""
    leases = _label("lease", site.leases, old.leases if old else (), leases_counted,
                    (_words, _same_lease))
    bookings = _label("booking", site.bookings, old.bookings if old else (), bookings_counted,
                      (_words, _same_booking))
    return replace(site, leases=leases, bookings=bookings)


def _label(kind: str, new: Sequence[Numbered], old: Sequence[Numbered], counted: int,
           likenesses: Sequence[Callable[[Numbered], Hashable]]) -> tuple[Numbered, ...]:
    unclaimed = {item.label: item for item in old}
    labels = [item.label if unclaimed.pop(item.label, None) else "" for item in new]
    for likeness in likenesses:
        waiting: dict[Hashable, list[str]] = {}
        for label, item in unclaimed.items():
            waiting.setdefault(likeness(item), []).append(label)
        for index, item in enumerate(new):
            same = waiting.get(likeness(item), [])
            if not labels[index] and same:
                labels[index] = same.pop(0)
                del unclaimed[labels[index]]
    for index, label in enumerate(labels):
        if not label:
            counted += 1
            labels[index] = f"{kind}-{counted}"
    return tuple(replace(item, label=label) for item, label in zip(new, labels, strict=True))


def highest(items: Sequence[Numbered], counted: int) -> int:
    """The highest number ever given, so that none is given twice."""
    return max([counted, *(number(item.label) for item in items)])


def _words(item: Numbered) -> Hashable:
    return replace(item, label="")


def _same_lease(lease: Lease) -> Hashable:
    return lease.tenant, lease.seats, lease.zones, lease.from_, lease.shift


def _same_booking(booking: Booking) -> Hashable:
    return booking.tenant, booking.zone, booking.from_ms

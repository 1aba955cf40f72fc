"""Tags of derived points, as every store keeps them; and the tag by which InfluxDB can forget."""

from seatwatt.contract.errors import StoreRefused
from seatwatt.contract.quantities import Quantity, quantity
from seatwatt.store.ports import DerivedPoint

ABOUT_PEOPLE = ("about", "people")
"""Tag of readings that are kept for a while only. InfluxDB deletes points, never one field of
them: with a tag of their own they are points of their own, and no register goes with them."""

_PEOPLE = frozenset({quantity("seat", "occupied")})


def about_people(quantity: Quantity) -> bool:
    """Whether readings of the quantity tell where a person was."""
    return quantity in _PEOPLE


def check_about_people(quantity: Quantity) -> None:
    """Registers and all else that is no person's are never forgotten: ValueError."""
    if not about_people(quantity):
        raise ValueError(f"{quantity.kind}/{quantity.name} is not about people: it is kept")


def stored_tags(point: DerivedPoint) -> tuple[tuple[str, str], ...]:
    """The point's tags sorted by key, without empty ones (to a store an empty tag is none).

    StoreRefused where a tag ends in a backslash or holds a line break: line protocol has no way
    to write either, and both stores shall hold the same.
    """
    for key, value in point.tags:
        if "\n" in value or value.endswith("\\"):
            raise StoreRefused(f"{point.measurement}: tag {key}={value!r} cannot be stored; "
                               "expected no line break and no backslash at its end")
    return tuple(sorted((key, value) for key, value in point.tags if value))

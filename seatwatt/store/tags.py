"""Tags of derived points, as every store keeps them."""

from seatwatt.contract.errors import StoreRefused
from seatwatt.store.ports import DerivedPoint


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

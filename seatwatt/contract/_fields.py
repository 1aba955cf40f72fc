"""Reading the fields of a document: every error names the field and what was expected.

A place is a path such as `leases[2].shift.days`; the reader of the YAML file finds its line by it.
"""

import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import TypeVar

from seatwatt.contract.errors import InputError

T = TypeVar("T")
D = TypeVar("D")


def built(path: str, build: Callable[[], T]) -> T:
    """`build()`; its InputError is told with the path in front of the field's name."""
    try:
        return build()
    except InputError as error:
        raise InputError(f"{path}.{error.where}" if path else error.where,
                         error.problem, error.expected) from None


def shown(value: object) -> str:
    """A wrong value as an error shows it: not longer than a line can bear."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def as_text(where: str, value: object) -> str:
    """A text of one line."""
    if not isinstance(value, str) or not value.strip() or not value.isprintable():
        raise InputError(where, f"{shown(value)} is not a text", "a text of one line")
    return value


def as_number(where: str, value: object) -> float:
    """A finite number; never a truth value or a text."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise InputError(where, f"{shown(value)} is not a number", "a number")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not math.isfinite(number):
        raise InputError(where, f"{shown(value)} is not a finite number", "a number")
    return number


def as_whole(where: str, value: object) -> int:
    """A whole number."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise InputError(where, f"{shown(value)} is not a whole number", "a whole number")
    return value


def as_flag(where: str, value: object) -> bool:
    """true or false."""
    if not isinstance(value, bool):
        raise InputError(where, f"{shown(value)} is neither true nor false", "true or false")
    return value


def as_list(where: str, value: object) -> list[object]:
    """A list; nothing at all is an empty one."""
    if value is None:
        return []
    if not isinstance(value, list | tuple):
        raise InputError(where, f"{shown(value)} is not a list", "a list")
    return list(value)


def as_mapping(where: str, value: object) -> dict[str, object]:
    """A mapping whose keys are texts; nothing at all is an empty one."""
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise InputError(where, f"{shown(value)} is not a mapping", "key: value")
    for key in value:
        if not isinstance(key, str) or not key.isprintable():
            raise InputError(where, f"key {shown(key)} is not a text", "a name; quote a number")
    return value


WEIGHT_DECIMALS = 9
WEIGHT_MAX = 10**18
"""A weight's largest whole number, once scaled: it fits 64 bits."""


def as_weights(where: str, value: object) -> tuple[tuple[str, int], ...]:
    """`{alpha: 2, beta: 1}`, party -> weight; nothing at all is none. Weights with decimals are
    scaled to whole numbers in the same proportion: 0.5 and 0.25 become 50 and 25."""
    written = as_mapping(where, value)
    weights = {party: _weight(f"{where}.{party}", weight) for party, weight in written.items()}
    decimals = max(map(_decimals, weights.values()), default=0)
    scaled = tuple((party, int(weight.scaleb(decimals))) for party, weight in weights.items())
    for party, weight in scaled:
        if weight > WEIGHT_MAX:
            raise InputError(f"{where}.{party}", f"{shown(written[party])} is too large a weight",
                             f"at most {WEIGHT_MAX / 10**decimals:.0e} beside the others")
    return scaled


def _weight(where: str, value: object) -> Decimal:
    # The digits that were written: 0.1 is a tenth, not the double beside it.
    number = as_number(where, value)
    weight = Decimal(value) if isinstance(value, int) else Decimal(repr(number))
    if weight < 0:
        raise InputError(where, f"{shown(value)} is negative", "0 or more")
    if _decimals(weight) > WEIGHT_DECIMALS:
        raise InputError(where, f"{shown(value)} is no weight", "at most 9 decimals")
    return weight


def _decimals(number: Decimal) -> int:
    exponent = number.normalize().as_tuple().exponent
    return max(0, -exponent) if isinstance(exponent, int) else 0


class Fields:
    """A mapping with a closed set of keys. Null is the same as absent."""

    def __init__(self, path: str, document: object, known: tuple[str, ...]) -> None:
        self.path, self._values = path, as_mapping(path or "site", document)
        for key in self._values:
            if key not in known:
                raise InputError(self.at(key), "is unknown", ", ".join(known))

    def at(self, key: str) -> str:
        """The path of a field."""
        return f"{self.path}.{key}" if self.path else key

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._values.get(key) is not None

    def need(self, key: str, read: Callable[[str, object], T]) -> T:
        """The field, read; InputError when absent."""
        if not self.has(key):
            raise InputError(self.at(key), "is missing", "a value")
        return read(self.at(key), self._values[key])

    def get(self, key: str, read: Callable[[str, object], T], default: D) -> T | D:
        """The field, read; `default` when absent."""
        return read(self.at(key), self._values[key]) if self.has(key) else default

    def maybe(self, key: str, read: Callable[[str, object], T]) -> T | None:
        """The field, read; None when absent."""
        return read(self.at(key), self._values[key]) if self.has(key) else None

    def each(self, key: str) -> Iterator[tuple[str, object]]:
        """The items of a list, each with its path."""
        items = as_list(self.at(key), self._values.get(key))
        return ((f"{self.at(key)}[{index}]", item) for index, item in enumerate(items))

    def entries(self, key: str) -> Iterator[tuple[str, str, object]]:
        """The entries of a mapping: path, key, value."""
        entries = as_mapping(self.at(key), self._values.get(key))
        return ((f"{self.at(key)}.{name}", name, value) for name, value in entries.items())

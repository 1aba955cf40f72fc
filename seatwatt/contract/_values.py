"""Checks of single values, shared by the nouns of the site model."""

import math

from seatwatt.contract.errors import InputError


def finite(where: str, value: float) -> float:
    """`value` itself; InputError when it is NaN or infinite."""
    if not math.isfinite(value):
        raise InputError(where, f"{value} is not a finite number", "a number")
    return value


def positive(where: str, value: float, most: float = 1e12) -> float:
    """`value` itself; InputError unless it is finite, above 0 and not above `most`."""
    if not finite(where, value) > 0:
        raise InputError(where, f"{value} is not above 0", "a number above 0")
    if value > most:
        raise InputError(where, f"{value} is too large", f"at most {most:g}")
    return value


def numbers_within(where: str, numbers: tuple[int, ...], low: int, high: int) -> None:
    """InputError unless there is at least one number and all lie in [low, high]."""
    if not numbers or not all(low <= number <= high for number in numbers):
        raise InputError(where, f"{numbers} is not a choice", f"one or more of {low} to {high}")

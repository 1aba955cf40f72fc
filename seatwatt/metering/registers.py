"""Register readings as they come, and the one place where they become integers."""

import math
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.meters import REGISTER_MAX_WH as REGISTER_MAX_WH
from seatwatt.metering.texts import instant_text

MILLIWH_PER_WH = 1000


@dataclass(frozen=True, slots=True, eq=False)
class RegisterColumn:
    """Readings of one register, in any order: int64 UTC milliseconds and float64 Wh.

    `received_at_ms` settles which of two readings of the same time stands (the later received);
    where it is None, or equal too, the one further back in the column does.
    """

    times_ms: NDArray[np.int64]
    values_wh: NDArray[np.float64]
    received_at_ms: NDArray[np.int64] | None = None

    def __post_init__(self) -> None:
        received = self.received_at_ms
        lengths = {len(self.times_ms), len(self.values_wh),
                   len(self.times_ms if received is None else received)}
        if len(lengths) > 1:
            raise InputError("register column", f"columns of {sorted(lengths)} readings",
                             "one time and one value for each reading")

    def __len__(self) -> int:
        return len(self.times_ms)


@dataclass(frozen=True, slots=True, kw_only=True)
class MeterRules:
    """What is declared about one register. `max_power_w` and energies are after the multiplier;
    `modulus_wh` and the values of exchanges are what the register itself shows."""

    max_power_w: float | None = None
    modulus_wh: float | None = None
    multiplier: float = 1.0
    max_gap_ms: int = 900_000

    def __post_init__(self) -> None:
        for name in ("max_power_w", "modulus_wh", "multiplier", "max_gap_ms"):
            value = getattr(self, name)
            if value is not None and not (math.isfinite(value) and value > 0):
                raise InputError(name, f"{value} is not possible", "a number above 0")

    @property
    def modulus_milliwh(self) -> int | None:
        """The modulus as readings are counted, or None."""
        return None if self.modulus_wh is None else milliwh(self.modulus_wh, self.multiplier)

    @property
    def max_power_mw(self) -> int | None:
        """The highest power in milliwatts, or None where everything is plausible."""
        return None if self.max_power_w is None else math.ceil(self.max_power_w * 1000)


def milliwh(value_wh: float, multiplier: float) -> int:
    """round(value_wh x multiplier x 1000), half to even, of the decimals as they are written."""
    exact = Decimal(repr(float(value_wh))) * Decimal(repr(float(multiplier))) * MILLIWH_PER_WH
    return int(exact.quantize(Decimal(1), rounding=ROUND_HALF_EVEN))


def column_milliwh(device: Device, column: RegisterColumn, multiplier: float
                   ) -> NDArray[np.int64]:
    """`milliwh` of the whole column as int64; InputError names the first reading that is NaN,
    negative or above REGISTER_MAX_WH."""
    if not len(column):
        return np.empty(0, np.int64)
    _check_values(device, column, multiplier)
    scaled = column.values_wh * (multiplier * MILLIWH_PER_WH)
    rounded = np.rint(scaled)
    # Float products err by a few units in the last place: where that could tip a half, be exact.
    np.subtract(scaled, rounded, out=scaled)
    np.abs(scaled, out=scaled)
    whole = rounded.astype(np.int64)
    doubt = 0.5 - max(1e-9, float(rounded.max()) * 2.0**-50)
    for at in np.flatnonzero(scaled >= doubt):
        whole[at] = milliwh(float(column.values_wh[at]), multiplier)
    return whole


def _check_values(device: Device, column: RegisterColumn, multiplier: float) -> None:
    values = column.values_wh
    limit_wh = REGISTER_MAX_WH / multiplier
    # NaN spreads through min and max and fails every comparison.
    if values.min() >= 0 and values.max() <= limit_wh:
        return
    at = int(np.flatnonzero(~((values >= 0) & (values <= limit_wh)))[0])
    raise InputError(f"{device} at {instant_text(int(column.times_ms[at]))}",
                     f"{float(values[at])} Wh is not a register reading",
                     f"a number from 0 to {limit_wh:g}"
                     + (f", by its multiplier of {multiplier:g}" if multiplier != 1 else ""))


def in_order(times_ms: NDArray[np.int64], values: NDArray[np.int64],
             received_at_ms: NDArray[np.int64] | None
             ) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Rule 1: sorted by time taken; of readings at the same time the last received stands."""
    if np.all(times_ms[1:] > times_ms[:-1]):
        return times_ms, values
    keys = (times_ms,) if received_at_ms is None else (received_at_ms, times_ms)
    order = np.lexsort(keys)
    times_ms, values = times_ms[order], values[order]
    stands = np.append(times_ms[1:] > times_ms[:-1], True)
    return times_ms[stands], values[stands]

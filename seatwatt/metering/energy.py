"""What metering hands to billing: trusted energy per interval."""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.contract.findings import Finding


class Quality(IntEnum):
    """How far an interval's energy can be trusted; the larger, the worse."""

    MEASURED = 0
    ESTIMATED = 1
    MISSING = 2


@dataclass(frozen=True, slots=True)
class RegisterAt:
    """The register at a boundary of the period, as a statement shows it (integer milliwatt-hours,
    multiplier applied), and whether a reading brackets it closely."""

    at_ms: int
    register_milliwh: int
    quality: Quality


@dataclass(frozen=True, slots=True, eq=False)
class MeterEnergy:
    """Energy of one register over the intervals of a grid.

    `energy_milliwh` is int64, `quality` uint8 (values of Quality), both one entry an interval.
    Missing intervals are 0 and say so in `quality`.
    """

    device: Device
    energy_milliwh: NDArray[np.int64]
    quality: NDArray[np.uint8]
    opening: RegisterAt | None = None
    closing: RegisterAt | None = None
    findings: tuple[Finding, ...] = ()
    parts: tuple["MeterEnergy", ...] = ()
    """Where it is made of two registers, the import and the export; `opening` and `closing` are
    then those of the import."""

"""Devices that speak too often: at most one value of a quantity in `every_s`. Pure.

What comes too soon is held back, not thrown away: of a burst the last value is what stays.
"""

from collections.abc import Sequence

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Quantity
from seatwatt.gateway.ports import Sample


class Thinner:
    """Paces the samples of one device."""

    def __init__(self, every_s: int) -> None:
        self._every_ms = every_s * 1000
        self._given_at_ms: dict[tuple[Device, Quantity], int] = {}
        self._held: dict[tuple[Device, Quantity], Sample] = {}

    def take(self, samples: Sequence[Sample], now_ms: int) -> list[Sample]:
        """The samples that may pass; the others are held back."""
        for sample in samples:
            self._held[sample.device, sample.quantity] = sample
        return self.due(now_ms)

    def due(self, now_ms: int) -> list[Sample]:
        """What was held back and may pass now."""
        passing = [key for key in self._held
                   if now_ms - self._given_at_ms.get(key, now_ms - self._every_ms)
                   >= self._every_ms]
        for key in passing:
            self._given_at_ms[key] = now_ms
        return [self._held.pop(key) for key in passing]

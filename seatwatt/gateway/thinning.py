"""Devices that speak too often: at most one value of a quantity in its time. Pure.

What comes too soon is held back, not thrown away: of a burst the last value is what stays.
"""

from collections.abc import Sequence

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Nature, Quantity
from seatwatt.gateway.ports import Sample


class Thinner:
    """Paces the samples of one device."""

    def __init__(self, gauges_s: int, registers_s: int) -> None:
        self._gauges_ms, self._registers_ms = gauges_s * 1000, registers_s * 1000
        self._given_at_ms: dict[tuple[Device, Quantity], int] = {}
        self._held: dict[tuple[Device, Quantity], Sample] = {}

    def take(self, samples: Sequence[Sample], now_ms: int) -> list[Sample]:
        """The samples that may pass; the others are held back."""
        for sample in samples:
            self._held[sample.device, sample.quantity] = sample
        return self.due(now_ms)

    def due(self, now_ms: int) -> list[Sample]:
        """What was held back and may pass now."""
        passing = [key for key in self._held if self._is_due(key, now_ms)]
        for key in passing:
            self._given_at_ms[key] = now_ms
        return [self._held.pop(key) for key in passing]

    def _is_due(self, key: tuple[Device, Quantity], now_ms: int) -> bool:
        given_at_ms = self._given_at_ms.get(key)
        if given_at_ms is None:
            return True
        if key[1].nature is Nature.REGISTER:
            # At whole multiples since 1970, as those we read: an interval's boundary is one.
            return now_ms // self._registers_ms != given_at_ms // self._registers_ms
        return now_ms - given_at_ms >= self._gauges_ms

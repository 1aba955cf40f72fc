"""Samples that wait for the clock to be set: what their time is, is not known yet."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import msgspec

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.gateway.clockwatch import YEAR_2020_MS, ClockWatch
from seatwatt.gateway.ports import Sample

_TO_JSON = msgspec.json.Encoder().encode
_FROM_JSON = msgspec.json.Decoder(list[tuple[str, str, int, float | str]]).decode


@dataclass(frozen=True, slots=True)
class Held:
    """Samples stamped while the wall clock stood `offset_ms` from the machine's own, which
    counts from its start: `boot` says which."""

    boot: str
    offset_ms: int
    samples: Sequence[Sample]

    def body(self) -> bytes:
        """As bytes for the spool."""
        return zlib.compress(_TO_JSON([
            (str(one.device), one.quantity.name, one.taken_at_ms, one.value)
            for one in self.samples]))

    @classmethod
    def of(cls, boot: str, offset_ms: int, body: bytes) -> "Held":
        """The inverse of `body`."""
        return cls(boot, offset_ms, [_sample(*row) for row in _FROM_JSON(zlib.decompress(body))])

    def stamped(self, watch: ClockWatch) -> list[Sample]:
        """With the time by the clock as it is now."""
        return [restamped(one, watch, self.offset_ms) for one in self.samples]


def restamped(sample: Sample, watch: ClockWatch, offset_ms: int) -> Sample:
    """The sample at the time by the clock as it is now."""
    return replace(sample, taken_at_ms=watch.right_time_ms(sample.taken_at_ms, offset_ms))


def is_unset(sample: Sample) -> bool:
    """Whether it was stamped by a clock that was never set."""
    return sample.taken_at_ms < YEAR_2020_MS


def _sample(device: str, name: str, taken_at_ms: int, value: float | str) -> Sample:
    of = Device.parse(device)
    return Sample(of, quantity(of.kind, name), taken_at_ms, value)

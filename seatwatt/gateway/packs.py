"""From samples to packs: up to 300 readings of one rank, as they go on the wire."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Nature
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.senmlwrite import encode_pack
from seatwatt.gateway.ports import Sample

READINGS_MAX = 300


class Rank(IntEnum):
    """What goes first when the spool is full: a lost gauge is a gap in a curve, a lost state a
    gap in somebody's presence, a lost register an estimated bill."""

    GAUGE = 0
    STATE = 1
    REGISTER = 2


_RANKS = {Nature.GAUGE: Rank.GAUGE, Nature.STATE: Rank.STATE, Nature.TEXT: Rank.STATE,
          Nature.REGISTER: Rank.REGISTER}


@dataclass(frozen=True, slots=True)
class Draft:
    """Readings that will travel together; what numbers the packs gives it its id."""

    rank: Rank
    batch: ReadingBatch

    def payload(self, gateway: Device, pack_id: str) -> bytes:
        """The message, which names its id so that a receipt can."""
        return encode_pack(self.batch, gateway, pack_id)


class Packer:
    """Makes drafts of samples; `nonsense` counts values that are no number."""

    def __init__(self, site: str) -> None:
        self._site, self._book = site, SeriesBook()
        self.nonsense = 0

    def drafts(self, samples: Sequence[Sample]) -> list[Draft]:
        """Registers first, then states, then gauges, each in the order they were taken."""
        sorted_out = {rank: ReadingBatch() for rank in sorted(Rank, reverse=True)}
        for sample in samples:
            if not isinstance(sample.value, str) and not math.isfinite(sample.value):
                self.nonsense += 1
                continue
            series = self._book.get(self._site, sample.device, sample.quantity)
            sorted_out[_RANKS[sample.quantity.nature]].append(
                series, sample.taken_at_ms, sample.value)
        return [Draft(rank, batch.part(start, start + READINGS_MAX))
                for rank, batch in sorted_out.items()
                for start in range(0, len(batch), READINGS_MAX)]

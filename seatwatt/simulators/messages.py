"""Readings as messages: a pack of many devices, or a message a device and instant."""

from collections.abc import Iterator

from seatwatt.contract.readings import ReadingBatch
from seatwatt.contract.senmlwrite import encode_device, encode_pack
from seatwatt.contract.topics import Topic

GATEWAY = ("plant", "simulator")
"""Zone and name under which packs are published."""

Outgoing = tuple[int, str, bytes]
"""When the newest of its readings was taken (UTC milliseconds), topic, payload."""


def packs(batch: ReadingBatch, site: str, size: int) -> Iterator[Outgoing]:
    """The batch, in its order, `size` readings a message."""
    topic = str(Topic(site, "pack", *GATEWAY))
    for start in range(0, len(batch), size):
        part = batch.part(start, start + size)
        yield max(part.taken_at_ms), topic, encode_pack(part)


def singles(batch: ReadingBatch) -> Iterator[Outgoing]:
    """A message for each run of readings of one device at one instant, on the device's topic."""
    start = 0
    for end in range(1, len(batch) + 1):
        if end < len(batch) and batch.series[end].device == batch.series[start].device \
                and batch.taken_at_ms[end] == batch.taken_at_ms[start]:
            continue
        series, taken_at_ms = batch.series[start], batch.taken_at_ms[start]
        device = series.device
        topic = Topic(series.site, device.kind, device.zone, device.name)
        yield taken_at_ms, str(topic), encode_device(batch.part(start, end))
        start = end


def by_device(batch: ReadingBatch) -> ReadingBatch:
    """The batch with all readings of one device and instant side by side, rising in time."""
    order = sorted(range(len(batch)), key=lambda i: (batch.taken_at_ms[i], batch.series[i].device))
    return ReadingBatch([batch.series[i] for i in order], [batch.taken_at_ms[i] for i in order],
                        [batch.values[i] for i in order])


def messages(batch: ReadingBatch, site: str, pack: int) -> Iterator[Outgoing]:
    """`packs` of that size, or with 0 `singles`."""
    return packs(batch, site, pack) if pack else singles(by_device(batch))

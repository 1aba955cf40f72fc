"""Comparing what a sender says it sent with what store and quarantine hold."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import Nature
from seatwatt.contract.readings import Series, SeriesBook
from seatwatt.contract.topics import Topic
from seatwatt.ingest.ports import Decode
from seatwatt.store.ports import Reader
from seatwatt.store.recording_messages import Message

IsKept = Callable[[str, bytes], bool]
"""Whether the quarantine holds a message of this topic and payload."""


@dataclass(slots=True)
class Comparison:
    """What was sent and where it is. Readings sent twice (same series and time) count once."""

    messages: int = 0
    aside: int = 0
    """Of them status messages and receipts, which hold no readings."""
    readings: int = 0
    stored: int = 0
    quarantined: int = 0
    """Messages found in the quarantine."""
    missing: list[str] = field(default_factory=list)
    """What is in neither, by its id: `site/kind/zone/device/quantity at milliseconds`."""


@dataclass(slots=True)
class _Sent:
    value: float | str
    message: Message


def compare(messages: Iterable[Message], decode: Decode, reader: Reader,
            is_kept: IsKept) -> Comparison:
    """Look every reading of `messages` up. Of two of one series and time the later stands."""
    found = Comparison()
    sent: dict[Series, dict[int, _Sent]] = defaultdict(dict)
    book = SeriesBook()
    for message in messages:
        found.messages += 1
        _collect(message, decode, book, sent, found, is_kept)
    for series, by_time in sent.items():
        found.readings += len(by_time)
        _look_up(series, by_time, reader, found, is_kept)
    return found


def _collect(message: Message, decode: Decode, book: SeriesBook,
             sent: dict[Series, dict[int, _Sent]], found: Comparison, is_kept: IsKept) -> None:
    try:
        topic = Topic.parse(message.topic)
    except InputError:
        topic = None
    if topic is not None and not topic.carries_readings:
        found.aside += 1
        return
    decoded = (None if topic is None
               else decode(message.payload, topic, message.received_at_ms, book))
    if decoded is None or decoded.refusals:
        if is_kept(message.topic, message.payload):
            found.quarantined += 1
        else:
            found.missing.append(f"refused message of {message.topic}")
    if decoded is not None:
        batch = decoded.batch
        for series, at_ms, value in zip(batch.series, batch.taken_at_ms, batch.values,
                                        strict=True):
            sent[series][at_ms] = _Sent(value, message)


def _look_up(series: Series, by_time: dict[int, _Sent], reader: Reader, found: Comparison,
             is_kept: IsKept) -> None:
    stored = _stored(series, min(by_time), max(by_time) + 1, reader)
    for at_ms, sent in by_time.items():
        if stored.get(at_ms) == sent.value:
            found.stored += 1
        elif is_kept(sent.message.topic, sent.message.payload):
            found.quarantined += 1
        else:
            found.missing.append(f"{series.site}/{series.device}/{series.quantity.name} at {at_ms}")


def _stored(series: Series, start_ms: int, end_ms: int,
            reader: Reader) -> dict[int, float | str]:
    if series.quantity.nature is Nature.TEXT:
        texts = reader.texts(series.site, series.quantity, start_ms, end_ms)
        return dict(texts.get(series.device, []))
    columns = reader.columns(series.site, series.quantity, start_ms, end_ms, [series.device])
    column = columns.get(series.device)
    if column is None:
        return {}
    return dict(zip(column.times_ms.tolist(), column.values.tolist(), strict=True))

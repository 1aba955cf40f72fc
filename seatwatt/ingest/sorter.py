"""Sorting messages: readings into the parcel's batch, refusals beside them."""

import logging
import re

from seatwatt.contract.errors import InputError
from seatwatt.contract.readings import Refusal, SeriesBook
from seatwatt.contract.rules import Rule
from seatwatt.contract.topics import Topic
from seatwatt.ingest.packets import Cut
from seatwatt.ingest.parcel import Parcel
from seatwatt.ingest.ports import Decode

LOG = logging.getLogger("seatwatt.ingest")
_TOPICS_REMEMBERED = 100_000
_ASIDE = re.compile(rb"seatwatt/v1/[^/]+/(?:status|receipt)/|\$SYS/")


def is_aside(topic: bytes) -> bool:
    """Whether the topic carries the gateways' own business, or the broker's; no readings."""
    return _ASIDE.match(topic) is not None


class Sorter:
    """Decodes messages into parcels; whatever a message holds, it never raises."""

    def __init__(self, decode: Decode, largest_payload: int) -> None:
        self._decode, self._largest = decode, largest_payload
        self._book = SeriesBook()
        self._topics: dict[bytes, Topic | Refusal] = {}

    def add(self, parcel: Parcel, topic: bytes, payload: bytes, received_at_ms: int) -> None:
        """Put the message into the parcel, with its readings or with why it has none."""
        parcel.topics.append(topic)
        parcel.payloads.append(payload)
        parcel.received_at_ms.append(received_at_ms)
        parcel.size += len(topic) + len(payload)
        refusals = self._take(parcel, topic, payload, received_at_ms)
        parcel.ends.append(len(parcel.readings))
        if refusals:
            parcel.refuse(len(parcel.ends) - 1, refusals)

    def _take(self, parcel: Parcel, topic: bytes, payload: bytes,
              received_at_ms: int) -> list[Refusal]:
        where = self._topics.get(topic) or self._look_up(topic)
        if isinstance(where, Refusal):
            return [where]
        if len(payload) > self._largest:
            size = payload.whole_bytes if isinstance(payload, Cut) else len(payload)
            kept = f", kept the first {len(payload)}" if isinstance(payload, Cut) else ""
            return [Refusal(Rule.T10, f"{size} bytes{kept}; at most {self._largest}")]
        try:
            decoded = self._decode(payload, where, received_at_ms, self._book)
        # A message that breaks the decoder must not stop its neighbours, nor come again for ever.
        except Exception as error:
            LOG.exception("decoder failed on a message of %s", where)
            return [Refusal(Rule.T01, f"decoder failed: {type(error).__name__}: {error}")]
        parcel.readings.extend(decoded.batch)
        if decoded.pack_id is not None:
            receipt = f"seatwatt/v1/{where.site}/receipt/{where.zone}/{where.device}"
            parcel.receipts.setdefault(receipt, []).append(decoded.pack_id)
        return list(decoded.refusals)

    def _look_up(self, topic: bytes) -> Topic | Refusal:
        found: Topic | Refusal
        try:
            found = Topic.parse(topic.decode("utf-8"))
        except (InputError, UnicodeDecodeError) as error:
            found = Refusal(Rule.T02, str(error))
        if isinstance(found, Topic) and not found.carries_readings:
            found = Refusal(Rule.T02, f"{found.kind} topics carry no readings")
        if len(self._topics) >= _TOPICS_REMEMBERED:
            self._topics.clear()
        self._topics[topic] = found
        return found

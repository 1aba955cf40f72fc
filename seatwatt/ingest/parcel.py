"""A parcel: what is committed and acknowledged together."""

from dataclasses import dataclass, field

from seatwatt.contract.readings import QuarantinedMessage, ReadingBatch, Refusal
from seatwatt.contract.rules import Rule
from seatwatt.ingest.packets import Retained

PARCEL_BYTES_MAX = 3 << 20
"""A parcel of this many bytes is full, however few readings it holds."""

_DETAILS_SHOWN = 5


@dataclass(slots=True)
class Parcel:
    """Messages and the readings they hold. `started_s` is monotonic: when the first one came.

    Messages stay as they came until the parcel rests, for the journal and for the quarantine.
    """

    started_s: float
    readings: ReadingBatch = field(default_factory=ReadingBatch)
    topics: list[bytes] = field(default_factory=list)
    payloads: list[bytes] = field(default_factory=list)
    received_at_ms: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)
    """The readings of message i are those before `ends[i]` that are not of message i - 1."""
    refused: set[int] = field(default_factory=set)
    """Messages of which something is refused."""
    pending: list[QuarantinedMessage] = field(default_factory=list)
    """What still has to go to the quarantine, one row for each message and rule."""
    acks: dict[int, list[int]] = field(default_factory=dict)
    """Epoch -> mids."""
    receipts: dict[str, list[str]] = field(default_factory=dict)
    """Receipt topic -> ids of packs."""
    size: int = 0
    """Bytes of topics and payloads."""

    def __len__(self) -> int:
        return len(self.ends)

    def refuse(self, message: int, refusals: list[Refusal]) -> None:
        """Mark message number `message` for the quarantine, one row for each rule broken."""
        by_rule: dict[Rule, list[Refusal]] = {}
        for refusal in refusals:
            by_rule.setdefault(refusal.rule, []).append(refusal)
        self.refused.add(message)
        topic = self.topics[message].decode("utf-8", "backslashreplace")
        payload = self.payloads[message]
        self.pending += [QuarantinedMessage(topic, bytes(payload), self.received_at_ms[message],
                                            rule, _told(found), isinstance(payload, Retained))
                         for rule, found in by_rule.items()]


def _told(refusals: list[Refusal]) -> str:
    told = [refusal.detail if refusal.record is None
            else f"record {refusal.record}: {refusal.detail}"
            for refusal in refusals[:_DETAILS_SHOWN]]
    more = len(refusals) - len(told)
    return "; ".join(told) + (f"; and {more} more" if more else "")

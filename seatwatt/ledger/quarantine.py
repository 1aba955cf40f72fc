"""Refused messages, kept as they came until somebody replays them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, select, text

from seatwatt.contract.errors import InputError
from seatwatt.contract.readings import QuarantinedMessage
from seatwatt.contract.rules import Rule
from seatwatt.contract.topics import PREFIX
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.tables import quarantine

_IDS_PER_STATEMENT = 500

_ALL_AT_ONCE = text("""
INSERT INTO quarantine (topic, payload, received_at_ms, rule, detail)
SELECT topic, payload, received_at_ms, rule, detail
FROM unnest(CAST(:topic AS text[]), CAST(:payload AS bytea[]), CAST(:received_at_ms AS bigint[]),
            CAST(:rule AS text[]), CAST(:detail AS text[]))
     WITH ORDINALITY AS given (topic, payload, received_at_ms, rule, detail, place)
ORDER BY place
""")
"""Columns as arrays: PostgreSQL takes them several times faster than row by row."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A quarantined message and its number, which rises with arrival and is never given twice."""

    id: int
    message: QuarantinedMessage


class Quarantine:
    """The quarantine of one ledger. Every method raises StoreUnavailable when it is down."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def put(self, messages: Sequence[QuarantinedMessage]) -> None:
        """Keep all of `messages` durably, or none. Of retained ones that are here already, of
        the same rule and content, no second row is made."""
        if not messages:
            return
        with writing(self._engine) as connection:
            retained = _Retained(connection)
            rows = [row for message, row in zip(messages, map(_row, messages), strict=True)
                    if not (message.retained and retained.here(row))]
            if not rows:
                return
            if connection.dialect.name == "postgresql":
                connection.execute(_ALL_AT_ONCE, {
                    name: [row[name] for row in rows] for name in rows[0]})
            else:
                connection.execute(insert(quarantine), rows)

    def list(self, limit: int = 100, after_id: int = 0, rule: Rule | None = None,
             site: str | None = None, topic_prefix: str = "") -> list[Kept]:
        """At most `limit` messages with an id above `after_id`, in order of id."""
        query = _filtered(select(quarantine), rule, site, topic_prefix)
        query = query.where(quarantine.c.id > after_id).order_by(quarantine.c.id).limit(limit)
        with reading(self._engine) as connection:
            return [_kept(row) for row in connection.execute(query)]

    def get(self, message_id: int) -> Kept:
        """One message; InputError when it is not there (any more)."""
        with reading(self._engine) as connection:
            row = connection.execute(
                select(quarantine).where(quarantine.c.id == message_id)).one_or_none()
        if row is None:
            raise InputError("quarantine", f"there is no message {message_id}")
        return _kept(row)

    def remove(self, ids: Sequence[int]) -> int:
        """Forget these messages, all or none; the number of those that were there."""
        removed = 0
        with writing(self._engine) as connection:
            for start in range(0, len(ids), _IDS_PER_STATEMENT):
                part = ids[start:start + _IDS_PER_STATEMENT]
                removed += connection.execute(
                    delete(quarantine).where(quarantine.c.id.in_(part))).rowcount
        return removed

    def count(self, rule: Rule | None = None, site: str | None = None,
              topic_prefix: str = "") -> int:
        """How many messages are kept."""
        query = _filtered(select(func.count()).select_from(quarantine), rule, site, topic_prefix)
        with reading(self._engine) as connection:
            return int(connection.execute(query).scalar_one())

    def counts(self, site: str | None = None) -> dict[Rule, int]:
        """How many messages are kept, by rule; with `site`, of that site alone."""
        query = _filtered(select(quarantine.c.rule, func.count()).group_by(quarantine.c.rule),
                          None, site, "")
        with reading(self._engine) as connection:
            return {Rule[name]: count for name, count in connection.execute(query)}


class _Retained:
    """Which retained messages are in the quarantine already, as far as one transaction sees."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._met: set[tuple[str, bytes, str]] = set()

    def here(self, row: dict[str, Any]) -> bool:
        """Whether a row like it was kept before, or met by an earlier call."""
        one = (row["topic"], row["payload"], row["rule"])
        if one in self._met:
            return True
        self._met.add(one)
        found = select(quarantine.c.id).where(
            quarantine.c.topic == one[0], quarantine.c.payload == one[1],
            quarantine.c.rule == one[2]).limit(1)
        return self._connection.execute(found).first() is not None


def _row(message: QuarantinedMessage) -> dict[str, Any]:
    return {"topic": _text(message.topic), "payload": message.payload,
            "received_at_ms": message.received_at_ms, "rule": message.rule.name,
            "detail": _text(message.detail)}


def _filtered(query: Select[Any], rule: Rule | None,
              site: str | None, topic_prefix: str) -> Select[Any]:
    if rule is not None:
        query = query.where(quarantine.c.rule == rule.name)
    if site is not None:
        query = query.where(quarantine.c.topic.startswith(f"{PREFIX}/{site}/", autoescape=True))
    if topic_prefix:
        query = query.where(quarantine.c.topic.startswith(topic_prefix, autoescape=True))
    return query


def _kept(row: Row[Any]) -> Kept:
    return Kept(row.id, QuarantinedMessage(row.topic, bytes(row.payload), row.received_at_ms,
                                           Rule[row.rule], row.detail))


def _text(words: str) -> str:
    """What both databases can hold: no NUL, no half surrogates (a detail may quote either)."""
    return words.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode("utf-8")

"""Answers kept for idempotency keys: a request sent twice is done once and answered twice."""

from dataclasses import dataclass

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from seatwatt.contract.errors import ConflictError
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.tables import answers

_UNDER_WAY = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def claim(engine: Engine, caller: str, key: str, request_sha256: str,
          at_ms: int) -> Answer | None:
    """Reserve `key` for this request (None: go ahead), or give the answer it had before.

    ConflictError when the key was used for another request, or its request is under way.
    """
    row = {"caller": caller, "idempotency_key": key, "request_sha256": request_sha256,
           "status": _UNDER_WAY, "headers": {}, "body": b"", "given_at_ms": at_ms}
    try:
        with writing(engine) as connection:
            connection.execute(insert(answers), [row])
    except IntegrityError:
        return _earlier(engine, caller, key, request_sha256)
    return None


def _earlier(engine: Engine, caller: str, key: str, request_sha256: str) -> Answer:
    query = select(answers).where(answers.c.caller == caller, answers.c.idempotency_key == key)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    where = f"idempotency key {key!r}"
    if row is None or row.status == _UNDER_WAY:
        raise ConflictError(where, "the request that came with it is under way",
                            "to be asked again in a moment")
    if row.request_sha256 != request_sha256:
        raise ConflictError(where, "it came with another request before", "a new key")
    return Answer(row.status, row.headers, bytes(row.body))


def keep(engine: Engine, caller: str, key: str, answer: Answer) -> None:
    """Remember what the claimed key's request was answered."""
    with writing(engine) as connection:
        connection.execute(update(answers).where(
            answers.c.caller == caller, answers.c.idempotency_key == key,
        ).values(status=answer.status, headers=answer.headers, body=answer.body))


def release(engine: Engine, caller: str, key: str) -> None:
    """Let the key go: its request was not done, and may be tried again."""
    with writing(engine) as connection:
        connection.execute(delete(answers).where(
            answers.c.caller == caller, answers.c.idempotency_key == key))


def forget_before(engine: Engine, at_ms: int) -> int:
    """Drop answers given before `at_ms`; how many."""
    with writing(engine) as connection:
        return connection.execute(delete(answers).where(answers.c.given_at_ms < at_ms)).rowcount

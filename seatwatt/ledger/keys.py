"""API keys as the ledger keeps them: never the secret, only its SHA-256.

A secret is 256 random bits, so one pass of a fast hash is as good as a slow one
(`docs/decisions/0070-api-keys.md`).
"""

from dataclasses import asdict, dataclass, replace

from sqlalchemy import Engine, insert, select, update
from sqlalchemy.exc import IntegrityError

from seatwatt.contract.errors import InputError
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.tables import api_keys

FIRST = "first"
"""The id of the key that the first start makes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiKey:
    """One key. `site_id` None: every site; `tenant` belongs to the role tenant alone."""

    id: str
    name: str
    role: str
    site_id: str | None
    tenant: str | None
    secret_sha256: str
    created_at_ms: int
    created_by: str
    expires_at_ms: int | None = None
    revoked_at_ms: int | None = None


def add_key(engine: Engine, key: ApiKey) -> None:
    """Keep a new key."""
    with writing(engine) as connection:
        connection.execute(insert(api_keys), [asdict(key)])


def add_first_key(engine: Engine, key: ApiKey) -> bool:
    """Keep `key` if there is none at all; whether it was kept. Its id is the same whoever makes
    it, so that of two processes starting together one succeeds."""
    first = replace(key, id=FIRST)
    try:
        with writing(engine) as connection:
            if connection.execute(select(api_keys.c.id).limit(1)).first() is not None:
                return False
            connection.execute(insert(api_keys), [asdict(first)])
            return True
    except IntegrityError:
        return False


def list_keys(engine: Engine) -> list[ApiKey]:
    """All keys, revoked and expired ones too, oldest first."""
    query = select(api_keys).order_by(api_keys.c.created_at_ms, api_keys.c.id)
    with reading(engine) as connection:
        return [ApiKey(**row) for row in connection.execute(query).mappings()]


def find_key(engine: Engine, key_id: str) -> ApiKey | None:
    """The key of this id."""
    query = select(api_keys).where(api_keys.c.id == key_id)
    with reading(engine) as connection:
        row = connection.execute(query).mappings().one_or_none()
    return None if row is None else ApiKey(**row)


def revoke_key(engine: Engine, key_id: str, at_ms: int) -> ApiKey:
    """End the key now, for ever; the first revocation stands. InputError when there is none."""
    with writing(engine) as connection:
        connection.execute(update(api_keys).where(
            api_keys.c.id == key_id, api_keys.c.revoked_at_ms.is_(None)
        ).values(revoked_at_ms=at_ms))
    key = find_key(engine, key_id)
    if key is None:
        raise InputError("key", f"there is no key {key_id!r}")
    return key

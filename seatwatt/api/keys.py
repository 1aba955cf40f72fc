"""API keys: made once, shown once, kept as a hash, limited in rate, revocable."""

import hashlib
import hmac
import secrets
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from seatwatt.api.access import Caller, Role
from seatwatt.api.problems import Problem
from seatwatt.api.rate import RateLimit
from seatwatt.ledger.deeds import Deed, note
from seatwatt.ledger.keys import FIRST, ApiKey, add_first_key, add_key, find_key
from seatwatt.settings import ApiSettings

_PREFIX = "sw"
_REMEMBERED_MS = 2_000
_KNOWN_MAX = 4096


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made, with the secret that is never seen again."""

    key: ApiKey
    secret: str


def make_key(engine: Engine, *, name: str, role: Role, site: str | None, tenant: str | None,
             created_by: str, now_ms: int, expires_at_ms: int | None) -> NewKey:
    """Make a key and keep its hash."""
    made = _new(secrets.token_hex(6), name, role, created_by, now_ms, site, tenant, expires_at_ms)
    add_key(engine, made.key)
    note(engine, Deed(at_ms=now_ms, who=created_by, action="made the key", subject=made.key.id,
                      site=site, detail=f"{name}, role {role.value}"))
    return made


def make_first_key(engine: Engine, now_ms: int) -> str | None:
    """The operator's secret when the ledger had no key at all; else None."""
    made = _new(FIRST, "first start", Role.OPERATOR, "first start", now_ms)
    return made.secret if add_first_key(engine, made.key) else None


def _new(key_id: str, name: str, role: Role, created_by: str, now_ms: int,
         site: str | None = None, tenant: str | None = None,
         expires_at_ms: int | None = None) -> NewKey:
    secret = f"{_PREFIX}_{key_id}_{secrets.token_urlsafe(32)}"
    return NewKey(ApiKey(id=key_id, name=name, role=role.value, site_id=site, tenant=tenant,
                         secret_sha256=_digest(secret), created_at_ms=now_ms,
                         created_by=created_by, expires_at_ms=expires_at_ms), secret)


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


class LedgerKeys:
    """Checks secrets against the ledger; a found key is remembered for two seconds, so that a
    revocation holds at once for people and costs no query a request."""

    def __init__(self, engine: Engine, clock: Callable[[], int], settings: ApiSettings) -> None:
        self._engine, self._clock = engine, clock
        self._rate = RateLimit(settings.api_rate_per_s, settings.api_rate_burst)
        self._known: OrderedDict[str, tuple[int, ApiKey | None]] = OrderedDict()
        self._lock = threading.Lock()

    def caller(self, secret: str) -> Caller:
        """Whose key it is; 401 when it opens nothing, 429 when it is used too often."""
        now_ms = self._clock()
        key = self._key(secret, now_ms)
        if key is None or not hmac.compare_digest(key.secret_sha256, _digest(secret)):
            raise _unauthorized("an API key is needed: Authorization: Bearer KEY")
        if key.revoked_at_ms is not None:
            raise _unauthorized("the API key was revoked")
        if key.expires_at_ms is not None and key.expires_at_ms <= now_ms:
            raise _unauthorized("the API key has expired")
        wait_s = self._rate.take(key.id, now_ms)
        if wait_s:
            raise Problem(429, "too-many-requests", f"too many requests with key {key.id}",
                          {"retry-after": str(wait_s)})
        return Caller(role=Role(key.role), key_id=key.id, site=key.site_id, tenant=key.tenant)

    def _key(self, secret: str, now_ms: int) -> ApiKey | None:
        prefix, _, rest = secret.partition("_")
        key_id, _, random = rest.partition("_")
        if prefix != _PREFIX or not random or len(key_id) > 16 or not secret.isascii():
            return None
        with self._lock:
            at_ms, key = self._known.get(key_id, (None, None))
        if at_ms is not None and 0 <= now_ms - at_ms < _REMEMBERED_MS:
            return key
        key = find_key(self._engine, key_id)
        with self._lock:
            self._known[key_id] = (now_ms, key)
            while len(self._known) > _KNOWN_MAX:
                self._known.popitem(last=False)
        return key


def _unauthorized(detail: str) -> Problem:
    return Problem(401, "unauthorized", detail, {"www-authenticate": "Bearer"})

"""Log-ins: a name and a password against the ledger, and the session that they start."""

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from seatwatt.api import passwords
from seatwatt.api.access import Caller, Role
from seatwatt.api.attempts import Attempts
from seatwatt.api.cookies import new_token
from seatwatt.api.problems import Problem
from seatwatt.api.rate import RateLimit
from seatwatt.api.users import NAME_LENGTH_MAX
from seatwatt.contract.errors import InputError
from seatwatt.ledger.deeds import Deed, note
from seatwatt.ledger.users import (
    Session,
    User,
    end_session,
    find_session,
    find_user,
    rehash_password,
    set_password,
    start_session,
    touch_session,
)
from seatwatt.settings import ApiSettings

_TOUCHED_MS = 60_000
"""How often a session's last use is written down."""
_WRONG = "the name or the password is wrong"
MUST_CHANGE = "password-change"
"""The kind of problem that a new password solves."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """A session just started, and whose."""

    token: str
    user: User


class LedgerSessions:
    """Sessions that rest in the ledger, so that every process of the API knows them and what ends
    one ends it at once."""

    def __init__(self, engine: Engine, clock: Callable[[], int], settings: ApiSettings,
                 attempts: Attempts) -> None:
        self._engine, self._clock, self._attempts = engine, clock, attempts
        self._rate = RateLimit(settings.api_rate_per_s, settings.api_rate_burst)
        self._idle_ms = settings.api_session_idle_min * 60_000
        self._longest_ms = settings.api_session_hours * 3_600_000

    def caller(self, token: str) -> Caller | None:
        """Whose session it is, None when it is over; 403 before a one-time password is changed,
        429 when it is used too often."""
        user = self.user(token)
        if user is None:
            return None
        if user.must_change:
            raise Problem(403, MUST_CHANGE, "the password must be changed first")
        wait_s = self._rate.take(user.id, self._clock())
        if wait_s:
            raise Problem(429, "too-many-requests", f"too many requests of {user.name}",
                          {"retry-after": str(wait_s)})
        return Caller(role=Role(user.role), key_id=user.id, site=user.site_id,
                      tenant=user.tenant, user=user.name)

    def user(self, token: str) -> User | None:
        """Who is logged in by this token, even if the password must be changed first."""
        if not token:
            return None
        found, now_ms = find_session(self._engine, _digest(token)), self._clock()
        if found is None:
            return None
        session, user = found
        over = now_ms >= min(session.ends_at_ms, session.seen_at_ms + self._idle_ms)
        if over or user.disabled_at_ms is not None:
            return None
        if now_ms - session.seen_at_ms >= _TOUCHED_MS:
            touch_session(self._engine, session.token_sha256, now_ms)
        return user

    def log_in(self, name: str, password: str, address: str) -> LoggedIn:
        """A new session; 401 when name or password is wrong, 429 after too many of those."""
        name = name.strip().lower()[:NAME_LENGTH_MAX + 1]
        self._attempts.log_in_begins(address, name)
        user = self._checked(name, password, address)
        token = self._start(user)
        self._attempts.log_in_succeeded(address, name)
        self._note(user.name, "logged in", user, f"from {address}")
        return LoggedIn(token, user)

    def change_password(self, token: str, old: str, new: str, address: str) -> LoggedIn:
        """A new password and a new session in place of all there were. InputError for a password
        that is no good, 401 when the old one is wrong."""
        user = self.user(token)
        if user is None:
            raise Problem(401, "unauthorized", "the session is over; log in again")
        passwords.check_new(new, user.name)
        if old == new:
            raise InputError("password", "the new one is the old one", "another")
        self._attempts.log_in_begins(address, user.name)
        self._checked(user.name, old, address)
        changed = set_password(self._engine, user.name, passwords.hashed(new), must_change=False)
        self._attempts.log_in_succeeded(address, user.name)
        self._note(user.name, "changed the password", user, f"from {address}")
        return LoggedIn(self._start(changed), changed)

    def log_out(self, token: str) -> None:
        """The session ends; of one that is over there is nothing to end."""
        user = self.user(token)
        if user is not None:
            end_session(self._engine, _digest(token))
            self._note(user.name, "logged out", user, "")

    def _checked(self, name: str, password: str, address: str) -> User:
        user = find_user(self._engine, name)
        right = passwords.matches(user.password_hash if user else passwords.nobodys(), password)
        if user is None or not right:
            # A name that nobody has may be a password in the wrong field: it is not written down.
            self._note(name if user else "somebody", "failed to log in", user, f"from {address}")
            raise Problem(401, "unauthorized", _WRONG)
        if user.disabled_at_ms is not None:
            self._note(name, "failed to log in", user, f"from {address}: disabled")
            raise Problem(401, "unauthorized", f"the user {name} is disabled")
        if passwords.is_outdated(user.password_hash):
            rehash_password(self._engine, user, passwords.hashed(password))
            return find_user(self._engine, name) or user
        return user

    def _start(self, user: User) -> str:
        token, now_ms = new_token(), self._clock()
        session = Session(token_sha256=_digest(token), user_id=user.id, started_at_ms=now_ms,
                          seen_at_ms=now_ms, ends_at_ms=now_ms + self._longest_ms)
        if not start_session(self._engine, session, user.password_hash):
            raise Problem(401, "unauthorized", _WRONG)
        return token

    def _note(self, who: str, action: str, user: User | None, detail: str) -> None:
        note(self._engine, Deed(at_ms=self._clock(), who=who, action=action,
                                subject=user.name if user else "", detail=detail,
                                site=user.site_id if user else None))


def _digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()

"""Making users, and changing them from outside a session."""

import re
import secrets
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Engine

from seatwatt.api import passwords
from seatwatt.api.access import Role
from seatwatt.contract.errors import InputError
from seatwatt.ledger.deeds import Deed, note
from seatwatt.ledger.users import User, add_user, set_disabled, set_password

NAME_LENGTH_MAX = 64
_NAME = re.compile(rf"[a-z0-9][a-z0-9._@-]{{0,{NAME_LENGTH_MAX - 1}}}")


def check_scope(role: Role, site: str | None, tenant: str | None,
                tenants: Sequence[str]) -> None:
    """A tenant's key or user names its site and one of the site's `tenants`; no other role has a
    tenant. InputError says what is missing."""
    if role is not Role.TENANT:
        if tenant is not None:
            raise InputError("tenant", f"the role {role.value} has no tenant", "none")
        return
    if site is None or tenant is None:
        raise InputError("tenant", "the role tenant needs both", "site and tenant")
    if tenant not in tenants:
        raise InputError("tenant", f"{tenant!r} is no tenant of {site}", ", ".join(tenants))


def make_user(engine: Engine, *, name: str, role: Role, site: str | None, tenant: str | None,
              password: str, one_time: bool, by: str, now_ms: int) -> User:
    """Keep a new user. A `one_time` password must be changed at the first log-in."""
    if not _NAME.fullmatch(name):
        raise InputError("name", f"{name!r} is no user name",
                         f"1 to {NAME_LENGTH_MAX} of a-z, 0-9, dot, underscore, @ and hyphen")
    passwords.check_new(password, name)
    user = User(id="u" + secrets.token_hex(6), name=name, role=role.value, site_id=site,
                tenant=tenant, password_hash=passwords.hashed(password), must_change=one_time,
                created_at_ms=now_ms, created_by=by)
    add_user(engine, user)
    _note(engine, by, "added", user, now_ms)
    return user


def give_password(engine: Engine, name: str, password: str, *, one_time: bool, by: str,
                  now_ms: int) -> User:
    """Another password for a user who lost the old one; its sessions end."""
    passwords.check_new(password, name)
    user = set_password(engine, name, passwords.hashed(password), must_change=one_time)
    _note(engine, by, "gave a password to", user, now_ms)
    return user


def disable(engine: Engine, name: str, *, by: str, now_ms: int) -> User:
    """Nobody logs in by this name any more; its sessions end."""
    user = set_disabled(engine, name, now_ms)
    _note(engine, by, "disabled", user, now_ms)
    return user


def enable(engine: Engine, name: str, *, by: str, now_ms: int) -> User:
    """The user may log in again."""
    user = set_disabled(engine, name, None)
    _note(engine, by, "enabled", user, now_ms)
    return replace(user, disabled_at_ms=None)


def _note(engine: Engine, by: str, action: str, user: User, now_ms: int) -> None:
    note(engine, Deed(at_ms=now_ms, who=by, action=action, subject=user.name, site=user.site_id,
                      detail=f"role {user.role}"))

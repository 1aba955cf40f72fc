"""Who asks, and what they may see: four roles, a tenant bound to its own site and party."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from seatwatt.api import cookies
from seatwatt.api.attempts import Attempts, address_of
from seatwatt.api.problems import Problem, not_found


class Role(Enum):
    """What a key, or a user, is for."""

    OPERATOR = "operator"
    ENGINEER = "engineer"
    BILLING = "billing"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who holds the key, or is logged in. `site` limits any role to one site; a tenant's names
    both."""

    role: Role
    key_id: str
    """The id of the key, or of the user."""
    site: str | None = None
    tenant: str | None = None
    user: str | None = None
    """The name of who is logged in; None for a key."""

    @property
    def who(self) -> str:
        """As the trails name it."""
        return f"key {self.key_id}" if self.user is None else self.user

    def may_see_site(self, site: str) -> bool:
        """Whether the key is valid for this site."""
        return self.site is None or self.site == site


class Keys(Protocol):
    """The keys that open the API."""

    def caller(self, secret: str) -> Caller:
        """Whose key it is; raises the 401 or 429 Problem that says why not."""


class Sessions(Protocol):
    """Who is logged in."""

    def caller(self, token: str) -> Caller | None:
        """Whose session it is; None when it is over or never was."""


class OpenAccess:
    """For demonstrations on the loopback address: everybody is the operator."""

    def caller(self, secret: str) -> Caller:
        """The operator, whatever was given."""
        return Caller(role=Role.OPERATOR, key_id="open")


_bearer = HTTPBearer(auto_error=False, description="an API key")
_header = APIKeyHeader(name="x-api-key", auto_error=False, description="an API key")


def _caller(request: Request,
            bearer: Annotated[HTTPAuthorizationCredentials | None, Security(_bearer)],
            header: Annotated[str | None, Security(_header)]) -> Caller:
    secret = bearer.credentials if bearer else header or ""
    caller = _of_key(request, secret) if secret else _of_browser(request)
    site = request.path_params.get("site")
    if site is not None and not caller.may_see_site(site):
        # As if it did not exist: whether it does is not the caller's business.
        raise not_found("site", site)
    return caller


def _of_key(request: Request, secret: str) -> Caller:
    keys: Keys = request.app.state.keys
    try:
        return keys.caller(secret)
    except Problem as problem:
        if problem.status == 401:
            attempts: Attempts = request.app.state.attempts
            attempts.key_failed(address_of(request))
        raise


def _of_browser(request: Request) -> Caller:
    """Who is logged in; else whoever comes without a key, which is nobody unless access is
    open. A browser sends its cookie whoever made it ask: changes need more than that."""
    keys: Keys = request.app.state.keys
    sessions: Sessions = request.app.state.sessions
    token = cookies.token_of(request)
    caller = (sessions.caller(token) if token else None) or keys.caller("")
    if request.method not in cookies.SAFE_METHODS:
        cookies.check_origin(request)
        if caller.user is not None:
            cookies.check_form(token, request.headers.get(cookies.FORM_HEADER, ""))
    return caller


CallerDep = Annotated[Caller, Depends(_caller)]

ALL = tuple(Role)
STAFF = (Role.OPERATOR, Role.ENGINEER, Role.BILLING)


def allow(*roles: Role) -> Callable[[Caller], Awaitable[Caller]]:
    """A dependency that lets only these roles pass (403 for others)."""

    async def check(caller: CallerDep) -> Caller:
        if caller.role not in roles:
            names = ", ".join(role.value for role in roles)
            raise Problem(403, "forbidden",
                          f"a {'key' if caller.user is None else 'user'} of role "
                          f"{caller.role.value} may not do this; expected {names}")
        return caller

    return check


AnyCaller = Annotated[Caller, Depends(allow(*ALL))]
Staff = Annotated[Caller, Depends(allow(*STAFF))]
Technical = Annotated[Caller, Depends(allow(Role.OPERATOR, Role.ENGINEER))]
Billing = Annotated[Caller, Depends(allow(Role.OPERATOR, Role.BILLING))]
Operator = Annotated[Caller, Depends(allow(Role.OPERATOR))]

"""Who asks, and what they may see: four roles, a tenant bound to its own site and party."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Annotated, Protocol

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from fastapi.security.http import HTTPAuthorizationCredentials

from seatwatt.api.problems import Problem, not_found


class Role(Enum):
    """What a key is for."""

    OPERATOR = "operator"
    ENGINEER = "engineer"
    BILLING = "billing"
    TENANT = "tenant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who holds the key. `site` limits any role to one site; a tenant's key names both."""

    role: Role
    key_id: str
    site: str | None = None
    tenant: str | None = None

    def may_see_site(self, site: str) -> bool:
        """Whether the key is valid for this site."""
        return self.site is None or self.site == site


class Keys(Protocol):
    """The keys that open the API."""

    def caller(self, secret: str) -> Caller:
        """Whose key it is; raises the 401 or 429 Problem that says why not."""


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
    keys: Keys = request.app.state.keys
    caller = keys.caller(bearer.credentials if bearer else header or "")
    site = request.path_params.get("site")
    if site is not None and not caller.may_see_site(site):
        # As if it did not exist: whether it does is not the caller's business.
        raise not_found("site", site)
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
                          f"a key of role {caller.role.value} may not do this; expected {names}")
        return caller

    return check


AnyCaller = Annotated[Caller, Depends(allow(*ALL))]
Staff = Annotated[Caller, Depends(allow(*STAFF))]
Technical = Annotated[Caller, Depends(allow(Role.OPERATOR, Role.ENGINEER))]
Billing = Annotated[Caller, Depends(allow(Role.OPERATOR, Role.BILLING))]
Operator = Annotated[Caller, Depends(allow(Role.OPERATOR))]

"""People who may log in, and the trail of what was done that no site's history tells."""

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field

from seatwatt.api.access import Operator, Role
from seatwatt.api.requests import ServicesDep
from seatwatt.api.times import maybe_utc_text, utc_text
from seatwatt.ledger.deeds import Deed, list_deeds
from seatwatt.ledger.users import User, list_users

router = APIRouter(prefix="/v1", tags=["people"])


class UserLine(BaseModel):
    """One user; the password is nowhere."""

    name: str = Field(examples=["ayesha"])
    role: Role
    site: str | None = Field(examples=["workaround"])
    tenant: str | None = Field(examples=["alpha"])
    created_at: str
    created_by: str
    disabled_at: str | None
    must_change: bool = Field(description="whether the password is a one-time one")


class UserList(BaseModel):
    """All users, by name."""

    users: list[UserLine]


class DeedLine(BaseModel):
    """One line of the trail."""

    id: int
    at: str = Field(examples=["2026-10-01T03:12:45.250+00:00"])
    who: str = Field(examples=["ayesha"])
    action: str = Field(examples=["logged in"])
    subject: str = Field(examples=["ayesha"])
    site: str | None
    detail: str = Field(examples=["from 192.0.2.7"])


class DeedList(BaseModel):
    """One page of the trail, the newest first."""

    deeds: list[DeedLine]
    next_cursor: int | None


@router.get("/users", summary="Who may log in")
def users(caller: Operator, services: ServicesDep) -> UserList:
    """Disabled ones too; `seatwatt user` adds and changes them."""
    found = list_users(services.ledger)
    return UserList(users=[_user(user) for user in found if caller.site in (None, user.site_id)])


@router.get("/deeds", summary="Who logged in, and who changed users, keys and more")
def deeds(caller: Operator, services: ServicesDep,
          cursor: Annotated[int | None, Query(ge=0, le=2**62)] = None,
          limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> DeedList:
    """What a site's history, runs and papers do not tell themselves; it can only grow."""
    found = list_deeds(services.ledger, limit + 1, cursor, caller.site)
    page = found[:limit]
    return DeedList(deeds=[_deed(deed) for deed in page],
                    next_cursor=page[-1].id if len(found) > limit else None)


def _user(user: User) -> UserLine:
    return UserLine(name=user.name, role=Role(user.role), site=user.site_id, tenant=user.tenant,
                    created_at=utc_text(user.created_at_ms), created_by=user.created_by,
                    disabled_at=maybe_utc_text(user.disabled_at_ms), must_change=user.must_change)


def _deed(deed: Deed) -> DeedLine:
    return DeedLine(id=deed.id, at=utc_text(deed.at_ms), who=deed.who, action=deed.action,
                    subject=deed.subject, site=deed.site, detail=deed.detail)

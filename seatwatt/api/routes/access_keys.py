"""API keys: make, list, revoke; and who the caller is."""

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Response
from pydantic import BaseModel, Field

from seatwatt.api.access import AnyCaller, Caller, Operator, Role
from seatwatt.api.keys import make_key
from seatwatt.api.problems import not_found
from seatwatt.api.requests import ServicesDep
from seatwatt.api.services import Services
from seatwatt.api.times import maybe_utc_text
from seatwatt.api.users import check_scope
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import to_ms
from seatwatt.ledger.deeds import Deed, note
from seatwatt.ledger.keys import ApiKey, find_key, list_keys, revoke_key

router = APIRouter(prefix="/v1", tags=["keys"])


class KeyLine(BaseModel):
    """One key, without its secret: that is nowhere."""

    id: str = Field(examples=["3f9a0c1b22d4"])
    name: str = Field(examples=["Alpha's accountant"])
    role: Role
    site: str | None = Field(examples=["workaround"])
    tenant: str | None = Field(examples=["alpha"])
    created_at: str
    created_by: str
    expires_at: str | None
    revoked_at: str | None


class KeyList(BaseModel):
    """All keys, oldest first."""

    keys: list[KeyLine]


class KeyMade(KeyLine):
    """A new key; the secret is shown this once."""

    secret: str = Field(examples=["sw_3f9a0c1b22d4_..."])


class KeyWanted(BaseModel):
    """A tenant's key names its site and tenant; other roles may be limited to a site."""

    name: str = Field(min_length=1, max_length=200, pattern=r"^[^\x00-\x1f]*$",
                      examples=["Alpha's accountant"])
    role: Role
    site: str | None = Field(default=None, max_length=40, examples=["workaround"])
    tenant: str | None = Field(default=None, max_length=40, examples=["alpha"])
    expires_at: datetime | None = Field(default=None, examples=["2027-10-01T00:00:00+05:00"])


class Me(BaseModel):
    """What the key, or the log-in, that was used is for."""

    key_id: str = Field(description="of the key, or of the user who is logged in")
    user: str | None = Field(examples=["ayesha"], description="null: it was a key")
    role: Role
    site: str | None
    tenant: str | None


@router.get("/me", summary="Who asks")
def me(caller: AnyCaller) -> Me:
    """Role, and the site and tenant it is limited to."""
    return Me(key_id=caller.key_id, user=caller.user, role=caller.role, site=caller.site,
              tenant=caller.tenant)


@router.get("/keys", summary="API keys")
def keys(caller: Operator, services: ServicesDep) -> KeyList:
    """Revoked and expired ones too."""
    return KeyList(keys=[KeyLine(**_fields(key)) for key in list_keys(services.ledger)
                         if _manages(caller, key)])


@router.post("/keys", summary="Make an API key", status_code=201)
def create(wanted: Annotated[KeyWanted, Body()], caller: Operator,
           services: ServicesDep) -> KeyMade:
    """The secret is in this answer and nowhere else."""
    site = wanted.site if wanted.site is not None else caller.site
    _check(wanted, site, caller, services)
    made = make_key(services.ledger, name=wanted.name, role=wanted.role, site=site,
                    tenant=wanted.tenant, created_by=caller.who,
                    now_ms=services.clock(), expires_at_ms=_expiry(wanted, services))
    return KeyMade(**_fields(made.key), secret=made.secret)


@router.delete("/keys/{id}", summary="Revoke an API key", status_code=204,
               response_class=Response)
def revoke(id: Annotated[str, Path(max_length=16)], caller: Operator,
           services: ServicesDep) -> None:
    """For ever; it opens nothing within two seconds."""
    found = find_key(services.ledger, id)
    if found is None or not _manages(caller, found):
        raise not_found("key", id)
    revoke_key(services.ledger, id, services.clock())
    note(services.ledger, Deed(at_ms=services.clock(), who=caller.who, action="revoked the key",
                               subject=id, site=found.site_id,
                               detail=f"{found.name}, role {found.role}"))


def _manages(caller: Caller, key: ApiKey) -> bool:
    return caller.site is None or caller.site == key.site_id


def _check(wanted: KeyWanted, site: str | None, caller: Caller, services: Services) -> None:
    if site is not None and not (caller.may_see_site(site)
                                 and site in services.declarations.ids()):
        raise InputError("site", f"there is no site {site!r}", "a declared site")
    tenants = [] if site is None else [
        tenant.id for tenant in services.declarations.load(site).site.tenants]
    check_scope(wanted.role, site, wanted.tenant, tenants)


def _expiry(wanted: KeyWanted, services: Services) -> int | None:
    if wanted.expires_at is None:
        return None
    if wanted.expires_at.tzinfo is None:
        raise InputError("expires_at", "it has no time zone", "an RFC 3339 instant")
    expires_at_ms = to_ms(wanted.expires_at)
    if expires_at_ms <= services.clock():
        raise InputError("expires_at", "it is past", "a time to come")
    return expires_at_ms


def _fields(key: ApiKey) -> dict[str, Any]:
    return {"id": key.id, "name": key.name, "role": Role(key.role), "site": key.site_id,
            "tenant": key.tenant, "created_at": maybe_utc_text(key.created_at_ms),
            "created_by": key.created_by, "expires_at": maybe_utc_text(key.expires_at_ms),
            "revoked_at": maybe_utc_text(key.revoked_at_ms)}

"""A whole site as declared: read, create, replace, change; and who changed what and when."""

import json
from typing import Annotated, Any

from fastapi import APIRouter, Body, Query, Request, Response
from fastapi.responses import JSONResponse

from seatwatt.api.access import Operator, Staff
from seatwatt.api.declaring import Item, merged
from seatwatt.api.once import IdempotencyKey, once
from seatwatt.api.requests import DeclaredDep, ServicesDep, SiteId
from seatwatt.api.revisions import IfMatch, check_match, declare, etag
from seatwatt.api.services import Services
from seatwatt.api.shapes import ChangeLine, ChangeList, Document
from seatwatt.api.times import utc_text
from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.sitedocument import site_document
from seatwatt.ledger.sites import TrailEntry, trail

router = APIRouter(prefix="/v1/sites", tags=["declarations"])

_EXAMPLE = {
    "site": "two-tenants", "name": "Two tenants, one board", "time_zone": "Asia/Karachi",
    "currency": "PKR", "interval": "30min", "zones": {"hall-a": {"seats": 4}},
    "meters": {"plant/grid": {"source": "grid", "max_power_w": 50000},
               "hall-a/board": {"parent": "supply", "share": "seats"}},
    "tenants": {"alpha": {"name": "Alpha Contact"}},
    "leases": [{"tenant": "alpha", "seats": ["hall-a/001-002"], "from": "2026-10-01"}]}
SiteBody = Annotated[dict[str, Any], Body(examples=[_EXAMPLE])]


@router.get("/{site}", summary="A site as declared", response_model=Document)
def read_site(_: Staff, declared: DeclaredDep) -> Response:
    """The same mapping as the site file; `ETag` is its revision."""
    return JSONResponse(site_document(declared.site), headers=etag(declared.revision))


@router.post("", summary="Declare a new site", status_code=201, response_model=Document)
def create_site(request: Request, body: SiteBody, caller: Operator, services: ServicesDep,
                idempotency_key: IdempotencyKey = None) -> Response:
    """Refused (409) when the site is declared already; 422 names the field that is wrong."""
    def create() -> Response:
        site_id = body.get("site")
        if not isinstance(site_id, str):
            raise InputError("site", "it is missing", "the site's id")
        if not caller.may_see_site(site_id):
            raise ConflictError("site", "the key is for another site", str(caller.site))
        if site_id in services.declarations.ids():
            raise ConflictError("site", f"{site_id!r} is declared already", "another id")
        declare(services, caller, site_id, body, 0)
        return _shown(services, site_id, 201, {"location": f"/v1/sites/{site_id}"})

    return once(request, json.dumps(body).encode(), idempotency_key, caller, services, create)


@router.put("/{site}", summary="Replace a site's declaration", response_model=Document)
def replace_site(site: SiteId, body: SiteBody, caller: Operator, services: ServicesDep,
                 declared: DeclaredDep, if_match: IfMatch = None) -> Response:
    """All or nothing; `If-Match` carries the ETag that was read."""
    check_match(if_match, declared.revision)
    declare(services, caller, site, body, declared.revision)
    return _shown(services, site)


@router.patch("/{site}", summary="Change a site's declaration", response_model=Document)
def change_site(site: SiteId, body: Annotated[dict[str, Any], Body(
                    examples=[{"name": "Another name", "unaccounted": {"alarm_pct": 8}}])],
                caller: Operator, services: ServicesDep, declared: DeclaredDep,
                if_match: IfMatch = None) -> Response:
    """JSON merge patch (RFC 7396) over the declaration; null takes a field away."""
    check_match(if_match, declared.revision)
    document: Item = merged(site_document(declared.site), body)
    declare(services, caller, site, document, declared.revision)
    return _shown(services, site)


def _shown(services: Services, site: str, status: int = 200,
           headers: dict[str, str] | None = None) -> Response:
    now = services.declarations.load(site)
    return JSONResponse(site_document(now.site), status,
                        {**etag(now.revision), **(headers or {})})


@router.get("/{site}/history", summary="Who changed what and when")
def history(_: Staff, declared: DeclaredDep, services: ServicesDep,
            cursor: Annotated[int, Query(ge=0, le=2**62, description="`next_cursor` of the page "
                                                                     "before")] = 0,
            limit: Annotated[int, Query(ge=1, le=1000)] = 100) -> ChangeList:
    """The site's audit trail, oldest first; it can only grow."""
    entries = trail(services.ledger, declared.site.id, limit=limit + 1, after_id=cursor)
    page = entries[:limit]
    return ChangeList(site=declared.site.id, changes=[_change(entry) for entry in page],
                      next_cursor=page[-1].id if len(entries) > limit else None)


def _change(entry: TrailEntry) -> ChangeLine:
    change = entry.change
    return ChangeLine(id=entry.id, revision=entry.revision, at=utc_text(entry.at_ms),
                      who=entry.who, action=change.action, kind=change.kind, name=change.name,
                      before=change.before, after=change.after)

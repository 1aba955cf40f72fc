"""What a site declares, as resources: zones, meters, exchanges, acceptances, tenants, leases,
bookings. One set of routes for each, made from the table of parts."""

import json
from typing import Annotated, Any
from urllib.parse import quote

from fastapi import APIRouter, Body, Depends, Path, Request, Response
from fastapi.responses import JSONResponse

from seatwatt.api.access import Caller, Staff, allow
from seatwatt.api.declaring import PARTS, Item, Part, added, items_of, merged, removed, replaced
from seatwatt.api.once import IdempotencyKey, once
from seatwatt.api.problems import not_found
from seatwatt.api.requests import DeclaredDep, ServicesDep, SiteId
from seatwatt.api.revisions import IfMatch, check_match, declare, etag
from seatwatt.api.services import Services
from seatwatt.api.shapes import Document, ItemList
from seatwatt.ledger.sites import Declared

ItemId = Annotated[str, Path(description="as the list names it", max_length=200)]


def make_router() -> APIRouter:
    """The routes of every part."""
    router = APIRouter(prefix="/v1/sites/{site}", tags=["declarations"])
    for part in PARTS:
        _add_reading(router, part)
        _add_creating(router, part)
        _add_changing(router, part)
    return router


def _add_reading(router: APIRouter, part: Part) -> None:
    @router.get(f"/{part.name}", summary=f"Declared {part.name}", response_model=ItemList,
                operation_id=f"list_{part.name}")
    def listed(_: Staff, declared: DeclaredDep) -> Response:
        items = [{"id": id_, **item} for id_, item in items_of(declared.site, part).items()]
        return JSONResponse({"items": items}, headers=etag(declared.revision))

    @router.get(f"/{part.name}/{{id:path}}", summary=f"One {part.one}", response_model=Document,
                operation_id=f"read_{part.one}")
    def read(id: ItemId, _: Staff, declared: DeclaredDep) -> Response:
        return _shown(declared, part, id)


def _add_creating(router: APIRouter, part: Part) -> None:
    Changer = Annotated[Caller, Depends(allow(*part.changed_by))]
    NewItem = Annotated[dict[str, Any], Body(examples=[part.example])]

    @router.post(f"/{part.name}", summary=f"Declare a {part.one}", status_code=201,
                 response_model=Document, operation_id=f"create_{part.one}",
                 description="Refused with the reason when it is at odds with what is declared "
                             "(409) or wrong in itself (422).")
    def create(site: SiteId, request: Request, body: NewItem, caller: Changer,
               services: ServicesDep, declared: DeclaredDep, if_match: IfMatch = None,
               idempotency_key: IdempotencyKey = None) -> Response:
        def do() -> Response:
            check_match(if_match, declared.revision, needed=False)
            declare(services, caller, site, added(declared.site, part, body), declared.revision)
            return _created(services, declared, part)

        return once(request, json.dumps(body).encode(), idempotency_key, caller, services, do)


def _created(services: Services, before: Declared, part: Part) -> Response:
    now = services.declarations.load(before.site.id)
    old = items_of(before.site, part)
    new_id = next(id_ for id_ in items_of(now.site, part) if id_ not in old)
    answer = _shown(now, part, new_id, 201)
    answer.headers["location"] = f"/v1/sites/{now.site.id}/{part.name}/{quote(new_id)}"
    return answer


def _add_changing(router: APIRouter, part: Part) -> None:
    Changer = Annotated[Caller, Depends(allow(*part.changed_by))]
    path = f"/{part.name}/{{id:path}}"

    @router.patch(path, summary=f"Change a {part.one}", response_model=Document,
                  operation_id=f"change_{part.one}",
                  description="JSON merge patch (RFC 7396). A lease is ended by giving it a `to`.")
    def change(site: SiteId, id: ItemId, caller: Changer, services: ServicesDep,
               declared: DeclaredDep, body: Annotated[dict[str, Any], Body(examples=[
                   {"to": "2026-12-01"} if part.name == "leases" else part.example])],
               if_match: IfMatch = None) -> Response:
        _present(declared, part, id)
        check_match(if_match, declared.revision)
        document = replaced(declared.site, part, id, lambda old: _object(merged(old, body)))
        declare(services, caller, site, document, declared.revision)
        return _shown(services.declarations.load(site), part, id)

    @router.delete(path, summary=f"Withdraw a {part.one}", status_code=204, response_class=Response,
                   operation_id=f"withdraw_{part.one}",
                   description="For what should never have been declared; the history keeps it.")
    def withdraw(site: SiteId, id: ItemId, caller: Changer, services: ServicesDep,
                 declared: DeclaredDep, if_match: IfMatch = None) -> Response:
        _present(declared, part, id)
        check_match(if_match, declared.revision)
        saved = declare(services, caller, site, removed(declared.site, part, id),
                        declared.revision)
        return Response(status_code=204, headers=etag(saved.revision))


def _object(value: Any) -> Item:
    return dict(value)


def _present(declared: Declared, part: Part, id_: str) -> Item:
    item = items_of(declared.site, part).get(id_)
    if item is None:
        raise not_found(part.one, id_)
    return item


def _shown(declared: Declared, part: Part, id_: str, status: int = 200) -> JSONResponse:
    item = {"id": id_, **_present(declared, part, id_)}
    return JSONResponse(item, status, etag(declared.revision))

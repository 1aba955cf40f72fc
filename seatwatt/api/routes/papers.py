"""Bills, tariffs and occupancy plans as resources: the mapping of their files, revision by
revision. One set of routes for each kind."""

import json
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Request, Response
from fastapi.responses import JSONResponse

from seatwatt.api.access import Billing
from seatwatt.api.once import IdempotencyKey, once
from seatwatt.api.problems import not_found
from seatwatt.api.requests import DeclaredDep, ServicesDep, SiteId
from seatwatt.api.revisions import IfMatch, check_match, etag
from seatwatt.api.services import Services
from seatwatt.api.shapes import Document, ItemList
from seatwatt.contract.errors import InputError
from seatwatt.ledger.papers import Paper, list_papers, withdraw_paper
from seatwatt.settlement.papers import declare_paper, kind_of


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of paper: its path, its field in the ledger, and an example."""

    path: str
    field: str
    one: str
    example: dict[str, Any]


KINDS = (
    Kind("bills", "bill", "bill", {
        "bill": "pesco-2026-09", "supplier": "PESCO", "source": "grid", "currency": "PKR",
        "period": {"from": "2026-09-01", "to": "2026-10-01"},
        "lines": [{"id": "energy-peak", "amount": "507435.60", "share_by": "energy",
                   "band": "peak"},
                  {"id": "fixed", "amount": "172500.00", "share_by": "demand"}],
        "payable": "679936.00"}),
    Kind("tariffs", "tariff", "tariff", {
        "tariff": "a-2c-2026-02", "supplier": "PESCO", "source": "grid", "currency": "PKR",
        "document": "S.R.O. 279(I)/2026", "from": "2026-02-12",
        "lines": [{"id": "energy-peak", "price": "43.82", "per": "kwh", "band": "peak"},
                  {"id": "fixed", "price": "1250", "per": "kw", "at_least_kw": "50"}]}),
    Kind("occupancy-plans", "occupancy", "occupancy plan", {
        "occupancy": "usd-55", "currency": "USD",
        "rates": [{"amount": "55.00", "from": "2026-01-01"}],
        "waivers": [{"tenant": "alpha", "from": "2026-01-01", "to": "2026-04-01"}]}),
)
Name = Annotated[str, Path(description="the paper's own id", max_length=200)]


def make_router() -> APIRouter:
    """The routes of every kind."""
    router = APIRouter(prefix="/v1/sites/{site}", tags=["bills"])
    for kind in KINDS:
        _add_reading(router, kind)
        _add_creating(router, kind)
        _add_changing(router, kind)
    return router


def _add_reading(router: APIRouter, kind: Kind) -> None:
    @router.get(f"/{kind.path}", summary=f"All {kind.one}s", response_model=ItemList,
                operation_id=f"list_{kind.field}")
    def listed(_: Billing, declared: DeclaredDep, services: ServicesDep) -> Response:
        found = list_papers(services.ledger, declared.site.id, kind.field)
        return JSONResponse({"items": [{"id": paper.name, "revision": paper.revision,
                                        **paper.document} for paper in found]})

    @router.get(f"/{kind.path}/{{id:path}}", summary=f"One {kind.one}", response_model=Document,
                operation_id=f"read_{kind.field}")
    def read(id: Name, _: Billing, declared: DeclaredDep, services: ServicesDep) -> Response:
        return _shown(_present(services, declared.site.id, kind, id))


def _add_creating(router: APIRouter, kind: Kind) -> None:
    NewPaper = Annotated[dict[str, Any], Body(examples=[kind.example])]

    @router.post(f"/{kind.path}", summary=f"Enter a {kind.one}", status_code=201,
                 response_model=Document, operation_id=f"create_{kind.field}",
                 description="The mapping of its file, checked against the site: lines that do "
                             "not meet the payable, unknown bands and parties are refused.")
    def create(site: SiteId, request: Request, body: NewPaper, caller: Billing,
               services: ServicesDep, _: DeclaredDep,
               idempotency_key: IdempotencyKey = None) -> Response:
        def do() -> Response:
            _check_kind(kind, body)
            paper = declare_paper(services.ledger, site, body, caller.who,
                                  services.clock(), expected_revision=0)
            answer = _shown(paper, 201)
            answer.headers["location"] = f"/v1/sites/{site}/{kind.path}/{paper.name}"
            return answer

        return once(request, json.dumps(body).encode(), idempotency_key, caller, services, do)


def _add_changing(router: APIRouter, kind: Kind) -> None:
    @router.put(f"/{kind.path}/{{id:path}}", summary=f"Correct a {kind.one}",
                response_model=Document, operation_id=f"correct_{kind.field}",
                description="A new revision; what was issued with the old one becomes an "
                            "adjustment on the next statement.")
    def correct(site: SiteId, id: Name, caller: Billing, services: ServicesDep, _: DeclaredDep,
                body: Annotated[dict[str, Any], Body(examples=[kind.example])],
                if_match: IfMatch = None) -> Response:
        paper = _present(services, site, kind, id)
        check_match(if_match, paper.revision)
        _check_kind(kind, body)
        if body[kind.field] != id:
            raise InputError(kind.field, "an id does not change", repr(id))
        return _shown(declare_paper(services.ledger, site, body, caller.who,
                                    services.clock(), expected_revision=paper.revision))

    @router.delete(f"/{kind.path}/{{id:path}}", summary=f"Withdraw a {kind.one}",
                   status_code=204, response_class=Response,
                   operation_id=f"withdraw_{kind.field}")
    def withdraw(site: SiteId, id: Name, caller: Billing, services: ServicesDep, _: DeclaredDep,
                 if_match: IfMatch = None) -> Response:
        check_match(if_match, _present(services, site, kind, id).revision)
        withdraw_paper(services.ledger, site, kind.field, id, caller.who,
                       services.clock())
        return Response(status_code=204)


def _check_kind(kind: Kind, body: dict[str, Any]) -> None:
    if kind_of(body)[0] != kind.field:
        raise InputError("document", f"it is a {kind_of(body)[0]}", f"a {kind.one}")


def _present(services: Services, site: str, kind: Kind, name: str) -> Paper:
    found = [paper for paper in list_papers(services.ledger, site, kind.field)
             if paper.name == name]
    if not found:
        raise not_found(kind.one, name)
    return found[0]


def _shown(paper: Paper, status: int = 200) -> JSONResponse:
    return JSONResponse(dict(paper.document), status, etag(paper.revision))

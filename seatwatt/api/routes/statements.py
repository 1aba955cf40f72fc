"""Statements: what a party receives, as JSON, CSV, PDF or Green Button; the accountant's pack."""

import hashlib
import json
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from seatwatt.api.access import AnyCaller, Billing, Caller, Role
from seatwatt.api.problems import Problem, not_found
from seatwatt.api.requests import DeclaredDep, ServicesDep, SiteId
from seatwatt.api.routes.runs import RunId, run_of
from seatwatt.api.services import Services
from seatwatt.api.shapes import Document, ItemList
from seatwatt.contract.errors import InputError
from seatwatt.ledger.runs import Statement, get_statement, list_statements, statements_of
from seatwatt.settlement.green_button import green_button
from seatwatt.settlement.statement_csv import pack, statements_csv
from seatwatt.settlement.statement_pdf import statement_pdf

router = APIRouter(prefix="/v1/sites/{site}", tags=["statements"])


class StatementFormat(StrEnum):
    """How to answer; `Accept` says the same."""

    JSON = "json"
    CSV = "csv"
    PDF = "pdf"
    GREEN_BUTTON = "green-button"


class PackFormat(StrEnum):
    """One CSV of all statements, or a ZIP of one PDF each."""

    CSV = "csv"
    ZIP = "zip"


_MEDIA = {StatementFormat.JSON: "application/json", StatementFormat.CSV: "text/csv",
          StatementFormat.PDF: "application/pdf",
          StatementFormat.GREEN_BUTTON: "application/atom+xml"}
_ANSWERS: dict[int | str, dict[str, Any]] = {200: {
    "description": "the statement; an issued one is the same bytes for ever",
    "content": {media: {} for media in _MEDIA.values()}}}
_PACKS: dict[int | str, dict[str, Any]] = {200: {
    "description": "the pack", "content": {"text/csv": {}, "application/zip": {}}}}
Party = Annotated[str, Path(description="a tenant's id, or `operator`", examples=["alpha"],
                            max_length=100)]


@router.get("/statements", summary="Statements of a party", response_model=ItemList)
def listed(site: SiteId, caller: AnyCaller, services: ServicesDep, _: DeclaredDep,
           party: Annotated[str | None, Query(description="a tenant's key need not say",
                                              max_length=100)] = None) -> Response:
    """The newest first. A tenant sees its own, once they are issued."""
    wanted = _own_party(caller, party)
    found = [each for each in statements_of(services.ledger, site, wanted)
             if _visible(caller, each)]
    return JSONResponse({"items": [_line(each) for each in found]})


def _own_party(caller: Caller, party: str | None) -> str:
    if caller.role is Role.ENGINEER:
        raise Problem(403, "forbidden", "a key of role engineer may not see statements; "
                                        "expected operator, billing, tenant")
    if caller.role is Role.TENANT:
        if party not in (None, caller.tenant):
            raise not_found("party", str(party))
        return str(caller.tenant)
    if party is None:
        raise InputError("query.party", "it is missing", "a tenant's id, or operator")
    return party


def _visible(caller: Caller, statement: Statement) -> bool:
    return caller.role is not Role.TENANT or (statement.serial is not None
                                              and statement.party == caller.tenant)


@router.get("/runs/{id}/statements/{party}", summary="One statement", responses=_ANSWERS,
            response_class=Response)
def read(site: SiteId, id: RunId, party: Party, caller: AnyCaller, services: ServicesDep,
         request: Request, _: DeclaredDep,
         format: Annotated[StatementFormat | None, Query()] = None) -> Response:
    """Charges, energy, registers, how the common part was shared, and the proof that all parties
    add up to the supplier's bill."""
    _own_party(caller, party)
    statement = _statement(services, site, id, party)
    if not _visible(caller, statement):
        raise not_found("statement", f"{id}/{party}")
    chosen = format or _accepted(request)
    name = f"{site}-{id}-{party}"
    return _answer(_rendered(statement, chosen), _MEDIA[chosen],
                   None if chosen is StatementFormat.JSON else f"{name}.{_SUFFIX[chosen]}")


_SUFFIX = {StatementFormat.CSV: "csv", StatementFormat.PDF: "pdf",
           StatementFormat.GREEN_BUTTON: "xml"}


def _statement(services: Services, site: str, run_id: int, party: str) -> Statement:
    run_of(services, site, run_id)
    try:
        return get_statement(services.ledger, run_id, party)
    except InputError:
        raise not_found("statement", f"{run_id}/{party}") from None


def _accepted(request: Request) -> StatementFormat:
    accept = request.headers.get("accept", "")
    return next((format for format, media in _MEDIA.items() if media in accept),
                StatementFormat.JSON)


def _rendered(statement: Statement, format: StatementFormat) -> bytes:
    if format is StatementFormat.JSON:
        return statement.document.encode()
    document = json.loads(statement.document)
    if format is StatementFormat.CSV:
        return statements_csv([document]).encode()
    return statement_pdf(document) if format is StatementFormat.PDF else green_button(document)


@router.get("/runs/{id}/statements", summary="Statements of a run", response_model=ItemList)
def of_run(site: SiteId, id: RunId, _: Billing, services: ServicesDep,
           __: DeclaredDep) -> Response:
    """Every party's, in order of their ids."""
    run_of(services, site, id)
    return JSONResponse({"items": [_line(each) for each in list_statements(services.ledger, id)]})


@router.get("/runs/{id}/pack", summary="The month's pack for the accountant", responses=_PACKS,
            response_class=Response)
def packed(site: SiteId, id: RunId, _: Billing, services: ServicesDep, __: DeclaredDep,
           format: Annotated[PackFormat, Query()] = PackFormat.CSV) -> Response:
    """One CSV with every line of every statement, or one ZIP of PDFs."""
    run_of(services, site, id)
    documents = [json.loads(each.document) for each in list_statements(services.ledger, id)]
    if format is PackFormat.CSV:
        return _answer(statements_csv(documents).encode(), "text/csv", f"{site}-{id}.csv")
    return _answer(pack(documents), "application/zip", f"{site}-{id}.zip")


def _line(statement: Statement) -> Document:
    document = json.loads(statement.document)
    return {"run": statement.run_id, "party": statement.party, "number": document["number"],
            "state": document["state"], "issued_at": document["issued_at"],
            **document["period"], "totals": document["totals"]}


def _answer(body: bytes, media: str, file: str | None) -> Response:
    headers = {"etag": f'"{hashlib.sha256(body).hexdigest()[:32]}"', "vary": "accept"}
    if file is not None:
        headers["content-disposition"] = f'attachment; filename="{file}"'
    return Response(body, headers=headers, media_type=media)

"""Runs: a period drafted, approved and issued; readings by hand that settle what blocks."""

import json
from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from seatwatt.api.access import Billing, Caller, Staff, Technical
from seatwatt.api.once import IdempotencyKey, once
from seatwatt.api.problems import not_found
from seatwatt.api.requests import DeclaredDep, PeriodDep, ServicesDep, SiteId
from seatwatt.api.services import Services
from seatwatt.api.settlements import Settlements
from seatwatt.api.shapes import Document, ItemList
from seatwatt.api.times import utc_text
from seatwatt.api.works import drafted
from seatwatt.billing.bill import Period
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import local_midnight_ms, to_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.ledger.deeds import Deed, note
from seatwatt.ledger.hand_readings import HandReading, add_hand_reading, list_hand_readings
from seatwatt.ledger.runs import Mark, Run, get_run, list_runs, reopen_run
from seatwatt.settlement import runs as use

router = APIRouter(prefix="/v1/sites/{site}", tags=["runs"])

RunId = Annotated[int, Path(ge=1, le=2**62, description="the run's number")]


class RunWanted(BaseModel):
    """Local days [from, to)."""

    model_config = {"populate_by_name": True}

    from_: date = Field(alias="from", examples=["2026-10-01"])
    to: date = Field(examples=["2026-11-01"])


class Reviewed(BaseModel):
    """The draft that was reviewed; the approval is refused when it is another by now."""

    digest: str | None = Field(
        default=None, max_length=64,
        examples=["72bff5a55280fe6ff470f3c207757feda3b12353d2103dd3891e21c8659bc0f0"])


class HandReadingWanted(BaseModel):
    """A register read or estimated by a person, where no device left a reading."""

    device: str = Field(max_length=130, examples=["seat/hall-a/017"])
    at: datetime = Field(examples=["2026-10-01T00:00:00+05:00"])
    register_wh: Decimal = Field(examples=["412387.5"], max_digits=18, decimal_places=3)
    quantity: str = Field(default="", max_length=40, examples=["energy"])
    reason: str = Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]*$",
                        examples=["the sensor died"])


@router.post("/runs", summary="Draft a period", status_code=201, response_model=Document)
def draft(site: SiteId, request: Request, wanted: Annotated[RunWanted, Body()], caller: Billing,
          services: ServicesDep, declared: DeclaredDep,
          idempotency_key: IdempotencyKey = None) -> Response:
    """Compute the period as things stand now and keep it as its draft; drafted again it follows
    late data. Refused (409) once it is approved."""
    def do() -> Response:
        run = services.run(drafted, declared.site.id, Period(from_=wanted.from_, to=wanted.to),
                           _mark(caller, services))
        return JSONResponse(_line(run), 201, {"location": f"/v1/sites/{site}/runs/{run.id}"})

    body = wanted.model_dump_json().encode()
    return once(request, body, idempotency_key, caller, services, do)


@router.get("/runs", summary="Runs", response_model=ItemList)
def listed(_: Billing, declared: DeclaredDep, services: ServicesDep,
           state: Annotated[str | None, Query(pattern="^(draft|approved|issued)$")] = None
           ) -> Response:
    """The newest period first."""
    found = list_runs(services.ledger, declared.site.id, state)
    return JSONResponse({"items": [_line(run) for run in found]})


@router.get("/runs/{id}", summary="One run", response_model=Document)
def read(site: SiteId, id: RunId, _: Billing, services: ServicesDep,
         __: DeclaredDep) -> Response:
    """With the whole computation: parties, charges, findings, what blocks, the digest."""
    run = run_of(services, site, id)
    return JSONResponse({**_line(run), "document": json.loads(run.document)})


@router.post("/runs/{id}/approve", summary="Approve a draft", response_model=Document)
def approve(site: SiteId, id: RunId, caller: Billing, services: ServicesDep, _: DeclaredDep,
            reviewed: Annotated[Reviewed | None, Body()] = None) -> Response:
    """It follows late data no longer. Refused (409) while the period is open, a finding blocks, or
    readings changed in the store since it was drafted."""
    run_of(services, site, id)
    digest = reviewed.digest if reviewed else None
    run = use.approve(services.ledger, services.reader, id, _mark(caller, services), digest)
    return JSONResponse(_line(run))


@router.post("/runs/{id}/reopen", summary="Take an approval back", response_model=Document)
def reopen(site: SiteId, id: RunId, caller: Billing, services: ServicesDep,
           _: DeclaredDep) -> Response:
    """An approved run is a draft again; an issued one never."""
    run_of(services, site, id)
    run = reopen_run(services.ledger, id)
    note(services.ledger, Deed(at_ms=services.clock(), who=caller.who, action="reopened",
                               subject=f"run {id}", site=site, detail=f"{run.from_} to {run.to}"))
    return JSONResponse(_line(run))


@router.post("/runs/{id}/issue", summary="Issue an approved run", response_model=Document)
def issue(site: SiteId, id: RunId, caller: Billing, services: ServicesDep,
          _: DeclaredDep) -> Response:
    """Numbers and freezes its statements, for ever. Of two clients at once one is refused."""
    run_of(services, site, id)
    return JSONResponse(_line(use.issue(services.ledger, id, _mark(caller, services))))


@router.get("/charges", summary="What a period costs as things stand", response_model=Document)
async def charges(request: Request, _: Billing, declared: DeclaredDep, period: PeriodDep
                  ) -> Response:
    """The run as it would be drafted now, provisional charges by the tariff where the bill has
    not come yet; nothing is kept. `from` and `to` are local dates."""
    for name, at_ms in (("from", period.start_ms), ("to", period.end_ms)):
        zone = declared.site.time_zone
        if local_midnight_ms(local_date(at_ms, zone), zone) != at_ms:
            raise InputError(f"query.{name}", "it is no local midnight", "a local date")
    settlements: Settlements = request.app.state.settlements
    return JSONResponse(await settlements.charges(declared, period))


@router.get("/hand-readings", summary="Readings by hand", response_model=ItemList)
def hand_readings(_: Staff, declared: DeclaredDep, services: ServicesDep) -> Response:
    """All of the site, as they were recorded; they are never changed."""
    found = list_hand_readings(services.ledger, declared.site.id)
    return JSONResponse({"items": [{
        "device": str(each.device), "quantity": each.quantity, "at": utc_text(each.taken_at_ms),
        "register_wh": str(each.register_wh), "reason": each.reason,
        "recorded_at": utc_text(each.at_ms), "recorded_by": each.who} for each in found]})


@router.post("/hand-readings", summary="Record a reading by hand", status_code=201,
             response_model=Document)
def record(request: Request, wanted: Annotated[HandReadingWanted, Body()], services: ServicesDep,
           declared: DeclaredDep,
           caller: Technical,
           idempotency_key: IdempotencyKey = None) -> Response:
    """An operator's reading or estimate, with its reason; the next draft uses it."""
    def do() -> Response:
        device = Device.parse(wanted.device, kind="meter")
        given = HandReading(
            site=declared.site.id, device=device, taken_at_ms=_instant_ms(wanted.at),
            register_wh=wanted.register_wh, reason=wanted.reason, at_ms=services.clock(),
            quantity=wanted.quantity or ("energy" if device.kind == "seat" else "energy_import"),
            who=caller.who)
        _check_known(declared.site, device)
        add_hand_reading(services.ledger, given)
        return JSONResponse({"device": str(device), "quantity": given.quantity,
                             "register_wh": str(given.register_wh)}, 201)

    body = wanted.model_dump_json().encode()
    return once(request, body, idempotency_key, caller, services, do)


def run_of(services: Services, site: str, run_id: int) -> Run:
    """The site's run; 404 for none, and for another site's."""
    try:
        run = get_run(services.ledger, run_id)
    except InputError:
        raise not_found("run", str(run_id)) from None
    if run.site != site:
        raise not_found("run", str(run_id))
    return run


def _check_known(site: Site, device: Device) -> None:
    nodes = {node.device for node in site.nodes}
    seats = {Device("seat", zone.name, seat) for zone in site.zones for seat in zone.seats}
    if device not in nodes | seats:
        raise InputError("device", f"{device} is not declared", "a meter or seat of the site")


def _instant_ms(at: datetime) -> int:
    if at.tzinfo is None or not 2000 <= at.year < 2200:
        raise InputError("at", f"{at.isoformat()} is not an instant of our time",
                         "such as 2026-10-01T00:00:00+05:00")
    return to_ms(at)


def _mark(caller: Caller, services: Services) -> Mark:
    return Mark(at_ms=services.clock(), who=caller.who)


def _line(run: Run) -> dict[str, Any]:
    document = json.loads(run.document)
    return {"id": run.id, "site": run.site, "from": run.from_.isoformat(),
            "to": run.to.isoformat(), "state": run.state, "revision": run.revision,
            "digest": run.digest, "drafted": _signed(run.drafted),
            "approved": _signed(run.approved), "issued": _signed(run.issued),
            "blocking": document["blocking"], "totals": document["totals"]}


def _signed(mark: Mark | None) -> dict[str, str] | None:
    return None if mark is None else {"at": utc_text(mark.at_ms), "by": mark.who}

"""Periods and their runs, and the bills that were entered."""

from datetime import date, timedelta
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from seatwatt.api.console.desk import DeskDep, SentDep
from seatwatt.api.console.months import shown_month
from seatwatt.api.console.rendering import go_to
from seatwatt.api.services import Services
from seatwatt.settlement.papers import kind_of
from seatwatt.store.sitefiles import read_yaml_text

router = APIRouter(prefix="/sites/{site}")

_PATHS = {"bill": "bills", "tariff": "tariffs", "occupancy": "occupancy-plans"}


@router.get("/billing")
async def billing(request: Request, site: str, desk: DeskDep,
                  entered: Annotated[str, Query(max_length=100)] = "") -> Response:
    """Runs, the newest first; bills, tariffs and occupancy plans; the tenants."""
    shown = desk.site(site)
    runs = await desk.api.get(f"/v1/sites/{site}/runs")
    papers = {kind: await desk.get_or_say(f"/v1/sites/{site}/{path}")
              for kind, path in _PATHS.items()}
    tenants = await desk.get_or_say(f"/v1/sites/{site}/tenants")
    services: Services = request.app.state.services
    running = shown_month("", services.clock(), shown["time_zone"])
    first, last = _month_before(running.month) if running.open else (running.month,
                                                                     running.after_last)
    return desk.page("billing.html", site=shown, runs=runs["items"], first=first, last=last,
                     papers={kind: found["items"] if found else []
                             for kind, found in papers.items()},
                     tenants=tenants["items"] if tenants else [], entered=entered)


@router.post("/bills")
async def enter(site: str, desk: SentDep) -> Response:
    """A bill, tariff or occupancy plan as its file would have it."""
    document, _ = read_yaml_text(desk.sent("document"), "the text")
    kind, mapping = kind_of(document)
    await desk.api.post(f"/v1/sites/{site}/{_PATHS[kind]}", mapping)
    return go_to(f"/console/sites/{site}/billing?entered={kind}")


@router.post("/runs")
async def draft(site: str, desk: SentDep) -> Response:
    """The period as things stand now."""
    run = await desk.api.post(f"/v1/sites/{site}/runs", {
        "from": desk.sent("from"), "to": desk.sent("to")})
    return go_to(f"/console/sites/{site}/runs/{run['id']}?done=draft")


def _month_before(month: date) -> tuple[date, date]:
    return (month - timedelta(days=1)).replace(day=1), month

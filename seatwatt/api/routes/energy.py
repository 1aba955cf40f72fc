"""Energy of meters, seats, zones and tenants over a period, and the apportionment itself."""

from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse

from seatwatt.api.access import AnyCaller, Caller, Role, Staff
from seatwatt.api.energy_table import EnergyTable, as_csv, as_json, as_ndjson, shown_time
from seatwatt.api.periods import Step
from seatwatt.api.problems import Problem, not_found
from seatwatt.api.requests import (
    DeclaredDep,
    Format,
    FormatDep,
    PeriodDep,
    ServicesDep,
    SettledDep,
    SharedOutDep,
    SiteId,
    streamed,
)
from seatwatt.api.services import Settled
from seatwatt.api.shapes import Document, Energy
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.settlement.forgotten import check_known

router = APIRouter(prefix="/v1/sites/{site}", tags=["energy"])


class By(StrEnum):
    """Whose energy."""

    METER = "meter"
    SEAT = "seat"
    ZONE = "zone"
    TENANT = "tenant"


PartyId = Annotated[str, Path(description="a tenant's id, or `operator`", examples=["alpha"],
                              max_length=100)]

_TABLES: dict[int | str, dict[str, Any]] = {200: {
    "model": Energy, "description": "energy by step",
    "content": {"text/csv": {"schema": {"type": "string"}, "example":
                             "id,from,to,energy_wh,quality\r\nmeter/plant/grid,"
                             "2026-10-01T00:00:00+05:00,2026-10-01T00:30:00+05:00,"
                             "412.125,measured\r\n"},
                "application/x-ndjson": {"schema": {"type": "string"}}}}}


@router.get("/energy", summary="Energy over a period", responses=_TABLES)
def energy(
    site: SiteId, caller: AnyCaller, settled: SettledDep, format: FormatDep,
    services: ServicesDep, declared: DeclaredDep, period: PeriodDep,
    by: Annotated[By, Query(description="whose energy; tenants include `operator`")] = By.METER,
    step: Annotated[Step, Query(description="how finely; hours and days are local")] = Step.DAY,
) -> Response:
    """Energy over [from, to) in Wh. Meters show the differences of their registers; tenants what
    was apportioned to them, so that all parties add up to the supply."""
    if by is By.TENANT:
        check_known(services.ledger, declared.site, period.start_ms)
    table = _own(caller, by, step, settled) if caller.role is Role.TENANT \
        else settled.energy(by.value).by(step, settled.grid)
    return _shown(format, table, settled.grid,
                  {"site": site, "by": by.value, "step": step.value})


def _own(caller: Caller, by: By, step: Step, settled: Settled) -> EnergyTable:
    """What a tenant may see: its own energy, and its own part of the seats it held."""
    if by is By.TENANT:
        return settled.energy(by.value).only({str(caller.tenant)}).by(step, settled.grid)
    if by is By.SEAT and step is Step.TOTAL:
        return settled.seats_of(str(caller.tenant))
    raise Problem(403, "forbidden", "a tenant's key sees its own energy: by=tenant, or by=seat "
                                    "with step=total")


def _shown(format: Format, table: EnergyTable, grid: IntervalGrid,
           head: dict[str, object]) -> Response:
    name = f"{head['site']}-energy-by-{head['by']}"
    if format is Format.CSV:
        return streamed(format, as_csv(table, grid), name)
    if format is Format.NDJSON:
        return streamed(format, as_ndjson(table, grid), name)
    whole = {**head, "from": shown_time(grid.start_ms, grid),
             "to": shown_time(grid.end_ms, grid), "interval_s": grid.interval_s}
    return streamed(format, as_json(whole, table, grid), name)


@router.get("/apportionment", summary="The apportioned period", response_model=Document)
def apportionment(_: Staff, settled: SharedOutDep) -> Response:
    """The same object as `seatwatt apportion --json`: parties, supply, findings, balanced."""
    return JSONResponse(settled.document())


@router.get("/explain/{party}", summary="How a party's total arises", response_model=Document)
def explain(party: PartyId, caller: AnyCaller, settled: SharedOutDep) -> Response:
    """Opening and closing registers, each node's residual and rule, weights, measured and
    estimated parts, findings; the lines add up to the total."""
    document = settled.explain(party)
    if document is None or (caller.role is Role.TENANT and caller.tenant != party):
        raise not_found("party", party)
    return JSONResponse(document)

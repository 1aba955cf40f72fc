"""Energy of meters, seats, zones and tenants over a period, and the apportionment itself."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response
from fastapi.responses import JSONResponse

from seatwatt.api.access import AnyCaller, Role, Staff
from seatwatt.api.energy_table import EnergyTable, as_csv, as_json, as_ndjson, shown_time
from seatwatt.api.periods import Step
from seatwatt.api.problems import Problem, not_found
from seatwatt.api.requests import (
    MEDIA,
    DeclaredDep,
    Format,
    FormatDep,
    PeriodDep,
    ServicesDep,
    SettledDep,
    SharedOutDep,
    SiteId,
    headers_of,
    streamed,
)
from seatwatt.api.services import Settled
from seatwatt.api.shapes import Document, Energy
from seatwatt.api.shown import POINTS_MAX, Shown
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
    request: Request, site: SiteId, caller: AnyCaller, settled: SettledDep, format: FormatDep,
    services: ServicesDep, declared: DeclaredDep, period: PeriodDep,
    by: Annotated[By, Query(description="whose energy; tenants include `operator`")] = By.METER,
    step: Annotated[Step, Query(description="how finely; hours and days are local")] = Step.DAY,
) -> Response:
    """Energy over [from, to) in Wh. Meters show the differences of their registers; tenants what
    was apportioned to them, so that all parties add up to the supply."""
    if by is By.TENANT:
        check_known(services.ledger, declared.site, period.start_ms)
    if caller.role is Role.TENANT:
        _check_own(by, step)
    tenant = caller.tenant if caller.role is Role.TENANT else None
    asked = _Asked(format, by, step, {"site": site, "by": by.value, "step": step.value})
    whole = len(settled.grid) if tenant is not None else settled.energy(by.value).quality.size
    if step is Step.INTERVAL and whole > POINTS_MAX:
        return asked.streamed(asked.table(settled, tenant), settled.grid)
    answers: Shown = request.app.state.shown
    return answers.answer(
        request, (site, period, format, by, step, tenant), settled,
        lambda: asked.parts(asked.table(settled, tenant), settled.grid),
        headers_of(format, asked.name), MEDIA[format])


def _check_own(by: By, step: Step) -> None:
    """What a tenant may see: its own energy, and its own part of the seats it held."""
    if by is By.TENANT or (by is By.SEAT and step is Step.TOTAL):
        return
    raise Problem(403, "forbidden", "a tenant's key sees its own energy: by=tenant, or by=seat "
                                    "with step=total")


@dataclass(frozen=True, slots=True)
class _Asked:
    """How energy is asked for."""

    format: Format
    by: By
    step: Step
    head: dict[str, object]

    @property
    def name(self) -> str:
        """What a file of it is called."""
        return f"{self.head['site']}-energy-by-{self.by.value}"

    def table(self, settled: Settled, tenant: str | None) -> EnergyTable:
        """The steps; of one tenant only its own."""
        if tenant is None:
            return settled.energy(self.by.value).by(self.step, settled.grid)
        if self.by is By.SEAT:
            return settled.seats_of(tenant)
        return settled.energy(self.by.value).only({tenant}).by(self.step, settled.grid)

    def parts(self, table: EnergyTable, grid: IntervalGrid) -> Iterator[bytes]:
        """The answer's body, a series at a time."""
        if self.format is Format.CSV:
            return as_csv(table, grid)
        if self.format is Format.NDJSON:
            return as_ndjson(table, grid)
        return as_json({**self.head, "from": shown_time(grid.start_ms, grid),
                        "to": shown_time(grid.end_ms, grid), "interval_s": grid.interval_s},
                       table, grid)

    def streamed(self, table: EnergyTable, grid: IntervalGrid) -> Response:
        """The answer while it is made."""
        return streamed(self.format, self.parts(table, grid), self.name)


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

"""What routes share: the app's services, the site of the path, the period and format asked for."""

from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query, Request
from fastapi.responses import StreamingResponse

from seatwatt.api.access import CallerDep
from seatwatt.api.documentation import PROBLEM_TYPE
from seatwatt.api.periods import Period, parse_period
from seatwatt.api.problems import Problem, ProblemDetails
from seatwatt.api.services import Services, Settled
from seatwatt.api.settlements import Settlements
from seatwatt.contract.errors import InputError
from seatwatt.ledger.sites import Declared
from seatwatt.settlement.forgotten import check_known

SiteId = Annotated[str, Path(description="the site's id", examples=["workaround"],
                             max_length=100)]
From = Annotated[str, Query(
    alias="from", description="first local date, or an RFC 3339 instant",
    examples=["2026-10-01"], max_length=40)]
To = Annotated[str, Query(description="local date or instant that ends the period, not in it",
                          examples=["2026-11-01"], max_length=40)]


class Format(StrEnum):
    """How to answer; `Accept` says the same."""

    JSON = "json"
    CSV = "csv"
    NDJSON = "ndjson"


MEDIA = {Format.JSON: "application/json", Format.CSV: "text/csv; charset=utf-8",
          Format.NDJSON: "application/x-ndjson"}


async def services(request: Request) -> Services:
    """The app's services. (What only looks something up is async: no thread is woken for it.)"""
    found: Services = request.app.state.services
    return found


ServicesDep = Annotated[Services, Depends(services)]


def declared(site: SiteId, _: CallerDep, services: ServicesDep) -> Declared:
    """The declared site of the path; 404 when there is none. The caller comes first: without a
    key for it, nobody learns whether it exists."""
    try:
        return services.declarations.load(site)
    except InputError:
        raise Problem(404, "not-found", f"there is no declared site {site!r}; "
                                        "declare it with `seatwatt site apply FILE`") from None


DeclaredDep = Annotated[Declared, Depends(declared)]


async def period(declared: DeclaredDep, from_: From, to: To) -> Period:
    """The period asked for, in the site's time zone."""
    return parse_period(from_, to, declared.site.time_zone)


PeriodDep = Annotated[Period, Depends(period)]


async def settled(request: Request, declared: DeclaredDep, period: PeriodDep,
                  cache_control: Annotated[str, Header(include_in_schema=False)] = "") -> Settled:
    """What billing makes of the period; `Cache-Control: no-cache` asks for a new computation."""
    settlements: Settlements = request.app.state.settlements
    return await settlements.get(declared, period, anew="no-cache" in cache_control)


SettledDep = Annotated[Settled, Depends(settled)]


def shared_out(services: ServicesDep, declared: DeclaredDep, period: PeriodDep,
               settled: SettledDep) -> Settled:
    """The settlement, where all that it shares by is still known; InputError otherwise."""
    check_known(services.ledger, declared.site, period.start_ms)
    return settled


SharedOutDep = Annotated[Settled, Depends(shared_out)]


async def chosen_format(request: Request, format: Annotated[Format | None, Query(
        description="answer as JSON, CSV or one JSON object a line; also by Accept")] = None,
        ) -> Format:
    """`format=` wins over `Accept`; JSON when neither speaks."""
    if format is not None:
        return format
    accept = request.headers.get("accept", "")
    if "text/csv" in accept:
        return Format.CSV
    return Format.NDJSON if "ndjson" in accept else Format.JSON


FormatDep = Annotated[Format, Depends(chosen_format)]


def streamed(format: Format, parts: Iterator[bytes], name: str) -> StreamingResponse:
    """`parts` as they come."""
    return StreamingResponse(parts, headers=headers_of(format, name), media_type=MEDIA[format])


def headers_of(format: Format, name: str) -> dict[str, str]:
    """CSV is offered as a file called `name`."""
    if format is Format.CSV:
        return {"vary": "accept", "content-disposition": f'attachment; filename="{name}.csv"'}
    return {"vary": "accept"}


_PROBLEM: dict[str, Any] = {
    "model": ProblemDetails,
    "content": {PROBLEM_TYPE: {"schema": {"$ref": "#/components/schemas/ProblemDetails"}}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "the request is at fault", **_PROBLEM},
    "5XX": {"description": "the service is at fault, or waits for a part of it", **_PROBLEM}}

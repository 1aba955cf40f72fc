"""What a tenant sees: its energy day by day, this month so far, its seats and its statements."""

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from seatwatt.api.console.chart import chart
from seatwatt.api.console.desk import DeskDep
from seatwatt.api.console.months import shown_month
from seatwatt.api.problems import Problem, not_found
from seatwatt.api.services import Services

router = APIRouter(prefix="/sites/{site}/tenants/{tenant}")


@router.get("")
async def tenant(request: Request, site: str, tenant: str, desk: DeskDep,
                 month: Annotated[str, Query(max_length=10)] = "") -> Response:
    """The month that runs unless another is named; provisional while it does."""
    shown = desk.site(site)
    services: Services = request.app.state.services
    # Whoever may not see the tenant's statements may not see this page.
    statements = await desk.api.get(f"/v1/sites/{site}/statements", party=tenant)
    period = shown_month(month, services.clock(), shown["time_zone"])
    span = {"from_": period.from_, "to": period.to}
    energy, explained = await asyncio.gather(
        desk.get_or_say(f"/v1/sites/{site}/energy", by="tenant", step="day", **span),
        _explained(desk.api.get, site, tenant, span, desk.failed))
    days: list[dict[str, Any]] = [
        point for series in (energy["series"] if energy else []) if series["id"] == tenant
        for point in series["points"]]
    return desk.page("tenant.html", site=shown, tenant=tenant, period=period, days=days,
                     chart=chart(days), explained=explained, statements=statements["items"])


async def _explained(get: Any, site: str, tenant: str, span: dict[str, str],
                     failed: list[str]) -> Any:
    """How the total arises; a party that the site does not have is not there at all."""
    try:
        return await get(f"/v1/sites/{site}/explain/{tenant}", **span)
    except Problem as problem:
        if problem.status == 404:
            raise not_found("party", tenant) from None
        if problem.status in (401, 403, 429):
            raise
        failed.append(problem.detail)
        return None

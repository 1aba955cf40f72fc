"""What a month costs as things stand, before anything is drafted."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from seatwatt.api.console.desk import DeskDep
from seatwatt.api.console.findings import described
from seatwatt.api.console.months import shown_month
from seatwatt.api.services import Services
from seatwatt.contract.errors import InputError

router = APIRouter(prefix="/sites/{site}/charges")


@router.get("")
async def charges(request: Request, site: str, desk: DeskDep,
                  month: Annotated[str, Query(max_length=10)] = "") -> Response:
    """Per party kWh and money, by bills and, where none came yet, by the tariff; of the month
    that runs the whole days so far."""
    shown = desk.site(site)
    services: Services = request.app.state.services
    period = shown_month(month, services.clock(), shown["time_zone"])
    to = period.to[:10]
    # Whoever may not see the site's runs may not see this page, on the first of a month neither.
    await desk.api.get(f"/v1/sites/{site}/runs", state="draft")
    if to == period.from_:
        raise InputError("month", "it has no whole day yet", f"such as {period.before}")
    found = await desk.api.get(f"/v1/sites/{site}/charges", from_=period.from_, to=to)
    currencies = sorted({currency for totals in found["totals"].values() for currency in totals})
    return desk.page("charges.html", site=shown, period=period, to=to, found=found,
                     currencies=currencies, parties=found["parties"],
                     blocking=[described(row) for row in found["blocking"]])

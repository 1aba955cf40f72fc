"""Findings of a month, and the three ways to settle what blocks."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response

from seatwatt.api.console.desk import Desk, DeskDep, SentDep
from seatwatt.api.console.months import shown_month
from seatwatt.api.console.rendering import go_to
from seatwatt.api.services import Services
from seatwatt.contract.rules import Rule

router = APIRouter(prefix="/sites/{site}/findings")

Text = Annotated[str, Query(max_length=140)]
SETTLED = {"reading": "The reading by hand is recorded.",
           "acceptance": "The reading is accepted.",
           "exchange": "The exchange is declared."}


@router.get("")
async def findings(request: Request, site: str, desk: DeskDep, month: Text = "",
                   meter: Text = "", at: Text = "", rule: Text = "", done: Text = "") -> Response:
    """What the rules say of the month's registers, what blocks first; `meter`, `at` and `rule`
    fill the forms in."""
    shown = desk.site(site)
    services: Services = request.app.state.services
    period = shown_month(month, services.clock(), shown["time_zone"])
    found = await desk.get_or_say(f"/v1/sites/{site}/apportionment", from_=period.from_,
                                  to=period.to)
    rows = sorted(found["findings"], key=lambda row: not row["blocks"]) if found else []
    return desk.page("findings.html", site=shown, period=period,
                     rows=[described(row) for row in rows], meter=meter, at=at, rule=rule,
                     done=SETTLED.get(done, ""))


@router.post("/reading")
async def reading(site: str, desk: SentDep) -> Response:
    """A register read or estimated by a person."""
    await desk.api.post(f"/v1/sites/{site}/hand-readings", {
        "device": desk.sent("meter"), "at": desk.sent("at"),
        "register_wh": desk.sent("register_wh"), "reason": desk.sent("reason")})
    return _done(site, desk, "reading")


@router.post("/acceptance")
async def acceptance(site: str, desk: SentDep) -> Response:
    """A leap that was real."""
    await desk.api.post(f"/v1/sites/{site}/acceptances", {
        name: desk.sent(name) for name in ("meter", "at", "reason")})
    return _done(site, desk, "acceptance")


@router.post("/exchange")
async def exchange(site: str, desk: SentDep) -> Response:
    """A meter taken out and another put in."""
    await desk.api.post(f"/v1/sites/{site}/exchanges", {
        "meter": desk.sent("meter"), "at": desk.sent("at"),
        "final_wh": _number(desk.sent("final_wh")),
        "initial_wh": _number(desk.sent("initial_wh"))})
    return _done(site, desk, "exchange")


def described(row: dict[str, Any]) -> dict[str, Any]:
    """A finding with its rule's words, and the moment at which it is settled: where the reading
    is missing, or at the reading that leapt."""
    return {**row, "title": Rule[row["rule"]].title,
            "at": row["from"] if row["rule"] == "R01" else row["to"]}


def _number(text: str) -> object:
    """As JSON would have it; what is no number is left for the route to refuse."""
    try:
        return float(text)
    except ValueError:
        return text


def _done(site: str, desk: Desk, what: str) -> Response:
    month = desk.sent("month")
    return go_to(f"/console/sites/{site}/findings?done={what}"
                 + (f"&month={month}" if month.replace("-", "").isdigit() else ""))

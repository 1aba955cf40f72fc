"""One run: what it puts on whom, what blocks it, and the buttons that take it further."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response

from seatwatt.api.console.desk import DeskDep, SentDep
from seatwatt.api.console.findings import described
from seatwatt.api.console.rendering import go_to
from seatwatt.api.problems import Problem, not_found

router = APIRouter(prefix="/sites/{site}/runs/{id}")

_DONE = {"draft": "Drafted: computed as things stand now.",
         "approve": "Approved: the draft follows late data no longer.",
         "reopen": "The approval is taken back.",
         "issue": "Issued: the statements are numbered and frozen."}


@router.get("")
async def run(site: str, id: int, desk: DeskDep,
              done: Annotated[str, Query(max_length=10)] = "") -> Response:
    """Per party kWh and money, findings, and what there is to download."""
    shown = desk.site(site)
    found = await desk.api.get(f"/v1/sites/{site}/runs/{id}")
    statements = await desk.api.get(f"/v1/sites/{site}/runs/{id}/statements")
    document = found["document"]
    numbers = {line["party"]: line["number"] for line in statements["items"]}
    currencies = sorted({currency for totals in found["totals"].values() for currency in totals})
    return desk.page(
        "run.html", site=shown, run=found, document=document, numbers=numbers,
        currencies=currencies, parties=_parties(document, numbers),
        blocking=[described(row) for row in found["blocking"]],
        others=[described(row) for row in document["findings"] if not row["blocks"]],
        done=_DONE.get(done, ""))


@router.post("/{step}")
async def take(site: str, id: int, step: str, desk: SentDep) -> Response:
    """Draft anew, approve, reopen or issue; what was looked at is what is approved."""
    if step == "draft":
        await desk.api.post(f"/v1/sites/{site}/runs", {
            "from": desk.sent("from"), "to": desk.sent("to")})
    elif step == "approve":
        await desk.api.post(f"/v1/sites/{site}/runs/{id}/approve",
                            {"digest": desk.sent("digest")})
    elif step in ("reopen", "issue"):
        await desk.api.post(f"/v1/sites/{site}/runs/{id}/{step}", None)
    else:
        raise not_found("step", step)
    return go_to(f"/console/sites/{site}/runs/{id}?done={step}")


def _parties(document: dict[str, Any], numbers: dict[str, Any]) -> list[dict[str, Any]]:
    """Whoever has a statement, with its energy if it used any."""
    rows = document["parties"]
    if missing := [party for party in rows if party not in numbers]:
        raise Problem(500, "internal", f"the run has no statement of {missing[0]}")
    nothing = {"energy_wh": 0, "estimated_wh": 0}
    return [{"id": party, **{name: rows.get(party, nothing)[name] for name in nothing}}
            for party in numbers]

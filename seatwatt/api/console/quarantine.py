"""Refused messages, and the button that publishes them again."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from seatwatt.api.console.desk import DeskDep, SentDep
from seatwatt.api.console.rendering import go_to
from seatwatt.api.problems import Problem

router = APIRouter(prefix="/quarantine")

_A_PAGE = 50


@router.get("")
async def refused(desk: DeskDep, rule: Annotated[str, Query(max_length=8)] = "",
                  cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
                  replayed: Annotated[int | None, Query(ge=0, le=2**62)] = None) -> Response:
    """Oldest first, by rule if one is named."""
    found = await desk.api.get("/v1/quarantine", rule=rule or None, cursor=cursor, limit=_A_PAGE)
    zones = {site["id"]: site["time_zone"] for site in desk.sites}
    messages = [{**message, "zone": zones.get(_site_of(message["topic"]))}
                for message in found["messages"]]
    return desk.page("quarantine.html", found=found, messages=messages, rule=rule,
                     replayed=replayed)


@router.post("/replay")
async def replay(desk: SentDep) -> Response:
    """What is still wrong comes back with a new number."""
    ids = [int(text) for text in desk.sent_all("id") if text.isdecimal()]
    if not ids:
        raise Problem(422, "input", "no message was chosen; expected at least one")
    done = await desk.api.post("/v1/quarantine/replay", {"ids": ids})
    return go_to(f"/console/quarantine?replayed={done['replayed']}")


def _site_of(topic: str) -> str:
    return topic.split("/")[2] if topic.count("/") > 2 else ""

"""Who may log in, and what was done."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from seatwatt.api.console.desk import DeskDep

router = APIRouter(prefix="/people")


@router.get("")
async def people(desk: DeskDep, cursor: Annotated[int | None, Query(ge=0, le=2**62)] = None
                 ) -> Response:
    """Users, and the trail with the newest first."""
    users = await desk.api.get("/v1/users")
    deeds = await desk.api.get("/v1/deeds", cursor=cursor, limit=50)
    zones = {site["id"]: site["time_zone"] for site in desk.sites}
    return desk.page("people.html", users=users["users"], deeds=deeds["deeds"], zones=zones,
                     next_cursor=deeds["next_cursor"])

"""The console: pages that show what the API's routes answer to whoever is logged in."""

from importlib.resources import files

from fastapi import APIRouter, FastAPI, Response

from seatwatt.api.console import (
    billing,
    charges,
    doors,
    findings,
    overview,
    people,
    quarantine,
    runs,
    technical,
    tenants,
)
from seatwatt.api.console.errors import PREFIX
from seatwatt.api.console.rendering import ICON, STYLE

_MODULES = (doors, overview, technical, findings, quarantine, billing, charges, runs, tenants,
            people)
_style = APIRouter()
_FILES = files(__package__)
_SHEET, _DRAWING = ((_FILES / name).read_bytes() for name in ("style.css", "icon.svg"))
_KEPT = {"cache-control": "max-age=86400", "x-content-type-options": "nosniff"}


def install(app: FastAPI) -> None:
    """Add every page and form."""
    for router in (_style, *(module.router for module in _MODULES)):
        app.include_router(router, prefix="" if router is _style else PREFIX,
                           include_in_schema=False)


@_style.get(STYLE)
async def style() -> Response:
    """How all pages look; nothing on them comes from elsewhere."""
    return Response(_SHEET, media_type="text/css", headers=_KEPT)


@_style.get(ICON)
async def icon() -> Response:
    """The tab's picture."""
    return Response(_DRAWING, media_type="image/svg+xml", headers=_KEPT)

"""Pages that need no network: `/docs` with Swagger UI from a wheel, and a front page of links."""

from importlib.resources import files

import fastapi_offline
from fastapi import APIRouter, FastAPI
from fastapi.openapi.docs import get_swagger_ui_html
from fastapi.responses import HTMLResponse
from fastapi.staticfiles import StaticFiles

_ASSETS = "/docs/assets"
_FRONT = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Seatwatt</title>
<style>body{font:16px/1.5 system-ui,sans-serif;max-width:42rem;margin:3rem auto;padding:0 1rem}
</style></head><body><h1>Seatwatt</h1>
<p>Workstations and utilities of shared offices, and who used which watt-hour.</p><ul>
<li><a href="/docs">API documentation</a> (<a href="/openapi.json">OpenAPI</a>)</li>
<li><a href="/v1/sites">Sites</a></li><li><a href="/v1/jobs">Scheduled jobs</a></li>
<li><a href="/readyz">Readiness</a>, <a href="/metrics">metrics</a></li></ul></body></html>"""


def install(app: FastAPI) -> None:
    """Add `/` and `/docs`; FastAPI's own documentation page would load from a CDN."""
    app.mount(_ASSETS, StaticFiles(directory=str(files(fastapi_offline) / "static")))
    app.include_router(_router(app))


def _router(app: FastAPI) -> APIRouter:
    router = APIRouter(include_in_schema=False)

    @router.get("/")
    async def front() -> HTMLResponse:
        return HTMLResponse(_FRONT)

    @router.get("/docs")
    async def docs() -> HTMLResponse:
        return get_swagger_ui_html(
            openapi_url="/openapi.json", title="Seatwatt API",
            swagger_js_url=f"{_ASSETS}/swagger-ui-bundle.js",
            swagger_css_url=f"{_ASSETS}/swagger-ui.css",
            swagger_favicon_url=f"{_ASSETS}/favicon.png")

    return router

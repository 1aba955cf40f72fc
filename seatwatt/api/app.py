"""The app, composed from its services by argument."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import APIRouter, FastAPI, Response
from prometheus_client import CollectorRegistry
from starlette.types import Scope

from seatwatt import __version__
from seatwatt.api import console, documentation, pages, problems
from seatwatt.api.access import Keys
from seatwatt.api.attempts import Attempts
from seatwatt.api.console import errors
from seatwatt.api.edge import Edge, RequestMetrics
from seatwatt.api.problems import Fault, Problem, problem_response
from seatwatt.api.requests import PROBLEMS
from seatwatt.api.routes import (
    access_keys,
    declarations,
    energy,
    health,
    jobs,
    papers,
    parts,
    people,
    quarantine,
    runs,
    sites,
    statements,
)
from seatwatt.api.scheduler import Scheduler
from seatwatt.api.services import Services
from seatwatt.api.sessions import LedgerSessions
from seatwatt.api.settlements import Settlements
from seatwatt.api.shown import Shown

_ABOUT = """Watches the workstations and utilities of shared offices and apportions every metered
watt-hour to exactly one party. Energies are in Wh, times are RFC 3339, periods are half-open.
Errors are problem details (RFC 9457)."""


def create_app(services: Services, keys: Keys) -> FastAPI:
    """The API over `services`; scheduled jobs run while the app does, if the settings say so."""
    registry = CollectorRegistry()
    settlements = Settlements(services, registry)
    scheduler = Scheduler(services, registry)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if services.settings.api_jobs:
            scheduler.start()
        yield
        scheduler.stop()
        await settlements.close()

    app = FastAPI(title="Seatwatt", version=__version__, description=_ABOUT, lifespan=lifespan,
                  docs_url=None, redoc_url=None, responses=PROBLEMS)
    app.state.services, app.state.keys, app.state.registry = services, keys, registry
    app.state.attempts = attempts = Attempts(services.clock, services.settings)
    app.state.sessions = LedgerSessions(services.ledger, services.clock, services.settings,
                                        attempts)
    app.state.settlements, app.state.scheduler = settlements, scheduler
    app.state.shown = Shown()
    app.add_middleware(Edge, metrics=RequestMetrics(registry), answer=_told)
    problems.install(app, _told)
    pages.install(app)
    console.install(app)
    documentation.install(app)
    for router in _routers():
        app.include_router(router)
    return app


def _told(scope: Scope, problem: Problem, faults: list[Fault]) -> Response:
    """A problem as a page where people look, as a document where programs ask."""
    if errors.is_page(scope["path"]):
        return errors.shown(scope, problem)
    return problem_response(scope, problem, faults)


def _routers() -> list[APIRouter]:
    modules = (sites, energy, declarations, runs, statements, quarantine, jobs, access_keys, people,
               health)
    return [*(module.router for module in modules), parts.make_router(), papers.make_router()]

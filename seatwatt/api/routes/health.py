"""For watchers: alive, ready (or which dependency is not), metrics."""

import asyncio
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

from seatwatt.api.requests import ServicesDep
from seatwatt.api.shapes import Ready
from seatwatt.contract.errors import SeatwattError

router = APIRouter(tags=["health"])

_PING_TIMEOUT_S = 5.0


@router.get("/healthz", summary="Alive", response_class=PlainTextResponse)
async def healthz() -> str:
    """Answers as long as the process does; asks nobody."""
    return "ok\n"


@router.get("/readyz", summary="Ready", responses={503: {"model": Ready, "description":
            "a dependency does not answer; it is named"}})
async def readyz(services: ServicesDep) -> Response:
    """200 when the store and the ledger answer; else 503 with the words of the one that fails."""
    store, ledger = await asyncio.gather(_asked(services.reader.ping),
                                         _asked(services.declarations.ping))
    ready = store == ledger == "ok"
    return JSONResponse({"ready": ready, "dependencies": {"store": store, "ledger": ledger}},
                        200 if ready else 503)


async def _asked(ping: Callable[[], None]) -> str:
    try:
        await asyncio.wait_for(asyncio.to_thread(ping), _PING_TIMEOUT_S)
    except TimeoutError:
        return f"no answer within {_PING_TIMEOUT_S:g} s"
    except SeatwattError as error:
        return str(error)
    return "ok"


@router.get("/metrics", summary="Metrics", response_class=PlainTextResponse)
def metrics(request: Request) -> Response:
    """Prometheus text."""
    return Response(generate_latest(request.app.state.registry),
                    media_type=CONTENT_TYPE_LATEST)

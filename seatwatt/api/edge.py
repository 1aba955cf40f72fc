"""What every request passes: its id, its count and time, and the last net for errors."""

import logging
import re
import secrets
import time

from prometheus_client import CollectorRegistry, Counter, Histogram
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from seatwatt.api.problems import Answer, Problem, UnreadBody
from seatwatt.contract.encoding import HEAD_BYTES, check_encoding
from seatwatt.contract.errors import InputError

BODY_BYTES_MAX = 8_000_000
REQUEST_ID = "x-request-id"
_PROPER_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_log = logging.getLogger("seatwatt.api")


class RequestMetrics:
    """Counts and times of requests, by route template so that names stay few."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter("seatwatt_api_requests", "requests answered",
                                ("method", "route", "status"), registry=registry)
        self.seconds = Histogram("seatwatt_api_request_seconds", "time to answer a request",
                                 ("route",), registry=registry)


class Edge:
    """ASGI wrapper around the whole app.

    Gives each request an id (the caller's own when it is proper), answers an unexpected error
    with a problem document and logs its traceback under that id, and counts.
    """

    def __init__(self, app: ASGIApp, metrics: RequestMetrics, answer: Answer) -> None:
        self._app, self._metrics, self._answer = app, metrics, answer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status, started_s = 0, time.perf_counter()

        async def send_with_id(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message = {**message, "headers": [*message["headers"],
                                                  (REQUEST_ID.encode(), request_id.encode())]}
            await send(message)

        try:
            await self._inner(scope)(scope, _bounded(receive), send_with_id)
        except Exception:
            _log.exception("request %s: %s %s failed", request_id, scope["method"], scope["path"])
            if status:
                raise  # The answer had begun: only closing the connection can tell the client.
            problem = Problem(500, "internal", "an unexpected error; the log has it under this id")
            await self._answer(scope, problem, [])(scope, receive, send_with_id)
        finally:
            self._count(scope, status, time.perf_counter() - started_s)

    def _inner(self, scope: Scope) -> ASGIApp:
        # No name holds a NUL, and PostgreSQL takes none in a text.
        if "\0" in scope["path"] or b"%00" in scope["query_string"]:
            problem = Problem(422, "input", "the address holds a NUL; expected text")
            return self._answer(scope, problem, [])
        return self._app

    def _count(self, scope: Scope, status: int, seconds: float) -> None:
        route = getattr(scope.get("route"), "path", "other")
        self._metrics.requests.labels(scope["method"], route, str(status)).inc()
        self._metrics.seconds.labels(route).observe(seconds)


def _bounded(receive: Receive) -> Receive:
    """`receive` that refuses a body above BODY_BYTES_MAX, whatever its headers promise, and one
    that is no plain UTF-8, which JSON readers take in silence."""
    taken, head = 0, b""

    async def bounded() -> Message:
        nonlocal taken, head
        message = await receive()
        body = message.get("body", b"")
        if len(head) < HEAD_BYTES:
            head += body[:HEAD_BYTES]
            try:
                check_encoding("body", head)
            except InputError as error:
                raise UnreadBody(422, error) from None
        taken += len(body)
        if taken > BODY_BYTES_MAX:
            raise UnreadBody(413, InputError("body", "it is too large",
                                             f"at most {BODY_BYTES_MAX} bytes"))
        return message

    return bounded


def _request_id(scope: Scope) -> str:
    given = dict(scope["headers"]).get(REQUEST_ID.encode(), b"").decode("latin-1")
    return given if _PROPER_ID.fullmatch(given) else secrets.token_hex(8)

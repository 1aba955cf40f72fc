"""What went wrong, as a page with one clear line, or the way to where it is put right."""

from urllib.parse import quote, urlsplit

from fastapi import Response
from starlette.datastructures import Headers
from starlette.types import Scope

from seatwatt.api.console.rendering import go_to, plain_page
from seatwatt.api.problems import Problem
from seatwatt.api.sessions import MUST_CHANGE

PREFIX = "/console"
LOG_IN, PASSWORD = f"{PREFIX}/log-in", f"{PREFIX}/password"


def is_page(path: str) -> bool:
    """Whether people look at what is answered there."""
    return path == PREFIX or path.startswith(f"{PREFIX}/")


def shown(scope: Scope, problem: Problem) -> Response:
    """Whoever is not logged in is sent to the log-in, a one-time password to its change."""
    if problem.status == 401:
        return go_to(f"{LOG_IN}?next={quote(_asked_for(scope), safe='')}")
    if problem.kind == MUST_CHANGE:
        return go_to(PASSWORD)
    response = plain_page("error.html", problem.status, problem=problem, back=_back(scope),
                          request_id=scope["state"]["request_id"])
    response.headers.update(problem.headers)
    return response


def own_path(given: str) -> str:
    """`given` if it leads to a page of the console, else its front."""
    return given if is_page(given.partition("?")[0]) and given.isprintable() else PREFIX


def _asked_for(scope: Scope) -> str:
    query = scope["query_string"].decode("latin-1")
    return f"{scope['path']}?{query}" if query and scope["method"] == "GET" else str(scope["path"])


def _back(scope: Scope) -> str:
    """The page whose form or link led here."""
    try:
        parts = urlsplit(Headers(scope=scope).get("referer", ""))
    except ValueError:
        return PREFIX
    return own_path(parts.path + (f"?{parts.query}" if parts.query else ""))

"""Log-in, log-out, and a new password."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from seatwatt.api import cookies
from seatwatt.api.attempts import address_of
from seatwatt.api.console.desk import form_of
from seatwatt.api.console.errors import LOG_IN, PASSWORD, PREFIX, own_path
from seatwatt.api.console.rendering import go_to, page
from seatwatt.api.passwords import LENGTH_MIN
from seatwatt.api.problems import Problem
from seatwatt.api.sessions import LedgerSessions, LoggedIn
from seatwatt.contract.errors import InputError

router = APIRouter()


@router.get("/log-in")
async def log_in_page(request: Request, next: Annotated[str, Query(max_length=500)] = PREFIX,
                      out: bool = False) -> Response:
    """Name and password."""
    return page(request, "log-in.html", {
        "next": own_path(next), "name": "", "error": "",
        "said": "You are logged out." if out else ""})


@router.post("/log-in")
async def log_in(request: Request) -> Response:
    """A session with a token of its own, whatever the browser brought."""
    form = await form_of(request)
    name, password = _field(form, "name"), _field(form, "password")
    next_ = own_path(_field(form, "next"))
    try:
        done = await run_in_threadpool(_sessions(request).log_in, name, password,
                                       address_of(request))
    except Problem as problem:
        return _again(request, "log-in.html", problem, next=next_, name=name, said="")
    return _with(request, done, PASSWORD if done.user.must_change else next_)


@router.post("/log-out")
async def log_out(request: Request) -> Response:
    """The session ends, here and in the ledger."""
    await form_of(request)
    await run_in_threadpool(_sessions(request).log_out, cookies.token_of(request))
    response = go_to(f"{LOG_IN}?out=1")
    cookies.give(request, response, cookies.new_token())
    return response


@router.get("/password")
async def password_page(request: Request) -> Response:
    """The old password and the new one."""
    user = await run_in_threadpool(_sessions(request).user, cookies.token_of(request))
    if user is None:
        raise Problem(401, "unauthorized", "nobody is logged in")
    return page(request, "password.html", {
        "error": "", "must": user.must_change, "name": user.name, "length_min": LENGTH_MIN})


@router.post("/password")
async def password(request: Request) -> Response:
    """A new password; every other session of the user ends."""
    form, token = await form_of(request), cookies.token_of(request)
    sessions = _sessions(request)
    user = await run_in_threadpool(sessions.user, token)
    if user is None:
        raise Problem(401, "unauthorized", "nobody is logged in")
    old, new = _field(form, "old"), _field(form, "new")
    try:
        if new != _field(form, "again"):
            raise InputError("password", "the two new ones differ", "the same twice")
        done = await run_in_threadpool(sessions.change_password, token, old, new,
                                       address_of(request))
    except (Problem, InputError) as error:
        problem = error if isinstance(error, Problem) else Problem(422, "input", str(error))
        return _again(request, "password.html", problem, must=user.must_change, name=user.name,
                      length_min=LENGTH_MIN)
    return _with(request, done, PREFIX)


def _again(request: Request, template: str, problem: Problem, **values: object) -> Response:
    response = page(request, template, {"error": problem.detail, **values}, problem.status)
    response.headers.update(problem.headers)
    return response


def _with(request: Request, done: LoggedIn, path: str) -> Response:
    response = go_to(path)
    cookies.give(request, response, done.token)
    return response


def _field(form: dict[str, list[str]], name: str) -> str:
    return form.get(name, [""])[-1]


def _sessions(request: Request) -> LedgerSessions:
    found: LedgerSessions = request.app.state.sessions
    return found

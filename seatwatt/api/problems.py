"""Every error as RFC 9457 problem details (`application/problem+json`), with the request's id."""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import Response
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException
from starlette.types import Scope

from seatwatt.api.documentation import PROBLEM_TYPE, allowed_methods
from seatwatt.contract.errors import (
    ConflictError,
    InputError,
    SeatwattError,
    StoreError,
    StoreUnavailable,
)


class Fault(BaseModel):
    """One thing that is wrong with a request."""

    where: str = Field(examples=["query.from"])
    problem: str = Field(examples=["'yesterday' is not a time"])
    expected: str = Field(default="", examples=["a local date or an RFC 3339 instant"])


class ProblemDetails(BaseModel):
    """RFC 9457: what went wrong, for people (`title`, `detail`) and programs (`type`)."""

    type: str = Field(examples=["urn:seatwatt:problem:input"])
    title: str = Field(examples=["Unprocessable Content"])
    status: int = Field(examples=[422])
    detail: str = Field(examples=["query.from: 'yesterday' is not a time"])
    instance: str = Field(examples=["/v1/sites/workaround/energy"])
    request_id: str = Field(examples=["5f0c1c1e9a7b4c3d"])
    errors: list[Fault] = Field(default_factory=list)


class Problem(Exception):
    """Raised by a route: becomes the problem document of its status."""

    def __init__(self, status: int, kind: str, detail: str,
                 headers: dict[str, str] | None = None) -> None:
        self.status, self.kind, self.detail = status, kind, detail
        self.headers = headers or {}
        super().__init__(detail)


class UnreadBody(HTTPException):
    """A body that is refused while it is read; FastAPI lets only HTTPException pass from there."""

    def __init__(self, status: int, error: InputError) -> None:
        self.error = error
        super().__init__(status, str(error))


def not_found(what: str, name: str) -> Problem:
    """404: there is no such thing (or none that the caller may know of)."""
    return Problem(404, "not-found", f"there is no {what} {name!r}")


Answer = Callable[[Scope, Problem, list[Fault]], Response]
"""Tells of a problem whoever sent the request of the scope."""


def problem_response(scope: Scope, problem: Problem, errors: list[Fault]) -> Response:
    """The problem document."""
    document = {"type": f"urn:seatwatt:problem:{problem.kind}",
                "title": HTTPStatus(problem.status).phrase, "status": problem.status,
                "detail": problem.detail, "instance": scope["path"],
                "request_id": scope["state"]["request_id"],
                "errors": [fault.model_dump() for fault in errors]}
    return Response(json.dumps(document, ensure_ascii=False).encode(), problem.status,
                    problem.headers, PROBLEM_TYPE)


def install(app: FastAPI, answer: Answer) -> None:
    """Turn every exception a route or the router may raise into the answer that tells of it."""
    _on(app, answer, Problem, lambda error: (error, []))
    _on(app, answer, HTTPException, _of_http)
    _on(app, answer, UnreadBody, _of_unread)
    _on(app, answer, RequestValidationError, _of_validation)
    _on(app, answer, InputError, _of_input)
    _on(app, answer, SeatwattError, _of_outside)


def _on(app: FastAPI, answer: Answer, kind: type[Exception],
        describe: Callable[[Any], tuple[Problem, list[Fault]]]) -> None:
    async def handle(request: Request, error: Exception) -> Response:
        problem, faults = describe(error)
        if problem.status == 405:
            problem.headers = {"allow": allowed_methods(app, request.url.path)}
        return answer(request.scope, problem, faults)

    app.add_exception_handler(kind, handle)


def _of_http(error: HTTPException) -> tuple[Problem, list[Fault]]:
    kinds = {404: "not-found", 405: "method-not-allowed"}
    return Problem(error.status_code, kinds.get(error.status_code, "http"), str(error.detail),
                   dict(error.headers or {})), []


def _of_unread(error: UnreadBody) -> tuple[Problem, list[Fault]]:
    problem, faults = _of_input(error.error)
    return Problem(error.status_code, problem.kind, problem.detail), faults


def _of_validation(error: RequestValidationError) -> tuple[Problem, list[Fault]]:
    faults = [Fault(where=".".join(str(part) for part in each["loc"]), problem=each["msg"])
              for each in error.errors()]
    detail = "; ".join(f"{fault.where}: {fault.problem}" for fault in faults[:3])
    return Problem(422, "input", detail), faults


def _of_input(error: InputError) -> tuple[Problem, list[Fault]]:
    fault = Fault(where=error.where, problem=error.problem, expected=error.expected)
    conflict = isinstance(error, ConflictError)
    return Problem(409 if conflict else 422, "conflict" if conflict else "input",
                   str(error)), [fault]


def _of_outside(error: SeatwattError) -> tuple[Problem, list[Fault]]:
    wait_s = error.retry_after_s if isinstance(error, StoreUnavailable) else None
    headers = {"retry-after": str(max(1, round(wait_s or 5)))}
    kind = "store" if isinstance(error, StoreError) else "not-ready"
    return Problem(503, kind, str(error), headers), []

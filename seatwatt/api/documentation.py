"""The OpenAPI document, with errors as what they are: problem details and nothing else."""

import re
from typing import Any

from fastapi import FastAPI

PROBLEM_TYPE = "application/problem+json"


def install(app: FastAPI) -> None:
    """FastAPI describes each model in the route's own media type too; no problem comes so."""
    made = app.openapi

    def openapi() -> dict[str, Any]:
        fresh = app.openapi_schema is None
        document = made()
        if fresh:
            for operation in _operations(document):
                for answer in operation["responses"].values():
                    if PROBLEM_TYPE in answer.get("content", {}):
                        answer["content"] = {PROBLEM_TYPE: answer["content"][PROBLEM_TYPE]}
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _operations(document: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in document["paths"].values() for operation in path.values()]


def allowed_methods(app: FastAPI, path: str) -> str:
    """The methods of everything that is documented at `path`; the router itself knows only those
    of the first route that matches."""
    paths = app.openapi()["paths"]
    for last in ("[^/]+", ".+"):  # a meter's id has slashes
        found = {method.upper() for template, operations in paths.items()
                 if re.fullmatch(_pattern(template, last), path) for method in operations}
        if found:
            return ", ".join(sorted(found))
    return "GET"


def _pattern(template: str, last: str) -> str:
    return re.sub(r"\{\w+\}", "[^/]+", re.sub(r"\{id\}$", lambda _: last, template))

"""The OpenAPI document, with errors as what they are: problem details and nothing else."""

from typing import Any

from fastapi import FastAPI

from seatwatt.api.problems import PROBLEM_TYPE


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

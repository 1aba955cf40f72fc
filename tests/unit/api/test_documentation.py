"""The OpenAPI document, as whoever writes a client reads it."""

from typing import Any

from fastapi.testclient import TestClient


def test_every_body_has_an_example(client: TestClient) -> None:
    document = client.get("/openapi.json").json()
    bodies = {f"{method} {path}": body for path, operations in document["paths"].items()
              for method, operation in operations.items()
              for body in operation.get("requestBody", {}).get("content", {}).values()}
    assert len(bodies) > 20
    without = [name for name, body in bodies.items() if not has_example(body, document)]
    assert without == []


def has_example(node: Any, document: dict[str, Any]) -> bool:
    """Whether an example stands here, or in what is referred to."""
    if isinstance(node, list):
        return any(has_example(part, document) for part in node)
    if not isinstance(node, dict):
        return False
    if "example" in node or "examples" in node:
        return True
    reference = str(node.get("$ref", "")).rpartition("/")[2]
    known = document["components"]["schemas"]
    return any(has_example(part, document) for part in node.values()) or (
        reference in known and has_example(known[reference], document))

"""The API as a page asks it: in this process, in the name of whoever asked for the page.

A page so has no access rules of its own: what it shows is what the routes give to this caller.
"""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from fastapi import Request
from starlette.types import Message

from seatwatt.api.cookies import FORM_HEADER
from seatwatt.api.edge import REQUEST_ID
from seatwatt.api.problems import Problem

_PASSED_ON = (b"cookie", b"host", b"origin", b"sec-fetch-site")
_KIND = "urn:seatwatt:problem:"


class Api:
    """Answers of `/v1` as JSON documents; a refusal is raised as the Problem that it is."""

    def __init__(self, request: Request, form_token: str = "") -> None:
        self._request = request
        self._headers = [(name, value) for name, value in request.headers.raw
                         if name in _PASSED_ON]
        self._headers += [(REQUEST_ID.encode(), request.state.request_id.encode()),
                          (FORM_HEADER.encode(), form_token.encode("latin-1", "replace"))]

    async def get(self, path: str, **query: object) -> Any:
        """Read; `from_` names the query's `from`. What is None is left out."""
        given = {name.rstrip("_"): value for name, value in query.items() if value is not None}
        return await self._ask("GET", path, urlencode(given).encode(), None)

    async def post(self, path: str, document: object) -> Any:
        """Change."""
        return await self._ask("POST", path, b"", document)

    async def _ask(self, method: str, path: str, query: bytes, document: object) -> Any:
        body = b"" if document is None else json.dumps(document).encode()
        headers = [*self._headers, (b"accept", b"application/json"),
                   (b"content-length", str(len(body)).encode())]
        if document is not None:
            headers.append((b"content-type", b"application/json"))
        asked = self._request.scope
        scope = {"type": "http", "asgi": {"version": "3.0", "spec_version": "2.4"},
                 "http_version": "1.1", "method": method, "scheme": asked["scheme"],
                 "path": path, "raw_path": path.encode(), "root_path": "", "query_string": query,
                 "headers": headers, "client": asked.get("client"), "server": asked.get("server")}
        answer = _Answer(body)
        await self._request.app(scope, answer.receive, answer.send)
        return answer.document()


class _Answer:
    """Gives the body once, and gathers what is answered."""

    def __init__(self, body: bytes) -> None:
        self._to_give: list[Message] = [{"type": "http.request", "body": body}]
        self._status, self._headers = 0, dict[bytes, bytes]()
        self._parts: list[bytes] = []

    async def receive(self) -> Message:
        if not self._to_give:
            await asyncio.Event().wait()  # nobody hangs up
        return self._to_give.pop()

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status, self._headers = message["status"], dict(message["headers"])
        else:
            self._parts.append(message.get("body", b""))

    def document(self) -> Any:
        raw = b"".join(self._parts)
        told: Any = json.loads(raw) if raw else None
        if self._status < 400:
            return told
        wait = self._headers.get(b"retry-after")
        raise Problem(self._status, told["type"].removeprefix(_KIND), told["detail"],
                      {"retry-after": wait.decode()} if wait else None)

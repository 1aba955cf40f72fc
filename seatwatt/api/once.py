"""Idempotency keys: a POST sent again with the same `Idempotency-Key` gets the same answer."""

import hashlib
from collections.abc import Callable
from typing import Annotated

from fastapi import Header, Request, Response

from seatwatt.api.access import Caller
from seatwatt.api.services import Services
from seatwatt.ledger.answers import Answer, claim, keep, release

IdempotencyKey = Annotated[str | None, Header(
    alias="Idempotency-Key", min_length=1, max_length=200,
    description="sent again with the same key, a request is done once and answered alike")]

_KEPT_HEADERS = ("etag", "location", "content-type")


def once(request: Request, body: bytes, key: str | None, caller: Caller, services: Services,
         do: Callable[[], Response]) -> Response:
    """`do()`, or what it answered when this request came before. A failure is not remembered."""
    if key is None:
        return do()
    described = b"\0".join((request.method.encode(), request.url.path.encode(), body))
    before = claim(services.ledger, caller.key_id, key, hashlib.sha256(described).hexdigest(),
                   services.clock())
    if before is not None:
        return Response(before.body, before.status,
                        {**before.headers, "idempotent-replay": "true"})
    try:
        response = do()
    except BaseException:
        release(services.ledger, caller.key_id, key)
        raise
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    keep(services.ledger, caller.key_id, key,
         Answer(response.status_code, headers, bytes(response.body)))
    return response

"""Answers as bytes, kept as long as the settlement they show is the one that is shown."""

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass

from fastapi import Request, Response

from seatwatt.api.services import Settled

KEPT = 64
POINTS_MAX = 50_000
"""A larger answer is streamed and never whole in memory."""


@dataclass(frozen=True, slots=True)
class _Answer:
    settled: Settled
    body: bytes
    etag: str


class Shown:
    """The last few answers; the least recently used go first."""

    def __init__(self) -> None:
        self._answers: OrderedDict[Hashable, _Answer] = OrderedDict()
        self._lock = threading.Lock()

    def answer(self, request: Request, key: Hashable, settled: Settled,
               make: Callable[[], Iterable[bytes]], headers: dict[str, str], media: str
               ) -> Response:
        """The answer to `key` from `settled`, encoded once; 304 to a caller who has it already."""
        with self._lock:
            found = self._answers.get(key)
        if found is None or found.settled is not settled:
            body = b"".join(make())
            found = _Answer(settled, body, f'"{hashlib.blake2b(body, digest_size=12).hexdigest()}"')
            self._keep(key, found)
        # Whoever keeps an answer has to ask whether it still holds, and keeps it to himself.
        headers = {**headers, "etag": found.etag, "cache-control": "private, no-cache"}
        if _has(request.headers.get("if-none-match", ""), found.etag):
            return Response(status_code=304, headers=headers)
        return Response(found.body, headers=headers, media_type=media)

    def _keep(self, key: Hashable, answer: _Answer) -> None:
        with self._lock:
            self._answers[key] = answer
            self._answers.move_to_end(key)
            while len(self._answers) > KEPT:
                self._answers.popitem(last=False)


def _has(if_none_match: str, etag: str) -> bool:
    tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
    return bool(tags & {"*", etag})

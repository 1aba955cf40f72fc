"""One connection to an InfluxDB: the official client as transport, answers sorted into StoreErrors.

The client knows neither the reaction we need (it drops the status of a 5xx) nor our decoding (it
would unpack msgpack point by point), so a hook on its session judges each answer first.
"""

import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import urlencode

import requests
from influxdb import InfluxDBClient
from influxdb.exceptions import InfluxDBClientError

from seatwatt.contract.errors import (
    StoreError,
    StoreMisconfigured,
    StoreRefused,
    StoreTooLarge,
    StoreUnavailable,
)
from seatwatt.store.influx_answers import BODY_TYPE, Block, decode

_WORDS_MAX = 500
_WHO = re.compile(r"^HTTPS?Connection(Pool)?\([^)]*\): (Failed to establish a new connection: )?")
_ONE_ATTEMPT = 1  # The client's `retries=0` means for ever.


class DatabaseMissing(StoreMisconfigured):
    """404: the server has no such database, bucket or retention policy."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InfluxAddress:
    """Where an InfluxDB is and who we are to it: user and password (1.x) or token (2.x, 3)."""

    host: str
    port: int
    database: str
    tls: bool = False
    user: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    timeout_s: float = 10.0
    ca_file: str = ""
    gzip: bool = False

    def __str__(self) -> str:
        return f"http{'s' * self.tls}://{self.host}:{self.port}/{self.database}"


class InfluxConnection:
    """Keep-alive HTTP to one database; each call is one request, tried once."""

    def __init__(self, address: InfluxAddress) -> None:
        self.address = address
        self._headers = {"Authorization": f"Token {address.token}"} if address.token else {}
        session = requests.Session()
        session.trust_env = False  # No proxy and no .netrc between us and the store.
        session.max_redirects = 0
        session.hooks["response"].append(self._judge)
        self._client = InfluxDBClient(
            # As bytes, for requests would write text in Latin-1, which not every password fits.
            address.host, address.port, address.user.encode() or None,
            address.password.encode() or None, address.database,
            ssl=address.tls, verify_ssl=address.ca_file or address.tls,
            timeout=address.timeout_s, retries=_ONE_ATTEMPT, session=session)

    def write(self, lines: bytes) -> None:
        """POST lines with millisecond timestamps; return when they are durable."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        if self.address.gzip and lines:
            lines = gzip.compress(lines, compresslevel=1)
            headers["Content-Encoding"] = "gzip"
        self._request("write", {"db": self.address.database, "precision": "ms"}, lines, 204,
                      headers)

    def query(self, statements: Sequence[str]) -> list[Block]:
        """Run InfluxQL statements; blocks of rows in the order the server gave them.

        Chunked, so that the server neither gathers the whole answer in memory nor cuts it at its
        max-row-limit; msgpack, because CSV leaves out errors and their results look empty.
        Compressed only where that is asked for: it costs the server more than reading.
        """
        response = self._request(
            "query", {"db": self.address.database, "epoch": "ms", "chunked": "true"},
            urlencode({"q": ";".join(statements)}).encode(), 200,
            {"Content-Type": "application/x-www-form-urlencoded",
             "Accept": "application/x-msgpack",
             "Accept-Encoding": "gzip" if self.address.gzip else "identity"})
        return decode(response.content, response.headers.get(BODY_TYPE, ""))

    def close(self) -> None:
        """Close the sockets."""
        self._client.close()

    def _request(self, path: str, params: dict[str, str], body: bytes, expected: int,
                 headers: dict[str, str]) -> requests.Response:
        try:
            answer: requests.Response = self._client.request(
                path, "POST", params=params, data=body, expected_response_code=expected,
                headers={**self._headers, **headers})
        except InfluxDBClientError as error:
            raise StoreMisconfigured(f"{self.address} answers {error.code}; "
                                     "expected an InfluxDB") from None
        except requests.exceptions.SSLError as error:
            raise StoreMisconfigured(f"{self.address}: {_reason(error)}") from None
        except requests.RequestException as error:
            raise StoreUnavailable(f"{self.address}: {_reason(error)}") from None
        return answer

    def _judge(self, response: requests.Response, *_: Any, **__: Any) -> None:
        if response.status_code >= 300:
            raise _error(str(self.address), response)
        response.headers[BODY_TYPE] = response.headers.pop("Content-Type", "")


def _error(address: str, response: requests.Response) -> StoreError:
    status, words = response.status_code, _words(response)
    message = f"{address} answers {status}: {words}"
    if status == 404 or "retention policy not found" in words:
        return DatabaseMissing(message)
    if status in (400, 422):
        return StoreRefused(words)
    if status == 413:
        return StoreTooLarge(message)
    if status == 429 or status >= 500:
        return StoreUnavailable(message, _retry_after_s(response))
    return StoreMisconfigured(message)


def _words(response: requests.Response) -> str:
    try:
        answer = response.json()
        text = answer.get("error") or answer.get("message")
        # InfluxDB 3 tells each bad line; 2.x calls its text `message`.
        lines = [entry["error_message"] for entry in answer.get("data") or ()]
        return _one_line(": ".join([str(text), *map(str, lines[:1])]))
    except (ValueError, AttributeError, KeyError, TypeError):
        return _one_line(response.headers.get("X-Influxdb-Error") or response.text
                         or str(response.reason))


def _retry_after_s(response: requests.Response) -> float | None:
    wish = response.headers.get("Retry-After", "")
    if wish.isdecimal():
        return float(wish)
    try:
        # A date is read against the server's own clock: ours may differ.
        wait = parsedate_to_datetime(wish) - parsedate_to_datetime(response.headers["Date"])
        return max(0.0, wait.total_seconds())
    except (ValueError, TypeError, KeyError):
        return None


def _reason(error: BaseException) -> str:
    """The innermost words: those around them repeat address, path and names of classes."""
    inner = [each for each in (getattr(error, "reason", None), *error.args)
             if isinstance(each, BaseException)]
    if inner:
        return _reason(inner[-1])
    words = [each for each in error.args if isinstance(each, str)] or [str(error)]
    return _one_line(_WHO.sub("", words[-1]))


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_WORDS_MAX]

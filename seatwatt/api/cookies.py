"""The one cookie, and what a browser must bring besides it to change anything.

The cookie holds a random token, before a log-in too; a form carries what only a page of ours can
have made of it (`form_token`), so that no other site can have our browser post for it.
"""

import hashlib
import hmac
import secrets

from fastapi import Request, Response

from seatwatt.api.problems import Problem
from seatwatt.settings import ApiSettings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
FORM_HEADER = "x-form-token"
_NAME = "seatwatt"
_TOKEN_BYTES = 32
_TOKEN_LENGTH_MAX = 100


def new_token() -> str:
    """256 random bits."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def token_of(request: Request) -> str:
    """The token that the browser brings; empty for none, or for what cannot be one."""
    token = request.cookies.get(_name(request), "")
    return token if token.isascii() and len(token) <= _TOKEN_LENGTH_MAX else ""


def give(request: Request, response: Response, token: str) -> None:
    """Have the browser keep the token until it is closed, out of reach of scripts."""
    response.set_cookie(_name(request), token, path="/", httponly=True, samesite="lax",
                        secure=_is_secure(request))


def form_token(token: str) -> str:
    """What a form made for the holder of `token` carries."""
    return hmac.new(token.encode(), b"seatwatt form", hashlib.sha256).hexdigest()


def check_form(token: str, given: str) -> None:
    """403 unless `given` was made for the holder of `token`."""
    if not token or not hmac.compare_digest(form_token(token).encode(), given.encode()):
        raise Problem(403, "form", "the form is from another session; open the page again and "
                                   "send it from there")


def check_origin(request: Request) -> None:
    """403 when the browser says that another site's page made it ask."""
    origin = request.headers.get("origin")
    ours = origin is None or origin.partition("://")[2] == request.headers.get("host")
    if not ours or request.headers.get("sec-fetch-site") in ("cross-site", "same-site"):
        raise Problem(403, "form", "the request comes from a page of another site")


def _name(request: Request) -> str:
    # With this prefix a browser takes the cookie from no sibling host and no plain connection.
    return f"__Host-{_NAME}" if _is_secure(request) else _NAME


def _is_secure(request: Request) -> bool:
    settings: ApiSettings = request.app.state.services.settings
    if settings.api_cookie_secure == "auto":
        return request.url.scheme == "https"
    return settings.api_cookie_secure == "always"

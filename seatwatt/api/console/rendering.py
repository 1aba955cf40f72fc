"""Templates to answers: the environment, how numbers and times look, the headers of every page."""

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined

from seatwatt import __version__
from seatwatt.api import cookies

_POLICY = ("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; "
           "base-uri 'none'; frame-ancestors 'none'")
_HEADERS = {"content-security-policy": _POLICY, "x-content-type-options": "nosniff",
            "x-frame-options": "DENY", "referrer-policy": "same-origin",
            "cache-control": "no-store"}
STYLE = f"/console/style-{__version__}.css"
"""Named by its version, so that a browser keeps it until there is another."""
ICON = "/console/icon.svg"


def page(request: Request, template: str, values: Mapping[str, object],
         status: int = 200) -> Response:
    """A page; a browser without a token is given one, for the forms on it."""
    token = cookies.token_of(request)
    given = token or cookies.new_token()
    text = _environment.get_template(template).render(
        {"form_token": cookies.form_token(given), "desk": None, **values})
    response = secured(HTMLResponse(text, status))
    if not token:
        cookies.give(request, response, given)
    return response


def plain_page(template: str, status: int, **values: object) -> Response:
    """A page without forms, for whoever it may be."""
    text = _environment.get_template(template).render(
        {"form_token": "", "desk": None, **values})
    return secured(HTMLResponse(text, status))


def go_to(path: str) -> Response:
    """Have the browser GET another page of ours."""
    return secured(RedirectResponse(path, 303))


def secured(response: Response) -> Response:
    """With the headers that every answer of the console has: nothing from elsewhere, no script,
    no frame around it, nothing kept."""
    response.headers.update(_HEADERS)
    return response


def _environment_of_pages() -> Environment:
    made = Environment(loader=PackageLoader(__package__), autoescape=True,
                       undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals.update(style=STYLE, icon=ICON, version=__version__)
    made.filters.update(kwh=kwh, money=money, local=local, ago=ago, day=day, month=month)
    return made


def kwh(energy_wh: float, decimals: int = 3) -> str:
    """Wh as kWh with thousands apart, to the Wh unless fewer decimals are asked for."""
    return f"{Decimal(str(energy_wh)) / 1000:,.{decimals}f}"


def money(amount: str) -> str:
    """An amount as the routes give it, with thousands apart."""
    value = Decimal(amount)
    return f"{value:,.{len(amount.partition('.')[2])}f}"


def local(text: str | None, zone: str | None) -> str:
    """An RFC 3339 instant in the site's time zone, to the minute; a local date as it is."""
    if text is None:
        return "never"
    if len(text) == 10:
        return day(text)
    at = datetime.fromisoformat(text.replace("Z", "+00:00"))
    at = at.astimezone(ZoneInfo(zone or "UTC"))
    return f"{at.day} {at:%b %Y, %H:%M}" + ("" if zone else " UTC")


def day(text: str) -> str:
    """A date: 1 Oct 2026."""
    at = date.fromisoformat(text[:10])
    return f"{at.day} {at:%b %Y}"


def month(text: str) -> str:
    """The month of a date: October 2026."""
    return f"{date.fromisoformat(text[:10]):%B %Y}"


def ago(age_s: float | None) -> str:
    """How long: the largest unit that fits."""
    if age_s is None:
        return "never heard of"
    for unit, length_s in (("d", 86_400), ("h", 3600), ("min", 60)):
        if age_s >= 2 * length_s:
            return f"{age_s / length_s:.0f} {unit}"
    return f"{age_s:.0f} s"


_environment = _environment_of_pages()

"""Whoever sits at the console: who they are, which sites they see, what they ask of the API."""

import asyncio
from dataclasses import dataclass, field
from typing import Annotated, Any
from urllib.parse import parse_qsl

from fastapi import Depends, Request, Response

from seatwatt.api import cookies
from seatwatt.api.console.asking import Api
from seatwatt.api.console.rendering import page
from seatwatt.api.problems import Problem, not_found

_FIELDS_MAX = 1000
FORM_FIELD = "form_token"


@dataclass(frozen=True, slots=True)
class Desk:
    """A page's reader. `form` is what was sent, None where nothing was."""

    request: Request
    api: Api
    me: dict[str, Any]
    sites: list[dict[str, Any]]
    form: dict[str, list[str]] | None = None
    failed: list[str] = field(default_factory=list)
    """What the page could not ask, a line each."""

    @property
    def role(self) -> str:
        """operator, engineer, billing or tenant."""
        return str(self.me["role"])

    def is_any(self, *roles: str) -> bool:
        """Whether the reader has one of these roles."""
        return self.role in roles

    def site(self, site_id: str) -> dict[str, Any]:
        """The site as the list of sites has it; 404 when the reader does not see it."""
        for site in self.sites:
            if site["id"] == site_id:
                return site
        raise not_found("site", site_id)

    async def get_or_say(self, path: str, **query: object) -> Any:
        """What the route gives; None, with a line in `failed`, where it gives nothing, so that
        one part of a page that is wrong or away does not take the others with it."""
        try:
            return await self.api.get(path, **query)
        except Problem as problem:
            if problem.status in (401, 403, 429):
                raise
            self.failed.append(problem.detail)
            return None

    def sent(self, name: str) -> str:
        """A field of the form, without spaces around it; empty when it was not sent."""
        values = (self.form or {}).get(name, [""])
        return values[-1].strip()

    def sent_all(self, name: str) -> list[str]:
        """Every value of a field, as checkboxes send them."""
        return (self.form or {}).get(name, [])

    def page(self, template: str, **values: object) -> Response:
        """A page for this reader."""
        return page(self.request, template, {"desk": self, "failed": self.failed, **values})


async def desk(request: Request) -> Desk:
    """For a page that is read."""
    return await _desk(request, Api(request), None)


async def sent(request: Request) -> Desk:
    """For a form that was sent: from a page of ours, made for this very browser."""
    form = await form_of(request)
    return await _desk(request, Api(request, (form.get(FORM_FIELD) or [""])[-1]), form)


async def form_of(request: Request) -> dict[str, list[str]]:
    """The fields of a form that only a page of ours can have sent; 403 for any other."""
    cookies.check_origin(request)
    text = (await request.body()).decode("utf-8", "replace")
    if "\0" in text or "%00" in text:
        raise Problem(422, "input", "the form holds a NUL; expected text")
    try:
        pairs = parse_qsl(text, keep_blank_values=True, max_num_fields=_FIELDS_MAX)
    except ValueError:
        raise Problem(422, "input", f"the form has more than {_FIELDS_MAX} fields") from None
    form: dict[str, list[str]] = {}
    for name, value in pairs:
        form.setdefault(name, []).append(value)
    cookies.check_form(cookies.token_of(request), form.get(FORM_FIELD, [""])[-1])
    return form


async def _desk(request: Request, api: Api, form: dict[str, list[str]] | None) -> Desk:
    me, sites = await asyncio.gather(api.get("/v1/me"), api.get("/v1/sites"))
    return Desk(request, api, me, sites["sites"], form)


DeskDep = Annotated[Desk, Depends(desk)]
SentDep = Annotated[Desk, Depends(sent)]

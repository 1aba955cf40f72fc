"""ETag and If-Match: a site's revision is its tag, and the tag of everything declared in it."""

from typing import Annotated

from fastapi import Header

from seatwatt.api.access import Caller
from seatwatt.api.declaring import Item
from seatwatt.api.problems import Problem
from seatwatt.api.services import Services
from seatwatt.contract.errors import InputError
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.sites import Saved, save_site

IfMatch = Annotated[str | None, Header(
    alias="If-Match", max_length=200, examples=['"7"'],
    description="the ETag that was read; the change is refused (412) when it is no longer so")]


def etag(revision: int) -> dict[str, str]:
    """The header that carries a revision."""
    return {"etag": f'"{revision}"'}


def check_match(if_match: str | None, revision: int, needed: bool = True) -> None:
    """412 when the caller has read another revision, 428 when it does not say which."""
    if if_match is None:
        if needed:
            raise Problem(428, "precondition-required",
                          "If-Match is needed: the ETag of what is to be changed")
        return
    tags = {tag.strip().removeprefix("W/") for tag in if_match.split(",")}
    if not tags & {"*", f'"{revision}"'}:
        raise Problem(412, "precondition-failed",
                      f"it is at revision {revision} by now; read it again", etag(revision))


def declare(services: Services, caller: Caller, site_id: str, document: Item,
            expected_revision: int) -> Saved:
    """Parse the whole document and save it; InputError names the field that is wrong."""
    site = parse_site(document, where="")
    if site.id != site_id:
        raise InputError("site", f"it is {site.id!r}", f"{site_id!r}, as in the address")
    return save_site(services.ledger, site, caller.who, services.clock(),
                     expected_revision)

"""Refused messages: list them, look at one, have them published again."""

import base64
from typing import Annotated, Any

from fastapi import APIRouter, Body, Path, Query
from pydantic import BaseModel, Field

from seatwatt.api.access import Caller, Technical
from seatwatt.api.problems import not_found
from seatwatt.api.requests import ServicesDep
from seatwatt.api.times import utc_text
from seatwatt.contract.errors import InputError
from seatwatt.contract.rules import Rule
from seatwatt.contract.topics import PREFIX
from seatwatt.ledger.deeds import Deed, note
from seatwatt.ledger.quarantine import Kept, Quarantine

router = APIRouter(prefix="/v1/quarantine", tags=["quarantine"])

REPLAYED_MAX = 500


class RefusedLine(BaseModel):
    """One refused message, and the rule that refused it."""

    id: int
    received_at: str = Field(examples=["2026-10-01T03:12:45.250+00:00"])
    rule: str = Field(examples=["T08"])
    title: str = Field(examples=["out of bounds"])
    topic: str = Field(examples=["seatwatt/v1/workaround/seat/hall-a/017"])
    detail: str
    payload_bytes: int


class Refused(RefusedLine):
    """With the payload as it came: as text where it is UTF-8, and always in base64."""

    payload: str | None
    payload_b64: str


class RefusedList(BaseModel):
    """One page of refused messages, oldest first; `total` counts all that match, `rules` those
    of each rule before `rule` and `topic` are looked at."""

    messages: list[RefusedLine]
    total: int
    rules: dict[str, int] = Field(examples=[{"T08": 3}])
    next_cursor: int | None


class Replay(BaseModel):
    """Which messages to publish again."""

    ids: list[Annotated[int, Field(ge=1, le=2**62)]] = Field(
        min_length=1, max_length=REPLAYED_MAX, examples=[[17, 18]])


class Replayed(BaseModel):
    """How many were published again and forgotten here."""

    replayed: int


@router.get("", summary="Refused messages")
def refused(
    caller: Technical, services: ServicesDep,
    rule: Annotated[str | None, Query(
        description="only this rule", examples=["T08"], max_length=8,
        json_schema_extra={"enum": [*Rule.__members__, None]})] = None,
    site: Annotated[str | None, Query(description="only this site", max_length=100)] = None,
    topic: Annotated[str, Query(description="only topics that begin so", max_length=500)] = "",
    cursor: Annotated[int, Query(ge=0, le=2**62)] = 0,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> RefusedList:
    """What could not be stored, with its reason; nothing is dropped silently."""
    if rule is not None and rule not in Rule.__members__:
        raise InputError("query.rule", f"{rule!r} is unknown", ", ".join(Rule.__members__))
    if site is not None and not caller.may_see_site(site):
        raise not_found("site", site)
    quarantine = Quarantine(services.ledger)
    wanted_rule = None if rule is None else Rule[rule]
    wanted_site = site if site is not None else caller.site
    kept = quarantine.list(limit + 1, cursor, wanted_rule, wanted_site, topic)
    page = kept[:limit]
    return RefusedList(messages=[RefusedLine(**_line(each)) for each in page],
                       total=quarantine.count(wanted_rule, wanted_site, topic),
                       rules={each.name: count for each, count in sorted(
                           quarantine.counts(wanted_site).items(), key=lambda x: x[0].name)},
                       next_cursor=page[-1].id if len(kept) > limit else None)


@router.get("/{id}", summary="One refused message")
def one(id: Annotated[int, Path(ge=1, le=2**62)], caller: Technical,
        services: ServicesDep) -> Refused:
    """The message as it came, raw bytes and all."""
    kept = _visible(Quarantine(services.ledger), id, caller)
    payload = kept.message.payload
    try:
        text: str | None = payload.decode()
    except UnicodeDecodeError:
        text = None
    return Refused(**_line(kept), payload=text, payload_b64=base64.b64encode(payload).decode())


@router.post("/replay", summary="Publish refused messages again")
def replay(wanted: Annotated[Replay, Body()], caller: Technical,
           services: ServicesDep) -> Replayed:
    """Each is published as it came and forgotten once the broker has taken it; one that is still
    wrong comes back with a new id."""
    quarantine = Quarantine(services.ledger)
    messages = [_visible(quarantine, id_, caller) for id_ in dict.fromkeys(wanted.ids)]
    services.publish([(kept.message.topic, kept.message.payload) for kept in messages])
    replayed = quarantine.remove([kept.id for kept in messages])
    note(services.ledger, Deed(
        at_ms=services.clock(), who=caller.who, action="replayed", site=caller.site,
        subject="refused messages", detail=", ".join(str(kept.id) for kept in messages)))
    return Replayed(replayed=replayed)


def _visible(quarantine: Quarantine, id_: int, caller: Caller) -> Kept:
    try:
        kept = quarantine.get(id_)
    except InputError:
        raise not_found("message", str(id_)) from None
    if caller.site is not None and not kept.message.topic.startswith(f"{PREFIX}/{caller.site}/"):
        raise not_found("message", str(id_))
    return kept


def _line(kept: Kept) -> dict[str, Any]:
    message = kept.message
    return {"id": kept.id, "received_at": utc_text(message.received_at_ms),
            "rule": message.rule.name, "title": message.rule.title, "topic": message.topic,
            "detail": message.detail, "payload_bytes": len(message.payload)}

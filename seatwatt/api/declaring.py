"""Editing a declared site as its document: items are taken out, put in, and the whole is parsed
again, so that whatever refuses a wrong site file refuses a wrong request."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass
from typing import Any

from seatwatt.api.access import Role
from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.site import Site
from seatwatt.contract.sitedocument import site_document

Item = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Part:
    """One kind of declaration within a site. `named_by` says how its items are told apart:
    `key` (by their key in the site file), `label`, or `place` (their position, from 1)."""

    name: str
    one: str
    named_by: str
    changed_by: tuple[Role, ...]
    example: Item


_TECHNICAL = (Role.OPERATOR, Role.ENGINEER)
_COMMERCIAL = (Role.OPERATOR, Role.BILLING)
_AT = "2026-10-07T11:00:00+05:00"

PARTS: tuple[Part, ...] = (
    Part("zones", "zone", "key", _TECHNICAL,
         {"id": "hall-b", "kind": "hall", "area_m2": 120, "seats": 40}),
    Part("meters", "meter", "key", _TECHNICAL,
         {"id": "hall-b/board", "parent": "supply", "share": "seats", "max_power_w": 20000}),
    Part("exchanges", "exchange", "place", _TECHNICAL,
         {"meter": "seat/hall-a/002", "at": _AT, "final_wh": 1200, "initial_wh": 0}),
    Part("acceptances", "acceptance", "place", _TECHNICAL,
         {"meter": "meter/hall-a/board", "at": _AT, "reason": "read on site"}),
    Part("tenants", "tenant", "key", _COMMERCIAL, {"id": "gamma", "name": "Gamma Works"}),
    Part("leases", "lease", "label", _COMMERCIAL,
         {"tenant": "gamma", "seats": ["hall-b/001-010"], "from": "2026-11-01",
          "shift": {"days": "mon-sat", "start": "20:00", "end": "05:00"}}),
    Part("bookings", "booking", "label", _COMMERCIAL,
         {"tenant": "gamma", "zone": "conf-1", "from": "2026-10-05T10:00:00+05:00",
          "to": "2026-10-05T12:30:00+05:00"}),
)


def items_of(site: Site, part: Part) -> dict[str, Item]:
    """Id -> item, in the order of the site file."""
    held: Any = site_document(site).get(part.name)
    if part.named_by == "key":
        return {key: dict(value or {}) for key, value in (held or {}).items()}
    return {_id(part, place, item): {k: v for k, v in item.items() if k != "label"}
            for place, item in enumerate(held or [], start=1)}


def _id(part: Part, place: int, item: Item) -> str:
    return str(item.get("label", f"{part.name}[{place - 1}]")) if part.named_by == "label" \
        else str(place)


def added(site: Site, part: Part, item: Item) -> Item:
    """The site's document with one more item; `id` names it where the part's items have names."""
    items, fields = items_of(site, part), dict(item)
    given = fields.pop("id", None)
    if part.named_by == "key" and not isinstance(given, str):
        raise InputError("id", "it is missing", f"the {part.one}'s id")
    if given in items:
        raise ConflictError(f"{part.name}.{given}", "it is declared already", "another id")
    if given is not None and part.named_by == "place":
        raise InputError("id", f"{part.name} are named by their place", "no id")
    return _with(site, part, {**items, given if given is not None else _NEW: fields})


_NEW = ""
"""The id of an item that the ledger will label."""


def replaced(site: Site, part: Part, id_: str, change: Callable[[Item], Item]) -> Item:
    """The site's document with the item `id_` changed."""
    items = items_of(site, part)
    fields = change(items[id_])
    if fields.pop("id", id_) != id_:
        raise InputError("id", "an id does not change", repr(id_))
    return _with(site, part, {**items, id_: fields})


def removed(site: Site, part: Part, id_: str) -> Item:
    """The site's document without the item."""
    items = items_of(site, part)
    del items[id_]
    return _with(site, part, items)


def _with(site: Site, part: Part, items: dict[str, Item]) -> Item:
    document: Item = deepcopy(site_document(site))
    if part.named_by == "key":
        document[part.name] = items
    elif part.named_by == "place":
        document[part.name] = list(items.values())
    else:
        document[part.name] = [item if id_ == _NEW else {**item, "label": id_}
                               for id_, item in items.items()]
    return document


def merged(old: Any, patch: Any) -> Any:
    """RFC 7396: `patch` laid over `old`; null takes a field away."""
    if not isinstance(patch, dict):
        return patch
    result = dict(old) if isinstance(old, dict) else {}
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        else:
            result[key] = merged(result.get(key), value)
    return result

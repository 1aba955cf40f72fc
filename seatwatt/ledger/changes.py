"""What differs between two declarations of a site, item by item. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from seatwatt.contract.site import Site
from seatwatt.ledger.site_rows import to_rows

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Change:
    """One item that was added, removed or changed; `before` and `after` as JSON documents."""

    action: str
    """`added`, `removed` or `changed`."""
    kind: str
    """site, zone, meter, exchange, acceptance, tenant, lease, booking, bands or order (when the
    items are the same and only stand in another order)."""
    name: str
    before: Document | None
    after: Document | None

    def differences(self) -> list[str]:
        """Each field that changed, as `field: before -> after`; empty unless `changed`."""
        if self.before is None or self.after is None:
            return []
        names = list(dict.fromkeys([*self.before, *self.after]))
        return [f"{name}: {_short(self.before.get(name))} -> {_short(self.after.get(name))}"
                for name in names if self.before.get(name) != self.after.get(name)]


def compare(old: Site | None, new: Site) -> tuple[Change, ...]:
    """The changes from `old` (None: nothing was declared) to `new`; both must be labelled."""
    before = {} if old is None else documents(old)
    after = documents(new)
    found = []
    for key in dict.fromkeys([*before, *after]):
        one, other = before.get(key), after.get(key)
        if one != other:
            action = "added" if one is None else "removed" if other is None else "changed"
            found.append(Change(action, *key, one, other))
    if old is not None and not found and to_rows(old) != to_rows(new):
        found.append(Change("changed", "order", new.id, None, None))
    return tuple(found)


def documents(site: Site) -> dict[tuple[str, str], Document]:
    """(kind, name) -> the item as a JSON document; zones carry their seats, leases theirs.

    The bands are one item: a list that is read as a whole.
    """
    rows = to_rows(site)
    for row in (row for part in rows.values() for row in part):
        row.pop("position", None)
    found: dict[tuple[str, str], Document] = {("site", site.id): rows["sites"][0]}
    found["bands", "bands"] = {"bands": rows["bands"]}
    for zone in rows["zones"]:
        seats = [seat["name"] for seat in rows["seats"] if seat["zone"] == zone["name"]]
        found["zone", zone["name"]] = {**zone, "seats": seats}
    for kind, table, key in (("meter", "meters", "device"), ("tenant", "tenants", "id")):
        found |= {(kind, row[key]): row for row in rows[table]}
    for kind in ("exchange", "acceptance"):
        found |= {(kind, _event_name(row)): row for row in rows[f"{kind}s"]}
    found |= {("lease", row["label"]): _lease(row, rows) for row in rows["leases"]}
    found |= {("booking", row["label"]): row for row in rows["bookings"]}
    return found


def _event_name(row: Mapping[str, Any]) -> str:
    return f"{row['meter']} at {row['at_ms']}" + (f" {q}" if (q := row.get("quantity")) else "")


def _lease(row: Document, rows: Mapping[str, list[Document]]) -> Document:
    seats = [f"{seat['zone']}/{seat['seat']}" for seat in rows["lease_seats"]
             if seat["lease"] == row["label"]]
    zones = [zone["zone"] for zone in rows["lease_zones"] if zone["lease"] == row["label"]]
    return {**row, "seats": seats, "zones": zones}


def _short(value: object) -> str:
    text = "-" if value is None else str(value)
    return text if len(text) <= 60 else text[:57] + "..."

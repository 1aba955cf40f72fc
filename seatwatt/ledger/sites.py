"""Sites as declared, each change dated and signed."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.site import Site
from seatwatt.ledger import tables
from seatwatt.ledger.changes import Change, compare
from seatwatt.ledger.labels import highest, labelled
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.site_rows import from_rows, to_rows


@dataclass(frozen=True, slots=True)
class SiteHead:
    """A declared site in one line."""

    id: str
    name: str
    revision: int
    changed_at_ms: int
    changed_by: str


@dataclass(frozen=True, slots=True)
class Declared:
    """A site as it is declared, at its revision; leases and bookings without a label of their
    own are called `lease-N` and `booking-N`."""

    site: Site
    revision: int


@dataclass(frozen=True, slots=True)
class Saved:
    """What a save did; without changes the revision stays."""

    revision: int
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class TrailEntry:
    """One line of the audit trail."""

    id: int
    site: str
    revision: int
    at_ms: int
    who: str
    change: Change


def save_site(engine: Engine, site: Site, who: str, at_ms: int,
              expected_revision: int | None = None) -> Saved:
    """Declare `site`, all or nothing, and write down what changed, by whom and when.

    ConflictError when `expected_revision` (0: not declared yet) is no longer the one it has.
    """
    try:
        with writing(engine) as connection:
            return _save(connection, site, who, at_ms, expected_revision)
    except IntegrityError as error:
        # Two declared a new site at once: there was no row yet on which one could wait.
        raise ConflictError(f"site {site.id}", "somebody else declared it at this moment",
                            "to be tried again") from error


def _save(connection: Connection, site: Site, who: str, at_ms: int,
          expected_revision: int | None) -> Saved:
    head = _head(connection, site.id, lock=True)
    revision = head["revision"] if head else 0
    if expected_revision is not None and expected_revision != revision:
        raise ConflictError(f"site {site.id}", f"it is at revision {revision} by now",
                            f"revision {expected_revision}")
    old, new = _before_and_after(connection, site, head)
    changes = compare(old, new)
    if changes:
        revision += 1
        _store(connection, new, head, {"revision": revision, "changed_at_ms": at_ms,
                                       "changed_by": who})
        _record(connection, site.id, revision, who, at_ms, changes)
    return Saved(revision, changes)


def compare_site(engine: Engine, site: Site) -> tuple[Change, ...]:
    """What `save_site` would change; nothing is written."""
    with reading(engine) as connection:
        return compare(*_before_and_after(connection, site, _head(connection, site.id)))


def load_site(engine: Engine, site_id: str) -> Site:
    """The site as declared; InputError when there is none of this id."""
    return load_declared(engine, site_id).site


def load_declared(engine: Engine, site_id: str) -> Declared:
    """The site and its revision, of one and the same moment; InputError when there is none."""
    with reading(engine) as connection:
        head = _head(connection, site_id)
        if head is None:
            known = connection.execute(select(tables.sites.c.id).order_by(tables.sites.c.id))
            raise InputError("site", f"{site_id!r} is not declared",
                             ", ".join(known.scalars()) or "a site (seatwatt site apply FILE)")
        return Declared(_load(connection, site_id, head), head["revision"])


def list_sites(engine: Engine) -> list[SiteHead]:
    """All declared sites, sorted by id."""
    columns = tables.sites.c
    query = select(columns.id, columns.name, columns.revision, columns.changed_at_ms,
                   columns.changed_by).order_by(columns.id)
    with reading(engine) as connection:
        return [SiteHead(*row) for row in connection.execute(query)]


def trail(engine: Engine, site_id: str, limit: int = 100, after_id: int = 0) -> list[TrailEntry]:
    """The audit trail of a site after an entry, oldest first."""
    table = tables.changes
    query = (select(table).where(table.c.site_id == site_id, table.c.id > after_id)
             .order_by(table.c.id).limit(limit))
    with reading(engine) as connection:
        return [TrailEntry(r.id, r.site_id, r.revision, r.at_ms, r.who,
                           Change(r.action, r.kind, r.name, r.before, r.after))
                for r in connection.execute(query)]


def _head(connection: Connection, site_id: str, lock: bool = False) -> RowMapping | None:
    query = select(tables.sites).where(tables.sites.c.id == site_id)
    if lock:
        query = query.with_for_update()
    return connection.execute(query).mappings().one_or_none()


def _before_and_after(connection: Connection, site: Site, head: RowMapping | None
                      ) -> tuple[Site | None, Site]:
    if head is None:
        return None, labelled(site, None, 0, 0)
    old = _load(connection, site.id, head)
    return old, labelled(site, old, head["leases_counted"], head["bookings_counted"])


def _load(connection: Connection, site_id: str, head: RowMapping) -> Site:
    rows: dict[str, Any] = {"sites": [head]}
    for table in tables.PARTS:
        query = select(table).where(table.c.site_id == site_id).order_by(table.c.position)
        rows[table.name] = connection.execute(query).mappings().all()
    return from_rows(site_id, rows)


def _store(connection: Connection, site: Site, head: RowMapping | None,
           mark: dict[str, Any]) -> None:
    rows = to_rows(site)
    leases, bookings = (head["leases_counted"], head["bookings_counted"]) if head else (0, 0)
    mark |= {"leases_counted": highest("lease", site.leases, leases),
             "bookings_counted": highest("booking", site.bookings, bookings)}
    own = tables.sites
    if head is None:
        connection.execute(insert(own).values(id=site.id, **rows["sites"][0], **mark))
    else:
        connection.execute(update(own).where(own.c.id == site.id)
                           .values(**rows["sites"][0], **mark))
    for table in reversed(tables.PARTS):
        connection.execute(delete(table).where(table.c.site_id == site.id))
    for table in tables.PARTS:
        if rows[table.name]:
            connection.execute(insert(table),
                               [{"site_id": site.id, **row} for row in rows[table.name]])


def _record(connection: Connection, site_id: str, revision: int, who: str, at_ms: int,
            changes: tuple[Change, ...]) -> None:
    connection.execute(insert(tables.changes), [
        {"site_id": site_id, "revision": revision, "at_ms": at_ms, "who": who,
         "action": c.action, "kind": c.kind, "name": c.name, "before": c.before,
         "after": c.after} for c in changes])

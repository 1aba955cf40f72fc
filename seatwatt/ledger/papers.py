"""Bills, tariffs and occupancy plans of a site; every change is a new revision."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import Connection, Engine, RowMapping, Select, and_, func, insert, select

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.run_tables import papers
from seatwatt.ledger.tables import sites

KINDS = ("bill", "tariff", "occupancy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Paper:
    """One document as it was declared. `document` is its file's mapping."""

    site: str
    kind: str
    """One of KINDS."""
    name: str
    revision: int
    from_: date | None
    to: date | None
    document: Mapping[str, Any]
    withdrawn: bool
    at_ms: int
    who: str


def add_paper(engine: Engine, site: str, kind: str, document: Mapping[str, Any], who: str,
              at_ms: int, expected_revision: int | None = None) -> Paper:
    """Declare a checked document; of the same name, as its next revision. The same words again
    change nothing. ConflictError when `expected_revision` (0: new) is no longer the newest."""
    with writing(engine) as connection:
        _lock_site(connection, site)
        name = str(document[kind])
        newest = _newest(connection, site, kind, name)
        _check_revision(f"{kind} {name}", newest, expected_revision)
        if newest is not None and newest.document == document and not newest.withdrawn:
            return newest
        from_, to = _dates(document)
        paper = Paper(site=site, kind=kind, name=name, withdrawn=False, at_ms=at_ms, who=who,
                      revision=newest.revision + 1 if newest else 1, from_=from_, to=to,
                      document=document)
        _insert(connection, paper)
        return paper


def withdraw_paper(engine: Engine, site: str, kind: str, name: str, who: str, at_ms: int) -> Paper:
    """Take a document back; what was issued with it becomes an adjustment. InputError when there
    is none."""
    with writing(engine) as connection:
        _lock_site(connection, site)
        newest = _newest(connection, site, kind, name)
        if newest is None or newest.withdrawn:
            raise InputError(f"{kind} {name}", f"site {site} has no such {kind}")
        paper = Paper(site=site, kind=kind, name=name, revision=newest.revision + 1,
                      from_=newest.from_, to=newest.to, document=newest.document, withdrawn=True,
                      at_ms=at_ms, who=who)
        _insert(connection, paper)
        return paper


def list_papers(engine: Engine, site: str, kind: str) -> list[Paper]:
    """The newest revision of each that is not withdrawn, sorted by name."""
    newest = (select(papers.c.name, func.max(papers.c.revision).label("revision"))
              .where(papers.c.site_id == site, papers.c.kind == kind)
              .group_by(papers.c.name).subquery())
    query = (_all(site, kind).join(newest, and_(papers.c.name == newest.c.name,
                                                papers.c.revision == newest.c.revision))
             .where(papers.c.withdrawn.is_(False)).order_by(papers.c.name))
    with reading(engine) as connection:
        return [_paper(row) for row in connection.execute(query).mappings()]


def get_paper(engine: Engine, site: str, kind: str, name: str) -> Paper:
    """The newest revision; InputError when there is none, or it is withdrawn."""
    with reading(engine) as connection:
        newest = _newest(connection, site, kind, name)
    if newest is None or newest.withdrawn:
        raise InputError(f"{kind} {name}", f"site {site} has no such {kind}")
    return newest


def _lock_site(connection: Connection, site: str) -> None:
    """Changes of one site's papers wait for one another."""
    query = select(sites.c.id).where(sites.c.id == site).with_for_update()
    if connection.execute(query).one_or_none() is None:
        raise InputError("site", f"{site!r} is not declared", "a site (seatwatt site apply FILE)")


def _check_revision(what: str, newest: Paper | None, expected: int | None) -> None:
    revision = newest.revision if newest else 0
    if expected is not None and expected != revision:
        raise ConflictError(what, f"it is at revision {revision} by now", f"revision {expected}")


def _newest(connection: Connection, site: str, kind: str, name: str) -> Paper | None:
    query = (_all(site, kind).where(papers.c.name == name)
             .order_by(papers.c.revision.desc()).limit(1))
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else _paper(row)


def _all(site: str, kind: str) -> Select[Any]:
    return select(papers).where(papers.c.site_id == site, papers.c.kind == kind)


def _dates(document: Mapping[str, Any]) -> tuple[date | None, date | None]:
    period = document.get("period", document)
    from_, to = period.get("from"), period.get("to")
    return (None if from_ is None else date.fromisoformat(from_),
            None if to is None else date.fromisoformat(to))


def _insert(connection: Connection, paper: Paper) -> None:
    connection.execute(insert(papers).values(
        site_id=paper.site, kind=paper.kind, name=paper.name, revision=paper.revision,
        from_=paper.from_ and paper.from_.isoformat(), to=paper.to and paper.to.isoformat(),
        document=paper.document, withdrawn=paper.withdrawn, at_ms=paper.at_ms, who=paper.who))


def _paper(row: RowMapping) -> Paper:
    return Paper(site=row["site_id"], kind=row["kind"], name=row["name"],
                 revision=row["revision"], document=row["document"], withdrawn=row["withdrawn"],
                 from_=None if row["from_"] is None else date.fromisoformat(row["from_"]),
                 to=None if row["to"] is None else date.fromisoformat(row["to"]),
                 at_ms=row["at_ms"], who=row["who"])

"""What people did that no other table tells: log-ins, users, keys, replays. It can only grow.

Changes of a site have a trail of their own (`seatwatt.ledger.sites.trail`), and runs, papers and
readings by hand carry who made them.
"""

from dataclasses import dataclass

from sqlalchemy import Engine, insert, select

from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.people_tables import deeds


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """Who did what to whom or what, and when. `site` None: it concerns no single site."""

    at_ms: int
    who: str
    action: str
    subject: str
    site: str | None = None
    detail: str = ""
    id: int = 0


def note(engine: Engine, deed: Deed) -> None:
    """Add a line to the trail."""
    with writing(engine) as connection:
        connection.execute(insert(deeds), [{
            "at_ms": deed.at_ms, "who": deed.who, "action": deed.action, "subject": deed.subject,
            "site_id": deed.site, "detail": deed.detail}])


def list_deeds(engine: Engine, limit: int = 100, before_id: int | None = None,
               site: str | None = None) -> list[Deed]:
    """The newest first; with `site`, that site's alone."""
    query = select(deeds).order_by(deeds.c.id.desc()).limit(limit)
    if before_id is not None:
        query = query.where(deeds.c.id < before_id)
    if site is not None:
        query = query.where(deeds.c.site_id == site)
    with reading(engine) as connection:
        return [Deed(id=row.id, at_ms=row.at_ms, who=row.who, action=row.action,
                     subject=row.subject, site=row.site_id, detail=row.detail)
                for row in connection.execute(query)]

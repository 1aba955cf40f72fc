"""Days of registers as settlement keeps them: a month need not be read from the store again.

Nothing here is a record: a day may be thrown away at any time and is made anew from the store.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import date

from sqlalchemy import Engine, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite

from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.run_tables import kept_days

_AT_ONCE = 8
"""Days read by one statement: two megabytes for 350 seats."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptHead:
    """A local day of a site: under which declarations it was kept (`rules`), what the store's marks
    were (`mark`), a digest of all its readings (`content`), and when it was last compared with
    the store."""

    day: date
    rules: str
    mark: str
    content: str
    checked_at_ms: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptDay:
    """A head with its registers, as bytes."""

    head: KeptHead
    registers: bytes


def kept_heads(engine: Engine, site: str, from_: date, to: date) -> dict[date, KeptHead]:
    """The kept days in [from_, to)."""
    columns = [column for column in kept_days.c if column.name not in ("site_id", "registers")]
    query = select(*columns).where(kept_days.c.site_id == site,
                                   kept_days.c.day >= from_.isoformat(),
                                   kept_days.c.day < to.isoformat())
    with reading(engine) as connection:
        rows = [dict(row._mapping) for row in connection.execute(query)]
    heads = [KeptHead(**{**row, "day": date.fromisoformat(row["day"])}) for row in rows]
    return {head.day: head for head in heads}


def kept_registers(engine: Engine, site: str, days: Collection[date]) -> Iterator[KeptDay]:
    """The days, one after another as they are read; those not kept are left out."""
    names = sorted(day.isoformat() for day in days)
    for start in range(0, len(names), _AT_ONCE):
        query = select(kept_days).where(kept_days.c.site_id == site,
                                        kept_days.c.day.in_(names[start:start + _AT_ONCE]))
        with reading(engine) as connection:  # closed before a day is given out
            rows = connection.execute(query).all()
        for row in rows:
            yield KeptDay(registers=bytes(row.registers), head=KeptHead(
                day=date.fromisoformat(row.day), rules=row.rules, mark=row.mark,
                content=row.content, checked_at_ms=row.checked_at_ms))


def keep_days(engine: Engine, site: str, days: Sequence[KeptDay]) -> None:
    """Keep them in place of what was kept of the same days."""
    if not days:
        return
    rows = [{"site_id": site, **asdict(each.head), "day": each.head.day.isoformat(),
             "registers": each.registers} for each in days]
    dialect = postgresql if engine.dialect.name == "postgresql" else sqlite
    put = dialect.insert(kept_days)
    values = {name: put.excluded[name] for name in rows[0] if name not in ("site_id", "day")}
    put = put.on_conflict_do_update(index_elements=["site_id", "day"], set_=values)
    with writing(engine) as connection:
        connection.execute(put, rows)


def note_checked(engine: Engine, site: str, heads: Collection[KeptHead], at_ms: int) -> None:
    """The days were compared with the store and are as it has them, unless somebody kept them
    anew meanwhile."""
    if not heads:
        return  # Nothing to write: no lock to wait for.
    with writing(engine) as connection:
        for head in heads:
            connection.execute(
                update(kept_days).where(kept_days.c.site_id == site,
                                        kept_days.c.day == head.day.isoformat(),
                                        kept_days.c.content == head.content,
                                        kept_days.c.mark == head.mark)
                .values(checked_at_ms=at_ms))


def drop_days(engine: Engine, site: str, before: date) -> int:
    """Let go of the days before this one; how many."""
    with writing(engine) as connection:
        return connection.execute(
            delete(kept_days).where(kept_days.c.site_id == site,
                                    kept_days.c.day < before.isoformat())).rowcount

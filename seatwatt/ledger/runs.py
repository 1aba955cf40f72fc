"""Runs and their statements: draft -> approved -> issued; what is issued never changes.

Every step names the state and digest it starts from, so that of two clients that take the same step
at once one is refused.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import Connection, Engine, Row, Select, delete, func, insert, select, update

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.run_tables import runs, statements
from seatwatt.ledger.tables import sites

STATES = ("draft", "approved", "issued")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """Who did something, and when."""

    at_ms: int
    who: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A period of a site, and how far it came. `document` is JSON text."""

    id: int
    site: str
    from_: date
    to: date
    state: str
    revision: int
    """Rises with every draft."""
    digest: str
    """SHA-256 of the recorded inputs, occupancy included."""
    document: str
    drafted: Mark
    approved: Mark | None
    issued: Mark | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """What one party receives. `document` is JSON text, frozen once `serial` is given."""

    run_id: int
    site: str
    party: str
    serial: int | None
    """Counts a site's issued statements from 1, without gaps."""
    document: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Inputs:
    """What a run was computed from, as bytes; occupancy apart, None where none was needed or it
    is forgotten."""

    main: bytes
    occupancy: bytes | None


def save_draft(engine: Engine, site: str, from_: date, to: date, inputs: Inputs, digest: str,
               document: str, parties: Mapping[str, str], by: Mark) -> Run:
    """Keep a draft with its statements (party -> JSON text); an older draft of the period goes.

    ConflictError when the period is approved or issued, or overlaps another run's.
    """
    with writing(engine) as connection:
        _lock_site(connection, site)
        old = _check_free(connection, site, from_, to)
        values = {"inputs": inputs.main, "occupancy": inputs.occupancy, "digest": digest,
                  "document": document, "drafted_at_ms": by.at_ms, "drafted_by": by.who}
        if old is None:
            run_id = connection.execute(insert(runs).values(
                site_id=site, from_=from_.isoformat(), to=to.isoformat(), state="draft",
                revision=1, **values).returning(runs.c.id)).scalar_one()
        else:
            run_id = old.id
            connection.execute(update(runs).where(runs.c.id == run_id)
                               .values(revision=old.revision + 1, **values))
            connection.execute(delete(statements).where(statements.c.run_id == run_id))
        connection.execute(insert(statements), [
            {"run_id": run_id, "party": party, "site_id": site, "serial": None, "document": text}
            for party, text in parties.items()])
        return _get(connection, run_id)


def approve_run(engine: Engine, run_id: int, digest: str, by: Mark) -> Run:
    """The draft with this digest was reviewed: it follows late data no longer."""
    return _step(engine, run_id, "draft", digest, {
        "state": "approved", "approved_at_ms": by.at_ms, "approved_by": by.who})


def reopen_run(engine: Engine, run_id: int) -> Run:
    """Approved, but not issued yet: a draft again."""
    return _step(engine, run_id, "approved", None, {
        "state": "draft", "approved_at_ms": None, "approved_by": None})


def issue_run(engine: Engine, run_id: int, documents: Mapping[str, str], serials: Mapping[str, int],
              by: Mark) -> Run:
    """Freeze an approved run with its final documents and serials (party -> number), which must
    go on where `next_serial` stood before the caller looked at anything else: so whatever it knows
    of issued runs still holds. ConflictError when somebody was faster."""
    with writing(engine) as connection:
        run = _get(connection, run_id)
        _lock_site(connection, run.site)
        _check_state(_get(connection, run_id), "approved")
        first = _next_serial(connection, run.site)
        if sorted(serials.values()) != list(range(first, first + len(serials))):
            raise ConflictError(f"run {run_id}", f"the next statement is number {first} by now",
                                "to be tried again")
        for party, document in documents.items():
            connection.execute(
                update(statements).where(statements.c.run_id == run_id,
                                         statements.c.party == party)
                .values(document=document, serial=serials[party]))
        connection.execute(update(runs).where(runs.c.id == run_id).values(
            state="issued", issued_at_ms=by.at_ms, issued_by=by.who))
        return _get(connection, run_id)


def next_serial(engine: Engine, site: str) -> int:
    """The number that the site's next statement gets."""
    with reading(engine) as connection:
        return _next_serial(connection, site)


def get_run(engine: Engine, run_id: int) -> Run:
    """InputError when there is none."""
    with reading(engine) as connection:
        return _get(connection, run_id)


def find_run(engine: Engine, site: str, from_: date, to: date) -> Run | None:
    """The run of exactly this period."""
    query = _heads().where(runs.c.site_id == site, runs.c.from_ == from_.isoformat(),
                           runs.c.to == to.isoformat())
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    return None if row is None else _run(row)


def list_runs(engine: Engine, site: str, state: str | None = None) -> list[Run]:
    """A site's runs, the newest period first."""
    query = _heads().where(runs.c.site_id == site).order_by(runs.c.from_.desc())
    if state is not None:
        query = query.where(runs.c.state == state)
    with reading(engine) as connection:
        return [_run(row) for row in connection.execute(query)]


def inputs_of(engine: Engine, run_id: int) -> Inputs:
    """What the run was computed from."""
    query = select(runs.c.inputs, runs.c.occupancy).where(runs.c.id == run_id)
    with reading(engine) as connection:
        row = connection.execute(query).one()
    return Inputs(main=bytes(row.inputs),
                  occupancy=None if row.occupancy is None else bytes(row.occupancy))


def forget_occupancy(engine: Engine, site: str, before: date) -> int:
    """Forget who sat where in issued runs that ended before this day; how many runs."""
    with writing(engine) as connection:
        return connection.execute(
            update(runs).where(runs.c.site_id == site, runs.c.to < before.isoformat(),
                               runs.c.state == "issued", runs.c.occupancy.is_not(None))
            .values(occupancy=None)).rowcount


def list_statements(engine: Engine, run_id: int) -> list[Statement]:
    """All statements of a run, sorted by party."""
    query = select(statements).where(statements.c.run_id == run_id).order_by(statements.c.party)
    with reading(engine) as connection:
        return [_statement(row) for row in connection.execute(query)]


def statements_of(engine: Engine, site: str, party: str) -> list[Statement]:
    """All statements of a party, the newest run first."""
    query = (select(statements).where(statements.c.site_id == site, statements.c.party == party)
             .order_by(statements.c.run_id.desc()))
    with reading(engine) as connection:
        return [_statement(row) for row in connection.execute(query)]


def get_statement(engine: Engine, run_id: int, party: str) -> Statement:
    """InputError when the run has none for the party."""
    query = select(statements).where(statements.c.run_id == run_id, statements.c.party == party)
    with reading(engine) as connection:
        row = connection.execute(query).one_or_none()
    if row is None:
        raise InputError("statement", f"run {run_id} has none for {party!r}")
    return _statement(row)


def _step(engine: Engine, run_id: int, state: str, digest: str | None,
          values: Mapping[str, object]) -> Run:
    with writing(engine) as connection:
        _lock_site(connection, _get(connection, run_id).site)
        run = _get(connection, run_id)
        _check_state(run, state)
        if digest is not None and digest != run.digest:
            raise ConflictError(f"run {run_id}", "it was drafted anew since it was reviewed",
                                f"digest {run.digest}")
        connection.execute(update(runs).where(runs.c.id == run_id).values(**values))
        return _get(connection, run_id)


def _check_state(run: Run, state: str) -> None:
    if run.state != state:
        raise ConflictError(f"run {run.id}", f"it is {run.state}", state)


def _check_free(connection: Connection, site: str, from_: date, to: date) -> Run | None:
    """The draft of this very period, if there is one; ConflictError for any other overlap."""
    query = _heads().where(runs.c.site_id == site, runs.c.from_ < to.isoformat(),
                           runs.c.to > from_.isoformat())
    own = None
    for row in connection.execute(query):
        run = _run(row)
        if (run.from_, run.to) != (from_, to):
            raise ConflictError("period", f"{from_} to {to} overlaps run {run.id} of {run.from_} "
                                f"to {run.to}", "periods that do not overlap")
        _check_state(run, "draft")
        own = run
    return own


def _lock_site(connection: Connection, site: str) -> None:
    query = select(sites.c.id).where(sites.c.id == site).with_for_update()
    if connection.execute(query).one_or_none() is None:
        raise InputError("site", f"{site!r} is not declared", "a site (seatwatt site apply FILE)")


def _next_serial(connection: Connection, site: str) -> int:
    query = select(func.max(statements.c.serial)).where(statements.c.site_id == site)
    return (connection.execute(query).scalar() or 0) + 1


def _heads() -> "Select[tuple[object, ...]]":
    """Runs without their inputs, which may be megabytes."""
    return select(*(column for column in runs.c if column.name not in ("inputs", "occupancy")))


def _get(connection: Connection, run_id: int) -> Run:
    row = connection.execute(_heads().where(runs.c.id == run_id)).one_or_none()
    if row is None:
        raise InputError("run", f"there is no run {run_id}")
    return _run(row)


def _run(row: "Row[tuple[object, ...]]") -> Run:
    def mark(at_ms: int | None, who: str | None) -> Mark | None:
        return None if at_ms is None or who is None else Mark(at_ms=at_ms, who=who)

    return Run(id=row.id, site=row.site_id, from_=date.fromisoformat(row.from_),
               to=date.fromisoformat(row.to), state=row.state, revision=row.revision,
               digest=row.digest, document=row.document,
               drafted=Mark(at_ms=row.drafted_at_ms, who=row.drafted_by),
               approved=mark(row.approved_at_ms, row.approved_by),
               issued=mark(row.issued_at_ms, row.issued_by))


def _statement(row: "Row[tuple[object, ...]]") -> Statement:
    return Statement(run_id=row.run_id, site=row.site_id, party=row.party, serial=row.serial,
                     document=row.document)

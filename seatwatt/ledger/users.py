"""People who may log in, and their sessions: never a password, never a session's token."""

from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.people_tables import sessions, users


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """One person. `site_id` None: every site; `tenant` belongs to the role tenant alone."""

    id: str
    name: str
    role: str
    site_id: str | None
    tenant: str | None
    password_hash: str
    must_change: bool
    """Whether the password is one that somebody else has seen."""
    created_at_ms: int
    created_by: str
    disabled_at_ms: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """One log-in. It ends at `ends_at_ms`, however busy it is."""

    token_sha256: str
    user_id: str
    started_at_ms: int
    seen_at_ms: int
    ends_at_ms: int


def add_user(engine: Engine, user: User) -> None:
    """Keep a new user; ConflictError when the name is taken, by a disabled one too."""
    try:
        with writing(engine) as connection:
            connection.execute(insert(users), [asdict(user)])
    except IntegrityError:
        raise ConflictError("name", f"there is a user {user.name!r} already",
                            "another name") from None


def list_users(engine: Engine) -> list[User]:
    """All users, disabled ones too, by name."""
    with reading(engine) as connection:
        rows = connection.execute(select(users).order_by(users.c.name)).mappings()
        return [User(**row) for row in rows]


def find_user(engine: Engine, name: str) -> User | None:
    """The user of this name."""
    with reading(engine) as connection:
        row = connection.execute(select(users).where(users.c.name == name)).mappings().first()
    return None if row is None else User(**row)


def set_password(engine: Engine, name: str, password_hash: str, must_change: bool) -> User:
    """A new password; every session of the user ends. InputError when there is no such user."""
    return _changed(engine, name, password_hash=password_hash, must_change=must_change)


def rehash_password(engine: Engine, user: User, password_hash: str) -> None:
    """The same password under newer parameters, unless it was changed meanwhile."""
    with writing(engine) as connection:
        connection.execute(update(users).where(
            users.c.id == user.id, users.c.password_hash == user.password_hash
        ).values(password_hash=password_hash))


def set_disabled(engine: Engine, name: str, at_ms: int | None) -> User:
    """Disable the user (None: let it in again); every session of the user ends."""
    return _changed(engine, name, disabled_at_ms=at_ms)


def _changed(engine: Engine, name: str, **values: object) -> User:
    with writing(engine) as connection:
        connection.execute(update(users).where(users.c.name == name).values(**values))
        row = connection.execute(select(users).where(users.c.name == name)).mappings().first()
        if row is None:
            raise InputError("name", f"there is no user {name!r}")
        connection.execute(delete(sessions).where(sessions.c.user_id == row["id"]))
        return User(**row)


def start_session(engine: Engine, session: Session, password_hash: str) -> bool:
    """Keep a new session and drop the ones that are over; whether the user may still log in with
    the password that was checked."""
    with writing(engine) as connection:
        query = select(users.c.id).where(
            users.c.id == session.user_id, users.c.disabled_at_ms.is_(None),
            users.c.password_hash == password_hash).with_for_update()
        if connection.execute(query).first() is None:
            return False
        connection.execute(delete(sessions).where(sessions.c.ends_at_ms <= session.started_at_ms))
        connection.execute(insert(sessions), [asdict(session)])
        return True


def find_session(engine: Engine, token_sha256: str) -> tuple[Session, User] | None:
    """The session of this token and whose it is."""
    with reading(engine) as connection:
        return _session(connection, token_sha256)


def _session(connection: Connection, token_sha256: str) -> tuple[Session, User] | None:
    row = connection.execute(
        select(sessions).where(sessions.c.token_sha256 == token_sha256)).mappings().first()
    if row is None:
        return None
    user = connection.execute(
        select(users).where(users.c.id == row["user_id"])).mappings().one()
    return Session(**row), User(**user)


def touch_session(engine: Engine, token_sha256: str, at_ms: int) -> None:
    """It was used at this moment."""
    with writing(engine) as connection:
        connection.execute(update(sessions).where(
            sessions.c.token_sha256 == token_sha256).values(seen_at_ms=at_ms))


def end_session(engine: Engine, token_sha256: str) -> None:
    """Log out."""
    with writing(engine) as connection:
        connection.execute(delete(sessions).where(sessions.c.token_sha256 == token_sha256))

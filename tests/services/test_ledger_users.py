"""Users, their sessions and the trail of deeds, on both databases."""

from dataclasses import replace

import pytest
from sqlalchemy import Engine, delete, update
from sqlalchemy.exc import DBAPIError

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.ledger.deeds import Deed, list_deeds, note
from seatwatt.ledger.open import writing
from seatwatt.ledger.people_tables import deeds
from seatwatt.ledger.users import (
    Session,
    User,
    add_user,
    end_session,
    find_session,
    find_user,
    list_users,
    rehash_password,
    set_disabled,
    set_password,
    start_session,
    touch_session,
)

AYESHA = User(id="u1", name="ayesha", role="tenant", site_id="peshawar", tenant="alpha",
              password_hash="hash", must_change=True, created_at_ms=1, created_by="operator")


def session(token: str, at_ms: int = 10, ends_at_ms: int = 100) -> Session:
    return Session(token_sha256=token, user_id="u1", started_at_ms=at_ms, seen_at_ms=at_ms,
                   ends_at_ms=ends_at_ms)


def test_users_are_kept_by_their_names(ledger: Engine) -> None:
    add_user(ledger, AYESHA)
    with pytest.raises(ConflictError, match="already"):
        add_user(ledger, replace(AYESHA, id="u2"))
    add_user(ledger, replace(AYESHA, id="u3", name="adnan"))
    assert [each.name for each in list_users(ledger)] == ["adnan", "ayesha"]
    assert find_user(ledger, "ayesha") == AYESHA
    assert find_user(ledger, "nobody") is None
    for change in (lambda: set_disabled(ledger, "nobody", 5),
                   lambda: set_password(ledger, "nobody", "x", False)):
        with pytest.raises(InputError, match="no user 'nobody'"):
            change()


def test_a_session_is_used_and_ended(ledger: Engine) -> None:
    add_user(ledger, AYESHA)
    assert start_session(ledger, session("one"), "hash")
    touch_session(ledger, "one", 20)
    assert find_session(ledger, "one") == (replace(session("one"), seen_at_ms=20), AYESHA)
    end_session(ledger, "one")
    assert find_session(ledger, "one") is None


def test_a_new_password_and_a_disabled_user_end_every_session(ledger: Engine) -> None:
    add_user(ledger, AYESHA)
    start_session(ledger, session("one"), "hash")
    assert set_password(ledger, "ayesha", "new", False).password_hash == "new"
    assert find_session(ledger, "one") is None
    assert not start_session(ledger, session("two"), "hash")
    assert start_session(ledger, session("two"), "new")
    assert set_disabled(ledger, "ayesha", 7).disabled_at_ms == 7
    assert find_session(ledger, "two") is None
    assert not start_session(ledger, session("three"), "new")
    set_disabled(ledger, "ayesha", None)
    assert start_session(ledger, session("three"), "new")


def test_sessions_that_are_over_go_when_another_starts(ledger: Engine) -> None:
    add_user(ledger, AYESHA)
    start_session(ledger, session("old", ends_at_ms=30), "hash")
    start_session(ledger, session("young", ends_at_ms=31), "hash")
    start_session(ledger, session("new", at_ms=30), "hash")
    assert find_session(ledger, "old") is None
    assert find_session(ledger, "young") is not None


def test_a_hash_is_renewed_unless_the_password_was_changed(ledger: Engine) -> None:
    add_user(ledger, AYESHA)
    start_session(ledger, session("one"), "hash")
    rehash_password(ledger, AYESHA, "stronger")
    assert find_session(ledger, "one") is not None
    rehash_password(ledger, AYESHA, "late")
    found = find_user(ledger, "ayesha")
    assert found is not None
    assert found.password_hash == "stronger"


def test_deeds_can_only_be_added(ledger: Engine) -> None:
    for at_ms, site in ((1, None), (2, "peshawar"), (3, "peshawar")):
        note(ledger, Deed(at_ms=at_ms, who="ayesha", action="replayed", subject="3 messages",
                          site=site))
    assert [deed.at_ms for deed in list_deeds(ledger)] == [3, 2, 1]
    [newest] = list_deeds(ledger, limit=1, site="peshawar")
    assert [d.at_ms for d in list_deeds(ledger, before_id=newest.id, site="peshawar")] == [2]
    for change in (update(deeds).values(who="nobody"), delete(deeds)):
        with pytest.raises(DBAPIError, match="append-only"), writing(ledger) as connection:
            connection.execute(change)

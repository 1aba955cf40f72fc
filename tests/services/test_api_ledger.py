"""Keys, the jobs' lock and idempotent answers, on both databases."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.ledger.answers import Answer, claim, forget_before, keep, release
from seatwatt.ledger.jobs import finish_job, list_jobs, take_job
from seatwatt.ledger.keys import ApiKey, add_first_key, add_key, find_key, list_keys, revoke_key


def key(id_: str, created_at_ms: int = 1) -> ApiKey:
    return ApiKey(id=id_, name="Ayesha", role="tenant", site_id="peshawar", tenant="alpha",
                  secret_sha256="0" * 64, created_at_ms=created_at_ms, created_by="operator",
                  expires_at_ms=99)


def test_keys_are_kept_listed_and_revoked_once(ledger: Engine) -> None:
    add_key(ledger, key("b", 1))
    add_key(ledger, key("a", 2))
    assert [each.id for each in list_keys(ledger)] == ["b", "a"]
    assert find_key(ledger, "a") == key("a", 2)
    assert find_key(ledger, "c") is None
    assert revoke_key(ledger, "a", 5).revoked_at_ms == 5
    assert revoke_key(ledger, "a", 7).revoked_at_ms == 5
    with pytest.raises(InputError, match="no key 'c'"):
        revoke_key(ledger, "c", 5)


def test_the_first_key_is_made_once(ledger: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(lambda n: add_first_key(ledger, key(str(n))), range(4)))
    assert sorted(made) == [False, False, False, True]
    assert not add_first_key(ledger, key("other"))
    assert len(list_keys(ledger)) == 1


def test_one_of_several_holders_gets_the_job(ledger: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        taken = list(pool.map(lambda n: take_job(ledger, "health", f"p{n}", 0, 100), range(4)))
    assert sorted(taken) == [False, False, False, True]


def test_a_dead_holder_loses_the_job_when_its_time_is_up(ledger: Engine) -> None:
    assert take_job(ledger, "health", "dead", 0, 100)
    assert not take_job(ledger, "health", "alive", 99, 199)
    assert take_job(ledger, "health", "alive", 100, 200)
    assert not finish_job(ledger, "health", "dead", 150, False, "late", {})
    assert finish_job(ledger, "health", "alive", 160, True, "boom", {"peshawar": 7})
    record = list_jobs(ledger)["health"]
    assert (record.status, record.failures, record.detail) == ("failed", 1, "boom")
    assert (record.started_at_ms, record.finished_at_ms) == (100, 160)
    assert record.progress == {"peshawar": 7}
    assert not take_job(ledger, "health", "third", 161, 261, idle_ms=62)
    assert take_job(ledger, "health", "third", 161, 261, idle_ms=61)
    assert list_jobs(ledger)["health"].status == "running"


def test_a_request_sent_twice_has_one_answer(ledger: Engine) -> None:
    assert claim(ledger, "k", "one", "hash", 1) is None
    with pytest.raises(ConflictError, match="under way"):
        claim(ledger, "k", "one", "hash", 2)
    keep(ledger, "k", "one", Answer(201, {"etag": '"1"'}, b"{}"))
    assert claim(ledger, "k", "one", "hash", 3) == Answer(201, {"etag": '"1"'}, b"{}")
    with pytest.raises(ConflictError, match="another request"):
        claim(ledger, "k", "one", "other", 3)
    assert claim(ledger, "other caller", "one", "other", 3) is None


def test_a_released_key_may_be_tried_again_and_old_ones_go(ledger: Engine) -> None:
    claim(ledger, "k", "one", "hash", 1)
    release(ledger, "k", "one")
    assert claim(ledger, "k", "one", "hash", 2) is None
    assert forget_before(ledger, 2) == 0
    assert forget_before(ledger, 3) == 1

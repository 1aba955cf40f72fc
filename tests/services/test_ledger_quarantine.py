"""The quarantine keeps messages as they came, on SQLite and PostgreSQL."""

from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from seatwatt.contract.errors import InputError
from seatwatt.contract.readings import QuarantinedMessage
from seatwatt.contract.rules import Rule
from seatwatt.ledger.quarantine import Quarantine


def _message(number: int, rule: Rule = Rule.T08, site: str = "peshawar") -> QuarantinedMessage:
    return QuarantinedMessage(f"seatwatt/v1/{site}/seat/hall-a/{number:03}", b"\x00\xff raw",
                              1_790_000_000_000 + number, rule, "too large")


def test_messages_come_back_as_they_went_in_in_order(ledger: Engine) -> None:
    quarantine = Quarantine(ledger)
    messages = [_message(n) for n in range(5)]
    quarantine.put(messages)
    kept = quarantine.list()
    assert [k.message for k in kept] == messages
    assert quarantine.get(kept[2].id) == kept[2]


def test_pages_follow_the_last_id(ledger: Engine) -> None:
    quarantine = Quarantine(ledger)
    quarantine.put([_message(n) for n in range(5)])
    first = quarantine.list(limit=2)
    second = quarantine.list(limit=2, after_id=first[-1].id)
    third = quarantine.list(limit=2, after_id=second[-1].id)
    assert [k.message for k in first + second + third] == [_message(n) for n in range(5)]


def test_filters_by_rule_site_and_topic(ledger: Engine) -> None:
    quarantine = Quarantine(ledger)
    quarantine.put([_message(1), _message(2, Rule.T03), _message(3, site="peshawar-2"),
                    QuarantinedMessage("peshawar/100%_odd", b"", 1, Rule.T02, "")])
    assert quarantine.count() == 4
    assert quarantine.count(site="peshawar") == 2
    assert quarantine.count(rule=Rule.T03) == 1
    assert [k.message.topic for k in quarantine.list(topic_prefix="peshawar/100%_")] == [
        "peshawar/100%_odd"]
    assert quarantine.counts() == {Rule.T02: 1, Rule.T03: 1, Rule.T08: 2}


def test_removed_messages_are_gone_and_their_ids_never_return(ledger: Engine) -> None:
    quarantine = Quarantine(ledger)
    quarantine.put([_message(n) for n in range(1200)])
    ids = [k.id for k in quarantine.list(limit=2000)]
    assert quarantine.remove([*ids, max(ids) + 5]) == 1200
    quarantine.put([_message(1)])
    assert quarantine.list()[0].id > max(ids)
    with pytest.raises(InputError, match="no message"):
        quarantine.get(ids[0])


def test_a_retained_message_is_kept_once_however_often_it_comes(ledger: Engine) -> None:
    quarantine = Quarantine(ledger)
    came = replace(_message(1), retained=True)
    quarantine.put([_message(1)])  # published while we were subscribed
    quarantine.put([came, _message(2), came])
    other = replace(came, payload=b"\x00\xff other")
    quarantine.put([replace(came, received_at_ms=1), other, other, replace(came, rule=Rule.T03)])
    assert [k.message for k in quarantine.list()] == [
        _message(1), _message(2), replace(other, retained=False), _message(1, Rule.T03)]
    quarantine.remove([k.id for k in quarantine.list()])
    quarantine.put([came])
    assert quarantine.count() == 1


def test_nothing_put_is_nothing_kept(ledger: Engine) -> None:
    Quarantine(ledger).put([])
    assert Quarantine(ledger).count() == 0


def test_one_message_that_cannot_be_kept_keeps_none(ledger: Engine) -> None:
    quarantine = Quarantine(ledger)
    wrong = QuarantinedMessage("t", None, 1, Rule.T01, "")  # type: ignore[arg-type]
    with pytest.raises(Exception, match=r"(?i)null"):
        quarantine.put([_message(1), wrong])
    assert quarantine.count() == 0


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(payload=st.binary(), detail=st.text(st.characters()))
def test_any_bytes_and_any_words_can_be_kept(ledger: Engine, payload: bytes, detail: str) -> None:
    quarantine = Quarantine(ledger)
    quarantine.put([QuarantinedMessage("t", payload, 1, Rule.T01, detail)])
    kept = quarantine.list(limit=1000)[-1].message
    assert kept.payload == payload
    if "\0" not in detail and not any(0xD800 <= ord(c) <= 0xDFFF for c in detail):
        assert kept.detail == detail

"""The small parts: counts, intake, gate, outbox, takeovers, subscriptions, parcels, sums."""

import json
from pathlib import Path
from random import Random

import pytest

from seatwatt.contract.errors import (
    SettingsError,
    StoreMisconfigured,
    StoreRefused,
    StoreUnavailable,
)
from seatwatt.contract.readings import ReadingBatch, Refusal
from seatwatt.contract.rules import Rule
from seatwatt.contract.senml import decode
from seatwatt.ingest.commit import Places
from seatwatt.ingest.counts import Account
from seatwatt.ingest.delivery import Store
from seatwatt.ingest.gate import Gate
from seatwatt.ingest.intake import Delivery, Intake, size_of
from seatwatt.ingest.outbox import Outbox
from seatwatt.ingest.packets import Cut
from seatwatt.ingest.parcel import Parcel
from seatwatt.ingest.session import filters
from seatwatt.ingest.sorter import Sorter, is_aside
from seatwatt.ingest.subscriptions import Subscriptions
from seatwatt.ingest.sums import summed
from seatwatt.ingest.takeovers import Takeovers
from seatwatt.settings import IngestSettings
from tests.unit.ingest.fakes import NOW_MS, FakeQuarantine, FakeWriter, power


def test_accounts_of_processes_add_up() -> None:
    both = Account(received=5, stored=3, in_flight=2).plus(Account(received=2, quarantined=2))
    assert both == Account(received=7, stored=3, quarantined=2, in_flight=2)
    assert both.balanced
    assert not Account(received=1).balanced


def delivery(*payloads: bytes) -> Delivery:
    messages = [(b"a", payload, 1) for payload in payloads]
    return Delivery(1, 0, messages, size_of(messages))


def test_the_intake_is_bounded_by_messages_and_by_bytes_until_done() -> None:
    intake = Intake(max_messages=3, max_bytes=100)
    intake.put(delivery(b"1", b"2"))
    assert intake.has_room()
    intake.put(delivery(b"3"))
    assert not intake.has_room()
    taken = intake.take(0)
    assert [len(one.messages) for one in taken] == [2, 1]
    assert not intake.has_room()
    for one in taken:
        intake.done(one)
    assert (intake.messages, intake.bytes) == (0, 0)
    intake.put(delivery(b"x" * 100))
    assert not intake.has_room()


def test_a_closed_intake_wakes_who_waits() -> None:
    intake = Intake(10, 100)
    intake.close()
    assert intake.take(None) == []
    assert intake.closed


def test_the_gate_backs_off_with_jitter_and_obeys_the_stores_own_wish() -> None:
    now_s = 100.0
    gate = Gate(Random(1), lambda: now_s)
    waits = []
    for _ in range(12):
        gate.failed(StoreUnavailable("down"))
        waits.append(gate.wait_s())
    assert 0.3 < waits[0] < 0.7
    assert 3.7 < waits[-1] <= 6.25
    assert waits[2] > waits[0]
    gate.failed(StoreUnavailable("slow down", retry_after_s=7.0))
    assert gate.wait_s() == 7.0
    gate.failed(StoreUnavailable("see you next year", retry_after_s=3e7))
    assert gate.wait_s() == 600.0
    gate.failed(StoreUnavailable("slow down", retry_after_s=7.0))
    assert not gate.is_open
    assert gate.problem == "slow down"
    gate.succeeded()
    assert (gate.wait_s(), gate.is_open, gate.problem) == (0.0, True, "")


def test_the_log_says_what_the_store_said_when_it_is_news_and_once_a_minute(
        caplog: pytest.LogCaptureFixture) -> None:
    now_s = 100.0
    gate = Gate(Random(1), lambda: now_s)
    caplog.set_level("WARNING")
    for words, at_s in (("401: token", 100.0), ("401: token", 130.0), ("404: none", 161.0)):
        now_s = at_s
        gate.failed(StoreMisconfigured(words))
    gate.succeeded()
    gate.succeeded()
    waiting = "the store takes no readings, they wait in the journal: "
    assert caplog.messages == [f"{waiting}401: token", f"{waiting}404: none",
                               "the store takes readings again"]


def test_acks_of_earlier_connections_are_discarded() -> None:
    outbox = Outbox()
    outbox.put({1: [5, 6], 2: [5]}, {})
    outbox.put({2: [9]}, {"r": b"[1]"})
    assert outbox.take_acks(2) == [5, 9]
    assert outbox.take_acks(2) == []
    assert outbox.take_receipts() == [("r", b"[1]")]
    assert outbox.take_receipts() == []


def test_connections_lost_in_quick_succession_are_a_takeover() -> None:
    takeovers = Takeovers(3)
    assert not takeovers.lost(0.0)
    assert not takeovers.lost(1.0)
    assert takeovers.lost(2.0)
    assert not Takeovers(2).lost(0.0)
    slow = Takeovers(2)
    assert not slow.lost(0.0)
    assert not slow.lost(61.0)
    restarted = Takeovers(2)
    assert not restarted.lost(0.0)
    restarted.refused()
    assert not restarted.lost(1.0)


def test_filters_no_longer_wanted_are_remembered_until_the_broker_let_go(tmp_path: Path) -> None:
    path = tmp_path / "subscriptions.json"
    first = Subscriptions(path, ("a/#", "b/#"))
    assert first.removed == ()
    first.asked()
    second = Subscriptions(path, ("b/#", "c/#"))
    assert second.removed == ("a/#",)
    second.asked()
    assert json.loads(path.read_text()) == ["a/#", "b/#", "c/#"]
    second.removal_confirmed()
    assert Subscriptions(path, ("b/#", "c/#")).removed == ()
    path.write_text("{broken")
    assert Subscriptions(path, ("a",)).removed == ()


def test_filters_that_cannot_be_written_down_do_not_stop_the_connection(
        tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    path = tmp_path / "subscriptions.json"
    Subscriptions(path, ("a/#",)).asked()
    before = path.stat()
    path.with_suffix(".new").mkdir()  # no disk space, as far as writing is concerned
    Subscriptions(path, ("a/#",)).asked()
    assert path.stat() == before
    assert caplog.messages == []
    Subscriptions(path, ("b/#",)).asked()
    assert "cannot be written" in caplog.messages[0]


@pytest.mark.parametrize(("workers", "worker", "text", "expected"), [
    (1, 1, "seatwatt/v1/#", ("seatwatt/v1/#",)),
    (1, 1, " a/+/b , c/# ", ("a/+/b", "c/#")),
    (4, 2, "a/#", ("$share/ingest/a/#",)),
    (1, 2, "a/#", ()),  # no longer wanted: only fetches what waits
])
def test_what_is_subscribed(workers: int, worker: int, text: str,
                            expected: tuple[str, ...]) -> None:
    assert filters(IngestSettings(ingest_workers=workers, ingest_worker=worker,
                                  ingest_filters=text)) == expected


@pytest.mark.parametrize("text", ["a/#/b", "a/b#", "a+/b", "$share/x/a", "ok/#,b/#/", "a" * 70_000])
def test_what_is_no_filter_is_told_at_start(text: str) -> None:
    with pytest.raises(SettingsError, match=r"SEATWATT_INGEST_FILTERS: .* is no topic filter"):
        filters(IngestSettings(ingest_filters=text))


def test_no_filter_at_all_is_told_at_start() -> None:
    with pytest.raises(SettingsError, match="SEATWATT_INGEST_FILTERS: it names no topic filter"):
        filters(IngestSettings(ingest_filters=" , "))


@pytest.mark.parametrize(("name", "value"), [
    ("mqtt_host", ""), ("mqtt_host", "a..b"), ("mqtt_host", "x" * 64),
    ("ingest_share", "a/b"), ("ingest_share", "a#"), ("ingest_client_id", ""),
    ("ingest_client_id", "a/b"), ("ingest_client_id", "x" * 61), ("ingest_client_id", "a\n"),
    ("ingest_linger_s", "inf"), ("ingest_linger_s", "1e300"), ("ingest_watchdog_s", "nan"),
    ("ingest_watchdog_s", "inf"), ("ingest_state", "")])
def test_a_setting_that_cannot_work_is_told_by_its_name(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"^SEATWATT_{name.upper()}: "):
        IngestSettings.load(**{name: value})


@pytest.mark.parametrize(("topic", "aside"), [
    (b"seatwatt/v1/hall/receipt/a/g", True), (b"seatwatt/v1/hall/status/a/g", True),
    (b"seatwatt/v1/hall/pack/a/g", False), (b"seatwatt/v1/receipt/seat/a/g", False)])
def test_what_is_aside(topic: bytes, aside: bool) -> None:
    assert is_aside(topic) == aside


def test_one_row_a_message_and_rule_goes_to_the_quarantine() -> None:
    parcel = Parcel(0.0, topics=[b"t"], payloads=[b"p"], received_at_ms=[7], ends=[0])
    parcel.refuse(0, [Refusal(Rule.T04, f"unit {n}", n) for n in range(8)]
                  + [Refusal(Rule.T09, "NaN", 9)])
    assert [(row.rule, row.detail) for row in parcel.pending] == [
        (Rule.T04, "record 0: unit 0; record 1: unit 1; record 2: unit 2; record 3: unit 3; "
                   "record 4: unit 4; and 3 more"),
        (Rule.T09, "record 9: NaN")]
    assert parcel.refused == {0}


def sorted_parcel(topic: bytes, payload: bytes, largest: int = 1000) -> Parcel:
    parcel = Parcel(0.0)
    Sorter(decode, largest).add(parcel, topic, payload, NOW_MS)
    return parcel


def test_the_sorter_never_raises() -> None:
    def broken(*_ignored: object) -> None:
        raise KeyError("nobody foresaw this")

    parcel = Parcel(0.0)
    Sorter(broken, 1000).add(parcel, *power(1.0), NOW_MS)  # type: ignore[arg-type]
    assert [row.rule for row in parcel.pending] == [Rule.T01]
    assert "nobody foresaw this" in parcel.pending[0].detail


def test_topics_are_refused_with_what_was_expected() -> None:
    for topic in (b"seatwatt/v1/hall/lamp/a/1", b"seatwatt/v1", b"\xff/x",
                  b"seatwatt/v1/hall/status/a/g"):
        parcel = sorted_parcel(topic, b"[]")
        assert [row.rule for row in parcel.pending] == [Rule.T02]


def test_a_payload_too_large_is_kept_up_to_what_was_kept() -> None:
    topic, _ = power(1.0)
    whole = sorted_parcel(topic, b"x" * 1001)
    assert [(row.rule, row.detail, len(row.payload)) for row in whole.pending] == [
        (Rule.T10, "1001 bytes; at most 1000", 1001)]
    cut = Cut(b"x" * 2000)
    cut.whole_bytes = 10**9
    row = sorted_parcel(topic, cut).pending[0]
    assert row.detail == "1000000000 bytes, kept the first 2000; at most 1000"
    assert type(row.payload) is bytes


def batch(values: list[float]) -> ReadingBatch:
    parcel = Parcel(0.0)
    sorter = Sorter(decode, 1000)
    for number, value in enumerate(values):
        sorter.add(parcel, *power(value, at_s=10**9 + number), NOW_MS)
    return parcel.readings


def test_only_what_the_store_refuses_by_itself_is_refused() -> None:
    writer = FakeWriter()
    writer.refuses = lambda value: value == 666.0
    store = Store(writer, Gate())
    refused = store.deliver(batch([1.0, 666.0, 2.0, 3.0, 666.0]))
    assert [index for index, _ in refused] == [1, 4]
    assert sorted(writer.readings.values()) == [1.0, 2.0, 3.0]
    assert store.gate.is_open


def test_more_refused_than_one_search_allows_still_ends_with_verdicts() -> None:
    writer = FakeWriter()
    writer.refuses = lambda value: value == 666.0
    values = [666.0] * 1500 + [1.0] * 20
    refused = Store(writer, Gate()).deliver(batch(values))
    assert [index for index, _ in refused] == list(range(1500))
    assert len(writer.readings) == 20


def test_an_adapter_that_breaks_is_down_or_refuses_but_never_raises_anything_else() -> None:
    class Broken(FakeWriter):
        error: Exception = OSError("cable pulled")

        def write(self, batch: ReadingBatch) -> None:
            raise self.error

    writer = Broken()
    store = Store(writer, Gate())
    with pytest.raises(StoreUnavailable, match="cable pulled"):
        store.deliver(batch([1.0]))
    assert not store.gate.is_open
    writer.error = ValueError("what is this")
    (index, words), = store.deliver(batch([1.0]))
    assert (index, words) == (0, "adapter failed: ValueError: what is this")


def test_an_adapter_that_breaks_without_readings_costs_none_of_them() -> None:
    class Unusable(FakeWriter):
        def write(self, batch: ReadingBatch) -> None:
            raise OverflowError("timeout out of range")

        def ping(self) -> None:
            raise OverflowError("timeout out of range")

    store = Store(Unusable(), Gate())
    with pytest.raises(StoreUnavailable, match="adapter failed: OverflowError: timeout out of"):
        store.deliver(batch([1.0]))
    assert not store.gate.is_open


def test_the_log_tells_what_the_store_refuses_at_once_and_then_once_a_minute(
        caplog: pytest.LogCaptureFixture) -> None:
    writer, now_s = FakeWriter(), 100.0
    writer.refuses = lambda value: value == 666.0
    places = Places(Store(writer, Gate()), FakeQuarantine(), lambda: now_s)
    for at_s in (100.0, 101.0, 102.0, 160.0):
        now_s = at_s
        parcel = Parcel(0.0, batch([666.0, 1.0]), [b"t"], [b"p"], [7], [2])
        assert places.take(parcel) == 1
    assert caplog.messages == [
        f"store refused {count} readings, quarantined: partial write: out of sorts dropped=0"
        for count in (1, 3)]


def test_while_one_thread_tries_a_store_that_is_down_others_do_not_wait() -> None:
    store = Store(FakeWriter(), Gate())
    store.gate.failed(StoreMisconfigured("403"))
    assert store._trial.acquire()
    with pytest.raises(StoreUnavailable, match="other threads"):
        store.deliver(batch([1.0]))
    assert store.gate.problem == "403"
    store._trial.release()
    assert store.deliver(batch([1.0])) == []
    assert not issubclass(StoreUnavailable, StoreRefused)


def test_workers_are_summed() -> None:
    texts = [f'# HELP seatwatt_ingest_stored_total x\n'
             f'seatwatt_ingest_stored_total{{worker="i-{n}"}} {n}\n' for n in (1, 2)]
    lines = summed(texts).splitlines()
    assert lines.count("# HELP seatwatt_ingest_stored_total x") == 1
    assert "seatwatt_ingest_all_stored_total 3" in lines
    assert 'seatwatt_ingest_stored_total{worker="i-2"} 2' in lines

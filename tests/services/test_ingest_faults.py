"""The broker's traps, one at a time: ingest in this process on a real mosquitto."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from seatwatt.cli._raw_publisher import RawPublisher, packets
from seatwatt.contract.errors import StoreUnavailable
from seatwatt.contract.senml import decode
from seatwatt.ingest.metrics import figures
from seatwatt.ingest.service import Ingest
from seatwatt.ingest.watch import Watch
from seatwatt.settings import IngestSettings
from tests.servers import Server, mosquitto
from tests.services.ingest_kit import (
    IngestProcess,
    count_and_sum,
    influx_url,
    pack,
    publish,
    single,
    singles,
    until,
)
from tests.unit.ingest.fakes import FakeQuarantine, FakeWriter


def now_ms() -> int:
    return time.time_ns() // 1_000_000


class Bench:
    """An Ingest with its fakes, started by `start` and stopped at the end of the test."""

    def __init__(self, folder: Path, broker: Server) -> None:
        self.folder, self.broker = folder, broker
        self.writer, self.quarantine = FakeWriter(), FakeQuarantine()
        self.clock: Callable[[], int] = now_ms
        self.running: list[tuple[Ingest, Watch]] = []

    def start(self, **settings: object) -> Ingest:
        given = {"mqtt_port": self.broker.port, "ingest_state": self.folder,
                 "ingest_disk_reserve_bytes": 0, "ingest_linger_s": 0.05, **settings}
        ingest = Ingest(IngestSettings(**given), self.writer, self.quarantine, decode,  # type: ignore[arg-type]
                        lambda: self.clock())
        watch = Watch(ingest, now_ms)
        self.running.append((ingest, watch))
        ingest.start()
        watch.start()
        until(lambda: ingest.link.ready, "connected")
        return ingest

    def stop(self) -> None:
        self.writer.gate.set()
        for ingest, watch in self.running:
            watch.stop()
            ingest.stop()
        self.running = []


@pytest.fixture
def bench(tmp_path: Path, broker: Server) -> Iterator[Bench]:
    made = Bench(tmp_path / "state", broker)
    yield made
    made.stop()


def stored(bench: Bench) -> set[float | str]:
    return set(bench.writer.readings.values())


def test_nothing_is_acknowledged_before_it_rests(bench: Bench) -> None:
    bench.writer.gate.clear()
    ingest = bench.start()
    publish(bench.broker.port, singles(50))
    until(lambda: ingest.account.in_flight == 50, "all in flight")
    assert ingest.link.unacknowledged == 50
    bench.writer.gate.set()
    until(lambda: ingest.link.unacknowledged == 0, "all acknowledged")
    assert ingest.account.stored == 50


def test_an_ack_of_a_lost_session_does_not_lose_the_new_message_of_the_same_number(
        bench: Bench, tmp_path: Path) -> None:
    bench.broker.stop()
    bench.broker = mosquitto(tmp_path / "forgetful", "persistence false")
    bench.broker.start()
    ingest = bench.start()
    bench.writer.gate.clear()
    publish(bench.broker.port, singles(20))
    until(lambda: ingest.account.in_flight == 20, "the old ones are in flight")
    bench.broker.kill()
    bench.broker.start()
    until(lambda: ingest.link.ready and ingest.link.sessions_lost == 1, "a new session")
    publish(bench.broker.port, singles(20, start=100))
    until(lambda: ingest.account.in_flight == 40, "new ones, with the numbers of the old")
    bench.writer.gate.set()
    until(lambda: ingest.account.stored == 40, "all stored")
    assert stored(bench) == {float(n) for n in [*range(20), *range(100, 120)]}
    until(lambda: ingest.link.unacknowledged == 0, "the new ones are acknowledged")
    bench.broker.stop()


def test_stale_acks_are_not_sent(bench: Bench) -> None:
    """The numbers are the same on both connections: only the new ones' own acks count."""
    ingest = bench.start()
    bench.writer.gate.clear()
    publish(bench.broker.port, singles(10))
    until(lambda: bench.writer.writes == 1, "the first batch is being written")
    ingest.link.reset("test")
    until(lambda: ingest.link.state.epoch == 2 and ingest.link.unacknowledged == 10,
          "all are delivered again")
    assert ingest.account.in_flight == 20
    settle, old, new = ingest.link.settle, list[int](), list[int]()

    def hold_new(acks: dict[int, list[int]], receipts: dict[str, bytes]) -> None:
        new.extend(acks.get(2, []))
        settle({1: acks.get(1, [])}, receipts)
        old.extend(acks.get(1, []))

    ingest.link.settle = hold_new  # type: ignore[method-assign]
    bench.writer.gate.set()
    until(lambda: len(old) == 10 and len(new) == 10, "all copies are stored")
    until(lambda: not ingest.link._outbox._acks, "the network thread has seen the old acks")
    assert ingest.link.unacknowledged == 10
    settle({2: new}, {})
    until(lambda: ingest.link.unacknowledged == 0, "acknowledged on their own connection")


def test_a_callback_that_raises_costs_a_connection_and_no_message(bench: Bench) -> None:
    ingest = bench.start()
    calls = []

    def broken_once() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError("no time")
        return now_ms()

    bench.clock = broken_once
    publish(bench.broker.port, singles(100))
    until(lambda: len(stored(bench)) == 100, "all stored")
    assert ingest.link.state.failures == 1
    assert ingest.link.state.reconnects == 1


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_network_thread_that_dies_is_replaced(bench: Bench) -> None:
    ingest = bench.start()
    watch = bench.running[0][1]
    calls = []

    def deadly_once() -> int:
        calls.append(1)
        if len(calls) == 1:
            raise SystemExit  # passes every `except Exception`
        return now_ms()

    bench.clock = deadly_once
    publish(bench.broker.port, singles(100))
    until(lambda: len(stored(bench)) == 100, "all stored")
    assert watch.revivals == 1
    assert ingest.account.balanced


def test_an_ack_that_never_comes_is_noticed(bench: Bench) -> None:
    ingest = bench.start(ingest_watchdog_s=0.5)
    watch = bench.running[0][1]
    settle, forgotten = ingest.link.settle, []

    def forget_once(acks: dict[int, list[int]], receipts: dict[str, bytes]) -> None:
        if any(acks.values()) and not forgotten:
            forgotten.append(acks)
        else:
            settle(acks, receipts)

    ingest.link.settle = forget_once  # type: ignore[method-assign]
    publish(bench.broker.port, singles(5))
    until(lambda: watch.rescues == 1, "the watchdog connects anew")
    until(lambda: ingest.link.unacknowledged == 0 and ingest.account.stored > 5,
          "delivered again and acknowledged")


def test_a_slow_store_stops_the_reading_and_keeps_the_connection(bench: Bench) -> None:
    bench.writer.gate.clear()
    ingest = bench.start(ingest_queue_messages=200, ingest_batch_readings=100,
                         ingest_keepalive_s=5)
    publisher = RawPublisher(bench.broker.port)
    publisher.send(packets((topic, payload + b" " * 20_000) for topic, payload in
                           (single(number) for number in range(2_000))))
    until(lambda: ingest.link.state.paused, "reading pauses")
    held = ingest.account.in_flight
    assert held < 1_000
    time.sleep(8)  # longer than one and a half keep-alives
    assert ingest.account.in_flight == held
    assert ingest.link.ready
    assert ingest.link.state.reconnects == 0
    bench.writer.gate.set()
    publisher.settled()
    publisher.close()
    until(lambda: len(stored(bench)) == 2_000, "all stored once it goes on")


def test_at_the_journals_bound_nothing_more_is_acknowledged_and_nothing_lost(
        bench: Bench) -> None:
    bench.writer.failing = StoreUnavailable("down")
    ingest = bench.start(ingest_journal_bytes=20_000, ingest_batch_readings=100)
    publish(bench.broker.port, singles(5_000))
    until(lambda: bool(ingest.committer.problem), "the journal is full")
    journalled = ingest.account.journalled
    assert 0 < journalled < 5_000
    assert ingest.journal.size_bytes <= 20_000
    assert ingest.link.unacknowledged > 0
    assert ingest.account.balanced
    bench.writer.failing = None
    until(lambda: len(stored(bench)) == 5_000, "all stored when the store is back")
    until(lambda: ingest.account.journalled == 0 and ingest.link.unacknowledged == 0, "at rest")


def test_retained_messages_do_no_harm(bench: Bench) -> None:
    """They come again with each subscription; with the time in the payload that is harmless."""
    publisher = RawPublisher(bench.broker.port)
    publisher.send([b"\x33" + packet[1:] for packet in singles(3)])
    publisher.settled()
    publisher.close()
    ingest = bench.start()
    until(lambda: ingest.account.stored == 3, "the old messages are stored")
    ingest.link.reset("test")
    until(lambda: ingest.account.stored == 6, "and once more")
    assert len(stored(bench)) == 3


def test_a_retained_message_that_is_refused_lies_in_the_quarantine_once(
        tmp_path: Path, broker: Server) -> None:
    ingest = IngestProcess(tmp_path / "ingest", broker.port,
                           f"sqlite:///{tmp_path}/readings.db").start().connected()
    sender = Client(CallbackAPIVersion.VERSION2)
    sender.connect("127.0.0.1", broker.port)
    sender.loop_start()
    try:
        for payload, rows in ((b"no reading", 1), (b"another", 2)):
            sender.publish("seatwatt/v1/hall/seat/hall-a/001", payload, 1, retain=True)
            until(lambda rows=rows: len(ingest.quarantined()) == rows, "refused")  # type: ignore[misc]
            for _ in range(2):
                ingest.end()
                ingest.start().connected()
                until(lambda: ingest.metric("quarantined_total") == 1, "it came again")
        assert [kept.message.payload for kept in ingest.quarantined()] == [b"no reading",
                                                                           b"another"]
        assert ingest.metric("balanced") == 1
    finally:
        sender.disconnect()
        sender.loop_stop()
        ingest.end()


def test_a_filter_no_longer_wanted_is_unsubscribed(bench: Bench) -> None:
    bench.start(ingest_filters="seatwatt/v1/#,other/#")
    bench.stop()
    publish(bench.broker.port, packets([("other/a", b"while we are away")]))
    ingest = bench.start(ingest_filters="seatwatt/v1/#")
    until(lambda: ingest.account.quarantined == 1, "what the session held is not lost")
    until(lambda: "other/#" not in (bench.folder / "subscriptions-seatwatt-ingest-1.json")
          .read_text(), "the broker let go")
    publish(bench.broker.port, packets([("other/b", b"nobody asked"), single(1)]))
    until(lambda: ingest.account.stored == 1, "ours still come")
    assert ingest.account.quarantined == 1


def test_receipts_are_given_for_what_is_quarantined_too(bench: Bench) -> None:
    """A pack with a bad record would be sent again for ever."""
    topic, payload = pack(3, size=5)
    records = json.loads(payload)
    records[2]["u"] = "V"
    ingest = bench.start()
    receipts: list[bytes] = []
    settle = ingest.link.settle

    def listen(acks: dict[int, list[int]], given: dict[str, bytes]) -> None:
        receipts.extend(given.values())
        settle(acks, given)

    ingest.link.settle = listen  # type: ignore[method-assign]
    publish(bench.broker.port, packets([(topic, json.dumps(records).encode())]))
    until(lambda: receipts == [b'["1-3"]'], "its receipt")
    assert len(stored(bench)) == 4
    assert [message.rule.name for message in bench.quarantine.messages] == ["T04"]
    assert (ingest.account.quarantined, ingest.account.stored) == (1, 0)


def test_what_the_broker_itself_dropped_is_heard_of(
        bench: Bench, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    bench.broker.stop()
    bench.broker = mosquitto(tmp_path / "stingy", "max_queued_messages 10\nmax_inflight_messages 5"
                             "\nsys_interval 1")
    text = (bench.broker.folder / "mosquitto.conf").read_text()
    (bench.broker.folder / "mosquitto.conf").write_text(
        text.replace("max_queued_messages 0\n", "").replace("max_inflight_messages 1000\n", ""))
    bench.broker.start()
    bench.start()
    bench.stop()
    publish(bench.broker.port, singles(40))
    ingest = bench.start()
    until(lambda: ingest.drops.total > 0, "the broker told")
    until(lambda: ingest.account.stored + ingest.drops.total == 40, "each is stored or told of")
    assert figures(ingest)["broker_dropped_total"] == ingest.drops.total
    assert ingest.account.balanced
    assert [record.message for record in caplog.records if "dropped" in record.message] == [
        f"broker 127.0.0.1:{bench.broker.port} dropped {ingest.drops.total} messages "
        f"({ingest.drops.total} since it began) for clients that were away or slow: is its "
        "max_queued_messages 0?"]
    bench.broker.stop()


def test_a_broker_that_does_not_want_us_is_told_and_asked_again(tmp_path: Path) -> None:
    strict = mosquitto(tmp_path / "strict", "allow_anonymous false")
    strict.start()
    process = IngestProcess(tmp_path / "ingest", strict.port, "http://127.0.0.1:1/seatwatt")
    process.start()
    until(lambda: "refuses us" in process.log(), "it says so")
    assert "Not authorized" in process.ready()[1]
    assert process.end() == 0
    assert "Traceback" not in process.log()
    strict.stop()


def test_asked_to_stop_while_the_store_hangs_it_stops_and_loses_nothing(
        tmp_path: Path, broker: Server, influx: Server) -> None:
    process = IngestProcess(tmp_path / "ingest", broker.port, influx_url(influx),
                            {"SEATWATT_STORE_TIMEOUT_S": "3"})
    process.start().connected()
    publish(broker.port, singles(10))
    until(lambda: process.metric("stored_total") == 10, "the store is known")
    influx.freeze()
    publish(broker.port, singles(500, start=10))
    until(lambda: process.metric("received_total") > 10, "something is under way")
    assert process.end() == 0
    assert "Traceback" not in process.log()
    influx.thaw()
    process.start().connected()
    until(lambda: count_and_sum(influx) == (510, sum(range(510))), "all stored")
    assert process.end() == 0


def test_two_clients_of_one_id_end_with_a_clear_error(tmp_path: Path, broker: Server,
                                                      influx: Server) -> None:
    both = [IngestProcess(tmp_path / name, broker.port, influx_url(influx),
                          {"SEATWATT_INGEST_TAKEOVERS": "5"}) for name in ("one", "two")]
    for process in both:
        process.start()
    until(lambda: any(one.process is not None and one.process.poll() is not None
                      for one in both), "one of them gives up")
    loser = next(one for one in both if one.process is not None
                 and one.process.poll() is not None)
    assert loser.end() == 2
    assert loser.log().splitlines()[-1] == (
        "seatwatt: ingest: connection lost too often within a minute: another client uses the "
        "id 'seatwatt-ingest-1'")
    for process in both:
        process.end()

"""Ingest between a real mosquitto and a real InfluxDB."""

import signal

from seatwatt.cli._raw_publisher import RawPublisher, packets
from tests.servers import Server
from tests.services.ingest_kit import (
    NOW_S,
    IngestProcess,
    Receipts,
    count_and_sum,
    pack,
    portions,
    publish,
    query,
    single,
    singles,
    until,
)


def test_every_reading_is_stored_and_accounted_for(ingest: IngestProcess, broker: Server,
                                                   influx: Server) -> None:
    ingest.start().connected()
    publish(broker.port, singles(5_000))
    until(lambda: ingest.metric("stored_total") == 5_000, "all stored")
    assert count_and_sum(influx) == (5_000, sum(range(5_000)))
    assert ingest.metric("in_flight") == 0
    assert ingest.metric("balanced") == 1
    assert ingest.ready() == (200, "ready\n")
    assert ingest.end() == 0


def test_killed_in_the_middle_and_started_again_it_loses_nothing(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    total = 60_000
    ingest.start().connected()
    publisher = RawPublisher(broker.port)
    for number, portion in enumerate(portions(singles(total), 500)):
        publisher.send(portion)
        if number in (20, 55, 90):
            until(lambda: ingest.metric("received_total") != 0, "something is under way")
            ingest.end(signal.SIGKILL)
            ingest.start()
    publisher.settled()
    publisher.close()
    until(lambda: count_and_sum(influx)[0] == total, "every reading is stored")
    assert count_and_sum(influx) == (total, sum(range(total)))
    until(lambda: ingest.metric("in_flight") == 0, "nothing is left in flight")
    assert ingest.quarantined() == []


def test_stopped_by_a_signal_it_leaves_nothing_unacknowledged(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    ingest.start().connected()
    publish(broker.port, singles(20_000))
    until(lambda: ingest.metric("received_total") > 0, "something is under way")
    assert ingest.end(signal.SIGINT) == 0
    ingest.start().connected()
    until(lambda: count_and_sum(influx)[0] == 20_000, "every reading is stored")
    assert "Traceback" not in ingest.log()


def test_packs_get_a_receipt_once_they_are_stored(ingest: IngestProcess, broker: Server,
                                                  influx: Server) -> None:
    receipts = Receipts(broker.port)
    ingest.start().connected()
    publish(broker.port, packets(pack(number) for number in range(20)))
    until(lambda: len(receipts.ids) >= 20, "twenty receipts")
    assert sorted(receipts.ids) == sorted(f"1-{number}" for number in range(20))
    assert count_and_sum(influx) == (6_000, sum(range(6_000)))
    # Its own receipts come back to it and are neither readings nor refused.
    assert ingest.quarantined() == []
    receipts.close()


BAD = {
    "T02 unknown kind": ("seatwatt/v1/hall/lamp/hall-a/001", b"[]"),
    "T02 too short": ("seatwatt/v1/hall", b"[]"),
    "T02 shorter": ("seatwatt", b"[]"),
    "T02 another version": ("seatwatt/v2/hall/seat/hall-a/001", single(1)[1]),
    "T01 not JSON": ("seatwatt/v1/hall/seat/hall-a/001", b"\xff\x00 power: 12"),
    "T03 unknown quantity": ("seatwatt/v1/hall/seat/hall-a/001",
                             b'[{"bt":%d,"n":"mood","v":1}]' % NOW_S),
    "T04 wrong unit": ("seatwatt/v1/hall/seat/hall-a/001",
                       b'[{"bt":%d,"n":"power","u":"V","v":1}]' % NOW_S),
    "T05 no time": ("seatwatt/v1/hall/seat/hall-a/001", b'[{"n":"power","u":"W","v":1}]'),
    "T06 1970": ("seatwatt/v1/hall/seat/hall-a/001",
                 b'[{"bt":300000000,"n":"power","u":"W","v":1}]'),
    "T07 far future": ("seatwatt/v1/hall/seat/hall-a/001",
                       b'[{"bt":%d,"n":"power","u":"W","v":1}]' % (NOW_S + 86_400)),
    "T09 NaN": ("seatwatt/v1/hall/seat/hall-a/001",
                b'[{"bt":%d,"n":"power","u":"W","v":NaN}]' % NOW_S),
    "T10 5 MB": ("seatwatt/v1/hall/seat/hall-a/001", b"[" + b" " * 5_000_000 + b"]"),
}


def test_bad_input_is_quarantined_as_it_came_and_costs_no_neighbour(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    ingest.start().connected()
    mixed = [message for number, bad in enumerate(BAD.values())
             for message in (single(2 * number), bad, single(2 * number + 1))]
    publish(broker.port, packets(mixed))
    until(lambda: ingest.metric("quarantined_total") == len(BAD), "all bad ones refused")
    until(lambda: count_and_sum(influx)[0] == 2 * len(BAD), "all good ones stored")
    kept = {(row.message.topic, row.message.payload): row.message.rule.name
            for row in ingest.quarantined()}
    for name, (topic, payload) in BAD.items():
        rule = kept[topic, payload]
        assert rule == name[:3] or (name == "T09 NaN" and rule in ("T01", "T09")), (name, rule)
    assert ingest.metric("balanced") == 1
    assert "Traceback" not in ingest.log()


def test_ten_thousand_poison_messages_cost_no_good_one(ingest: IngestProcess, broker: Server,
                                                       influx: Server) -> None:
    ingest.start().connected()
    bad = [message for message in BAD.values() if len(message[1]) < 1_000]
    mixed = [message for number in range(10_000)
             for message in (bad[number % len(bad)], single(number))]
    publish(broker.port, packets(mixed))
    until(lambda: ingest.metric("quarantined_total") == 10_000, "all poison refused")
    until(lambda: count_and_sum(influx)[0] == 10_000, "all good ones stored")
    assert count_and_sum(influx) == (10_000, sum(range(10_000)))
    assert len(ingest.quarantined()) == 10_000


def test_while_the_store_is_down_readings_go_to_the_journal_and_then_to_the_store(
        ingest: IngestProcess, broker: Server, influx: Server) -> None:
    receipts = Receipts(broker.port)
    influx.stop()
    ingest.start().connected()
    publish(broker.port, packets([*(single(n) for n in range(4_000)), pack(50)]))
    until(lambda: ingest.metric("journalled") == 4_001, "all journalled")
    until(lambda: receipts.ids == ["1-50"], "a journalled pack has its receipt")
    assert ingest.metric("unacknowledged") == 0
    assert ingest.ready()[0] == 503
    ingest.end(signal.SIGKILL)
    ingest.start().connected()
    assert ingest.metric("received_total") == 4_001
    influx.start()
    publish(broker.port, singles(500, start=4_000))
    until(lambda: count_and_sum(influx)[0] == 4_800, "journal and live data are stored")
    until(lambda: ingest.metric("journalled") == 0, "the journal is empty")
    assert ingest.metric("balanced") == 1
    until(lambda: ingest.ready()[0] == 200, "ready again")
    receipts.close()


def test_the_broker_may_restart(ingest: IngestProcess, broker: Server, influx: Server) -> None:
    ingest.start().connected()
    publish(broker.port, singles(3_000))
    until(lambda: ingest.metric("stored_total") == 3_000, "first part stored")
    broker.stop()
    until(lambda: ingest.ready()[0] == 503, "not ready without a broker")
    broker.start()
    until(lambda: ingest.metric("connected") == 1, "connected again")
    publish(broker.port, singles(3_000, start=3_000))
    until(lambda: count_and_sum(influx) == (6_000, sum(range(6_000))), "second part stored")


def test_a_broker_that_is_not_there_is_waited_for(ingest: IngestProcess, broker: Server) -> None:
    broker.stop()
    ingest.start()
    until(lambda: "does not answer" in ingest.log(), "it says so")
    assert ingest.ready() == (503, ingest.ready()[1])
    broker.start()
    ingest.connected()
    assert "Traceback" not in ingest.log()


def test_a_metrics_port_in_use_ends_the_start_with_one_line(ingest: IngestProcess,
                                                            broker: Server) -> None:
    ingest.extra["SEATWATT_INGEST_METRICS_PORT"] = str(broker.port)
    ingest.start()
    assert ingest.process is not None
    assert ingest.process.wait(60) == 2
    assert ingest.log().splitlines()[-1].startswith(
        "seatwatt: SEATWATT_INGEST_METRICS_HOST, _PORT: cannot listen")
    assert "Traceback" not in ingest.log()


def test_the_pipeline_describes_itself_in_the_store(ingest: IngestProcess, broker: Server,
                                                    influx: Server) -> None:
    ingest.extra["SEATWATT_INGEST_PIPELINE_S"] = "0.5"
    ingest.start().connected()
    publish(broker.port, singles(10))
    until(lambda: bool(query(influx, "SELECT last(stored_total) FROM pipeline WHERE "
                                     "stored_total = 10")), "a point of the pipeline")

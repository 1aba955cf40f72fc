"""What simulated devices report, and how it is wrapped for the wire."""

from datetime import date

import numpy as np
import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.senml import decode
from seatwatt.contract.topics import Topic
from seatwatt.simulators.messages import messages, packs, singles
from seatwatt.simulators.sampling import Pace, Sampler, multiples
from seatwatt.simulators.world import World
from seatwatt.store.sitefiles import load_site
from tests.shared import ROOT

SINCE = date(2026, 10, 1)
HOUR_MS = 3_600_000
PACE = Pace(seat_s=900, node_s=900, state_s=3600)


@pytest.fixture(scope="module")
def world() -> World:
    return World(load_site(ROOT / "examples" / "workaround.yaml"), 1, SINCE)


@pytest.fixture(scope="module")
def day(world: World) -> ReadingBatch:
    return Sampler(world).readings(world.since_ms, world.since_ms + 24 * HOUR_MS, PACE)


def rows(batch: ReadingBatch, device: str, name: str) -> list[tuple[int, float | str]]:
    return [(at, value) for series, at, value in
            zip(batch.series, batch.taken_at_ms, batch.values, strict=True)
            if str(series.device) == device and series.quantity.name == name]


def test_registers_are_read_on_whole_multiples_and_show_the_truth(world: World, day: ReadingBatch
                                                                  ) -> None:
    read = rows(day, "seat/hall-a/001", "energy")
    assert [at for at, _ in read] == multiples(
        world.since_ms, world.since_ms + 24 * HOUR_MS, 900).tolist()
    row = next(i for i, r in enumerate(world.registers) if str(r.device) == "seat/hall-a/001")
    truth = world.counted(np.array([at for at, _ in read]))[row]
    shown = np.array([value for _, value in read], dtype=np.float64) * 1000
    assert ((truth - shown >= -0.01) & (truth - shown < 100.01)).all()


def test_readings_rise_in_time_and_lie_in_the_period(world: World) -> None:
    start_ms = world.since_ms + 5 * HOUR_MS + 1
    batch = Sampler(world).readings(start_ms, start_ms + HOUR_MS, PACE)
    assert batch.taken_at_ms == sorted(batch.taken_at_ms)
    assert start_ms <= batch.taken_at_ms[0]
    assert batch.taken_at_ms[-1] < start_ms + HOUR_MS


def test_two_halves_are_the_whole(world: World, day: ReadingBatch) -> None:
    cut_ms = world.since_ms + 11 * HOUR_MS + 77_000
    sampler = Sampler(world)
    first = sampler.readings(world.since_ms, cut_ms, PACE)
    second = sampler.readings(cut_ms, world.since_ms + 24 * HOUR_MS, PACE)
    first.extend(second)

    def all_of(batch: ReadingBatch) -> set[tuple[str, str, int, float | str]]:
        return {(str(s.device), s.quantity.name, at, value) for s, at, value in
                zip(batch.series, batch.taken_at_ms, batch.values, strict=True)}

    assert len(first) == len(day)
    assert all_of(first) == all_of(day)


def test_a_seat_tells_its_occupancy_on_every_change(world: World, day: ReadingBatch) -> None:
    told = rows(day, "seat/hall-a/001", "occupied")
    flow = world.day(SINCE)
    for minute in range(0, flow.day.minutes, 7):
        at_ms = flow.day.start_ms + minute * 60_000
        latest = [value for at, value in told if at <= at_ms][-1]
        assert latest == flow.worked[0, minute]


def test_a_ups_speaks_in_words(day: ReadingBatch) -> None:
    words = {value for _, value in rows(day, "ups/plant/ups-1", "status")}
    assert words == {"OL", "OL CHRG", "OB DISCHRG"}
    charge = [float(value) for _, value in rows(day, "ups/plant/ups-1", "battery_charge")]
    assert all(0 <= value <= 100 for value in charge)


@pytest.mark.parametrize("size", [0, 1, 300])
def test_messages_carry_every_reading_through_the_decoder(day: ReadingBatch, size: int) -> None:
    batch, book, decoded = day.part(0, 2_000), SeriesBook(), set()
    for taken_at_ms, topic, payload in messages(batch, "workaround", size):
        found = decode(payload, Topic.parse(topic), taken_at_ms, book)
        assert not found.refusals
        decoded |= {(str(s.device), s.quantity.name, at, value) for s, at, value in
                    zip(found.batch.series, found.batch.taken_at_ms, found.batch.values,
                        strict=True)}
    assert decoded == {(str(s.device), s.quantity.name, at, value) for s, at, value in
                       zip(batch.series, batch.taken_at_ms, batch.values, strict=True)}


def test_a_pack_holds_so_many_readings(day: ReadingBatch) -> None:
    made = list(packs(day.part(0, 700), "workaround", 300))
    assert [payload.count(b'"n":') for _, _, payload in made] == [300, 300, 100]
    assert {topic for _, topic, _ in made} == {"seatwatt/v1/workaround/pack/plant/simulator"}


def test_one_message_holds_one_device_at_one_instant() -> None:
    book = SeriesBook()
    seat = Device("seat", "hall-a", "001")
    batch = ReadingBatch()
    batch.append(book.get("hall", seat, quantity("seat", "energy")), 1000, 1.0)
    batch.append(book.get("hall", seat, quantity("seat", "power")), 1000, 60.0)
    batch.append(book.get("hall", seat, quantity("seat", "energy")), 2000, 2.0)
    made = list(singles(batch))
    assert [(at, topic) for at, topic, _ in made] == [
        (1000, "seatwatt/v1/hall/seat/hall-a/001"), (2000, "seatwatt/v1/hall/seat/hall-a/001")]


def test_no_readings_make_no_messages() -> None:
    assert list(singles(ReadingBatch())) == []
    assert list(packs(ReadingBatch(), "hall", 300)) == []

"""Each fault does what its line says, and the metering finds the truth again."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.simulators.faults import KINDS, Delivery, Fault, deliver, plan

METER = Device("meter", "hall", "board")
SEAT = Device("seat", "hall", "001")
MINUTE = 60_000


def readings(count: int = 10) -> ReadingBatch:
    """A meter that counts 10 Wh a minute from 1,000 Wh, and a seat's occupancy."""
    book, batch = SeriesBook(), ReadingBatch()
    for n in range(count):
        batch.append(book.get("s", METER, quantity("meter", "energy_import")), n * MINUTE,
                     1000.0 + 10 * n)
        batch.append(book.get("s", SEAT, quantity("seat", "occupied")), n * MINUTE, 1.0)
    return batch


def suffer(kind: str, start: int, end: int = 0, amount: float = 0.0) -> Delivery:
    return deliver(readings(), [Fault(kind=kind, device=METER, from_ms=start * MINUTE,
                                      to_ms=end * MINUTE, amount=amount)])


def meter(delivery: Delivery) -> list[tuple[int, float]]:
    return [(at // MINUTE, float(value)) for series, at, value in
            zip(delivery.batch.series, delivery.batch.taken_at_ms, delivery.batch.values,
                strict=True) if series.device == METER]


CLEAN = [(n, 1000.0 + 10 * n) for n in range(10)]


def test_without_faults_everything_arrives_as_it_was_taken() -> None:
    delivery = deliver(readings(), [])
    assert meter(delivery) == CLEAN
    assert delivery.received_at_ms == delivery.batch.taken_at_ms


@pytest.mark.parametrize(("kind", "start", "end", "amount", "expected"), [
    ("gap", 3, 6, 0, CLEAN[:3] + CLEAN[6:]),
    ("late", 3, 6, 0, [*CLEAN[:3], *CLEAN[3:6], *CLEAN[6:]]),
    ("reset", 3, 0, 0, CLEAN[:4] + [(n, 10.0 * (n - 3)) for n in range(4, 10)]),
    ("exchange", 3, 0, 50, CLEAN[:4] + [(n, 50 + 10.0 * (n - 3)) for n in range(4, 10)]),
    ("spike", 3, 0, 0, [*CLEAN[:3], (3, 10_300.0), *CLEAN[4:]]),
    ("dip", 3, 0, 0, [*CLEAN[:3], (3, 0.0), *CLEAN[4:]]),
    ("stuck", 3, 6, 0, [*CLEAN[:3], (3, 1030.0), (4, 1030.0), (5, 1030.0), *CLEAN[6:]]),
    ("skew", 3, 5, 60, [*CLEAN[:3], (4, 1030.0), (5, 1040.0), *CLEAN[5:]]),
])
def test_what_arrives(kind: str, start: int, end: int, amount: float,
                      expected: list[tuple[int, float]]) -> None:
    assert meter(suffer(kind, start, end, amount)) == expected


def test_late_readings_arrive_in_one_burst() -> None:
    delivery = suffer("late", 3, 6)
    assert [at // MINUTE for at, series in zip(delivery.received_at_ms, delivery.batch.series,
                                               strict=True) if series.device == METER] == [
        0, 1, 2, 6, 6, 6, 6, 7, 8, 9]


def test_duplicates_are_the_same_reading_twice() -> None:
    assert sorted(meter(suffer("duplicate", 3, 6))) == sorted(CLEAN + CLEAN[3:6])


def test_shuffled_readings_are_all_there() -> None:
    delivery = deliver(readings(), [Fault(kind="reorder", device=METER, from_ms=0,
                                          to_ms=10 * MINUTE)])
    assert sorted(meter(delivery)) == CLEAN
    assert meter(delivery) != CLEAN


def test_an_exchange_tells_what_must_be_declared() -> None:
    [exchange] = suffer("exchange", 3, 0, 50).exchanges
    assert (exchange.final_wh, exchange.initial_wh) == (1030.0, 50)
    assert exchange.at_ms == 3 * MINUTE + 1


def test_a_fault_before_the_first_reading_changes_nothing() -> None:
    assert meter(suffer("reset", -1)) == CLEAN


def test_an_unknown_fault_is_refused() -> None:
    with pytest.raises(InputError, match="'rust' is unknown"):
        Fault(kind="rust", device=METER, from_ms=0)


@given(kind=st.sampled_from(["gap", "late", "duplicate", "reorder", "stuck", "spike", "dip",
                             "reset", "exchange"]),
       start=st.integers(1, 7), length=st.integers(1, 2))
def test_the_register_still_tells_the_energy_of_the_whole(kind: str, start: int, length: int
                                                          ) -> None:
    """The sum of plausible steps, over an exchange as declared, is the truth: 90 Wh."""
    delivery = suffer(kind, start, start + length, 500.0)
    ordered = sorted(set(meter(delivery)))
    if kind in ("spike", "dip"):
        ordered = [row for row in ordered if row[0] != start]
    values = np.array([value for _, value in ordered])
    steps = np.diff(values)
    if kind in ("reset", "exchange"):
        initial = 500.0 if kind == "exchange" else 0.0
        steps[start] = values[start + 1] - initial
    assert steps.sum() == pytest.approx(90.0)


def test_a_plan_is_the_same_for_the_same_seed_and_spares_the_ends() -> None:
    devices = [Device("seat", "hall", f"{n:03d}") for n in range(40)]
    made = plan(devices, 0, 86_400_000, 300, 5, 20)
    assert made == plan(devices, 0, 86_400_000, 300, 5, 20)
    assert {fault.kind for fault in made} == set(KINDS)
    assert len({fault.device for fault in made}) == 20
    assert all(8_640_000 <= fault.from_ms < 77_760_000 for fault in made)
    assert all(fault.from_ms % 300_000 == 0 for fault in made)


def test_no_more_faults_than_devices() -> None:
    assert len(plan([METER], 0, 86_400_000, 300, 1, 5)) == 1
    assert plan([], 0, 86_400_000, 300, 1, 5) == []

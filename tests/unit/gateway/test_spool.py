"""The spool: what is committed survives, what is receipted goes, and what must go goes in order."""

import json
import multiprocessing
import os
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatwatt.contract.errors import SettingsError
from seatwatt.contract.readings import SeriesBook
from seatwatt.contract.senml import decode
from seatwatt.contract.topics import Topic
from seatwatt.gateway.packs import Packer, Rank
from seatwatt.gateway.spool import Limits, Spool, SpoolFull
from seatwatt.gateway.spool_held import Held
from tests.unit.gateway.kit import (
    GATEWAY,
    NOW_MS,
    ROOMY,
    drafts,
    energy,
    occupied,
    power,
    spool,
    values,
)


def everything(of: Spool) -> list[float]:
    """All values that wait, in order."""
    return [value for pack in of.between(0, 1 << 60, 1 << 30) for value in values(pack.payload)]


def waiting_ranks(of: Spool) -> set[int]:
    return {rank for rank, in of._database.execute("SELECT DISTINCT rank FROM pack")}


def test_packs_hold_at_most_three_hundred_readings_of_one_rank_registers_first() -> None:
    made = drafts(*(power(n) for n in range(700)), *(energy(n) for n in range(301)), occupied(1))
    assert [(d.rank, len(d.batch)) for d in made] == [
        (Rank.REGISTER, 300), (Rank.REGISTER, 1), (Rank.STATE, 1),
        (Rank.GAUGE, 300), (Rank.GAUGE, 300), (Rank.GAUGE, 100)]


def test_a_value_that_is_no_number_is_left_out_and_counted() -> None:
    packer = Packer("hall")
    made = packer.drafts([energy(1), *(
        type(energy(2))(energy(2).device, energy(2).quantity, NOW_MS, bad)
        for bad in (float("nan"), float("inf")))])
    assert sum(len(d.batch) for d in made) == 1
    assert packer.nonsense == 2


def test_a_pack_is_what_ingest_decodes_and_names_its_id(tmp_path: Path) -> None:
    box = spool(tmp_path)
    box.commit(drafts(energy(1), energy(2), power(3)))
    first, second = box.between(0, 9, 9)
    decoded = decode(first.payload, Topic("hall", "pack", "hall-a", "gw"), NOW_MS + 9_000,
                     SeriesBook())
    assert decoded.pack_id == f"{box.epoch}-1"
    assert decoded.refusals == []
    assert decoded.batch.values == [1.0, 2.0]
    assert decoded.batch.taken_at_ms == [NOW_MS + 1000, NOW_MS + 2000]
    assert json.loads(second.payload)[0]["vs"] == f"{box.epoch}-2"


@given(steps=st.lists(st.one_of(
    st.integers(1, 5).map(lambda n: ("add", n)), st.integers(1, 30).map(lambda n: ("forget", n)),
    st.just(("reopen", 0))), max_size=20))
@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_waits_is_what_was_put_less_what_was_receipted(
        tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    folder = tmp_path_factory.mktemp("spool")
    box, number, expected = spool(folder), 0, dict[int, float]()
    epoch = box.epoch
    for what, count in steps:
        if what == "add":
            for _ in range(count):
                number += 1
                box.commit(drafts(energy(number)))
                expected[number] = float(number)
        elif what == "forget":
            box.forget([count])
            box.commit([])
            expected.pop(count, None)
        else:
            box.close()
            box = spool(folder)
    assert box.epoch == epoch
    assert everything(box) == list(expected.values())
    assert box.packs == len(expected)
    assert box.tally.get("spooled_readings", 0) == number
    box.close()


def test_a_number_is_never_given_twice_even_when_all_are_gone(tmp_path: Path) -> None:
    box = spool(tmp_path)
    box.commit(drafts(energy(1)))
    box.forget([1])
    box.commit([])
    box.close()
    again = spool(tmp_path)
    again.commit(drafts(energy(2)))
    assert [pack.sequence for pack in again.between(0, 99, 9)] == [2]


@pytest.mark.parametrize("spoil", [
    lambda path: path.write_bytes(b"not a database at all, but long enough to look" * 200),
    lambda path: path.write_bytes(path.read_bytes()[:5000]),
    lambda path: path.write_bytes(path.read_bytes()[:8192] + os.urandom(8192)
                                  + path.read_bytes()[16384:]),
])
def test_a_damaged_file_is_set_aside_and_a_new_epoch_begun(
        tmp_path: Path, spoil: Callable[[Path], object]) -> None:
    box = spool(tmp_path)
    for number in range(200):
        box.commit(drafts(energy(number), power(number)))
    before = box.epoch
    box.close()
    spoil(tmp_path / "spool.db")
    again = spool(tmp_path)
    assert again.epoch != before
    assert again.packs == 0
    again.commit(drafts(energy(7)))
    assert everything(again) == [7.0]
    assert (tmp_path / "spool.db.damaged-1").exists()


def test_a_second_damaged_file_does_not_overwrite_the_first(tmp_path: Path) -> None:
    for _ in range(2):
        (tmp_path / "spool.db").write_bytes(b"nonsense" * 1000)
        spool(tmp_path).close()
    assert {p.name for p in tmp_path.iterdir()} >= {"spool.db.damaged-1", "spool.db.damaged-2"}


def test_damage_met_while_running_costs_the_old_file_and_not_the_new_samples(tmp_path: Path
                                                                            ) -> None:
    box = spool(tmp_path)
    for number in range(300):
        box.commit(drafts(energy(number), power(number)))
    before, counted = box.epoch, box.tally["spooled_readings"]
    box._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    size = (tmp_path / "spool.db").stat().st_size
    with (tmp_path / "spool.db").open("r+b") as file:
        file.seek(4096)
        file.write(os.urandom(size - 4096))
    # What SQLite still has in its cache is not read from the file.
    box._database.execute("PRAGMA shrink_memory")
    for number in range(300, 400):
        box.commit(drafts(energy(number)))
    assert box.epoch != before
    assert everything(box)[-1] == 399.0
    assert box.tally["spooled_readings"] > counted


def test_two_gateways_do_not_share_a_spool(tmp_path: Path) -> None:
    box = spool(tmp_path)
    box.commit(drafts(energy(1)))
    with pytest.raises(SettingsError, match=r"^SEATWATT_GATEWAY_SPOOL: .*another process uses it"):
        spool(tmp_path)


def test_a_folder_that_cannot_be_made_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"^SEATWATT_GATEWAY_SPOOL: cannot use .*file/spool"):
        Spool(tmp_path / "file" / "spool.db", GATEWAY, Limits(1 << 20, 1))


def test_at_its_bound_gauges_go_first_then_states_and_registers_last(tmp_path: Path) -> None:
    box = spool(tmp_path, Limits(200_000, 86_400_000))
    left: dict[str, set[int]] = {}
    for start in range(0, 60_000, 300):
        box.commit(drafts(*(energy(start + n) for n in range(300)),
                          *(occupied(start + n) for n in range(100)),
                          *(power(start + n) for n in range(100))))
        assert box.used_bytes <= 200_000
        for name in box.tally:
            left.setdefault(name, waiting_ranks(box))
        if "dropped_register_readings" in box.tally:
            break
    assert Rank.REGISTER in left["dropped_gauge_readings"]
    assert left["dropped_state_readings"] <= {Rank.REGISTER, Rank.STATE}
    assert left["dropped_register_readings"] == {Rank.REGISTER}
    kept = sum(pack.readings for pack in box.between(0, 1 << 60, 1 << 30))
    assert kept + box.dropped == box.tally["spooled_readings"]


def test_what_waits_for_the_clock_is_bounded_too_and_goes_before_registers(tmp_path: Path
                                                                          ) -> None:
    box = spool(tmp_path, Limits(200_000, 86_400_000))
    box.commit(drafts(*(energy(n) for n in range(300)), *(power(n) for n in range(300))))
    held = 0
    for start in range(0, 120_000, 1000):
        held += 1000
        box.commit([], hold=[Held("boot", 0, [energy(n, n) for n in range(start, start + 1000)])])
        assert box.used_bytes <= 200_000
    assert waiting_ranks(box) == {Rank.REGISTER}
    waits = sum(len(one.samples) for one in box.held())
    assert 0 < waits == held - box.tally["dropped_timeless_readings"]
    assert box.held()[-1].samples[-1].value == 119_999.0


def test_of_one_rank_the_oldest_go(tmp_path: Path) -> None:
    box = spool(tmp_path, Limits(100_000, 86_400_000))
    for start in range(0, 24_000, 300):
        box.commit(drafts(*(energy(start + n) for n in range(300))))
    left = everything(box)
    assert left == [float(n) for n in range(24_000 - len(left), 24_000)]
    assert box.tally["dropped_register_readings"] == 24_000 - len(left)


def test_a_disk_with_little_left_is_not_filled_by_the_spool(tmp_path: Path) -> None:
    box = spool(tmp_path, Limits(64 << 20, 86_400_000, reserve_bytes=1 << 60))
    for start in range(0, 30_000, 100):
        box.commit(drafts(*(energy(start + n) for n in range(100))))
    assert (tmp_path / "spool.db").stat().st_size < 4 << 20
    assert box.dropped > 0
    assert everything(box)[-1] == 29_999.0


def test_what_is_too_old_goes_and_is_counted(tmp_path: Path) -> None:
    box = spool(tmp_path)
    for number in range(500):
        box.commit(drafts(energy(number)))
    box.commit([], now_ms=NOW_MS + 400_000 + ROOMY.max_age_ms)
    assert everything(box) == [float(n) for n in range(400, 500)]
    assert box.dropped == 400
    box.close()
    assert spool(tmp_path).dropped == 400


def test_a_full_disk_changes_nothing_and_says_so(tmp_path: Path) -> None:
    box = spool(tmp_path)
    box.commit(drafts(energy(1)))
    box._database.execute("PRAGMA max_page_count = 12")
    too_many = drafts(*(energy(n) for n in range(30_000)))
    with pytest.raises(SpoolFull, match="full"):
        box.commit(too_many)
    kept, last = box.packs, box.last
    box.forget([1])
    with pytest.raises(SpoolFull):
        box.commit(too_many)
    assert (box.packs, box.last) == (kept, last) == (1, 1)
    assert box.is_forgotten(1)
    box._database.execute("PRAGMA max_page_count = 1000")
    box.commit(drafts(energy(2)))
    assert everything(box) == [2.0]
    assert not box.is_forgotten(1)


def _commits_until_killed(folder: Path, told: Connection) -> None:
    box = spool(folder)
    number = 0
    while True:
        number += 1
        box.commit(drafts(energy(number), power(number)))
        told.send(number)


@pytest.mark.parametrize("after", [3, 40, 161])
def test_what_was_committed_survives_kill_9(tmp_path: Path, after: int) -> None:
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    process = context.Process(target=_commits_until_killed, args=(tmp_path, theirs))
    process.start()
    told = 0
    while told < after:
        told = ours.recv()
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    while ours.poll():
        told = ours.recv()
    ours.close()
    theirs.close()
    box = spool(tmp_path)
    registers = [v for p in box.between(0, 1 << 60, 1 << 30) for v in values(p.payload)][::2]
    assert registers[:told] == [float(n) for n in range(1, told + 1)]

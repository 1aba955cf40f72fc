"""What goes out next: live first, the backlog at its pace, and again what has no receipt."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatwatt.gateway.publisher_flow import Flow, Outgoing, Pace
from seatwatt.gateway.publisher_window import Window
from seatwatt.gateway.spool import Spool
from tests.unit.gateway.kit import drafts, energy, power, spool, values

QUICK = Pace(window_packs=8, receipt_s=10.0, backlog_per_s=1e9, backlog_delay_s=0.0)


def flow(box: Spool, pace: Pace = QUICK) -> Flow:
    return Flow(box, pace, lambda: 0.5)


def fill(box: Spool, start: int, stop: int) -> None:
    for number in range(start, stop):
        box.commit(drafts(energy(number)))


def numbers(sent: list[Outgoing]) -> list[float]:
    return [value for one in sent for value in values(one.payload)]


def test_live_packs_go_before_the_backlog_which_leaves_them_room(tmp_path: Path) -> None:
    box = spool(tmp_path)
    fill(box, 1, 21)
    out = flow(box)
    out.connected(100.0)
    list(out.next(100.0))
    fill(box, 21, 23)
    sent = numbers(list(out.next(101.0)))
    assert sent[:2] == [21.0, 22.0]
    # 8 in the window, a quarter of them kept for live packs.
    assert numbers(list(out.next(102.0))) == []
    assert out.on_their_way == 6
    assert sent[2:] == [1.0, 2.0, 3.0, 4.0]


def test_the_backlog_waits_by_chance_and_keeps_its_pace(tmp_path: Path) -> None:
    box = spool(tmp_path)
    fill(box, 1, 60)
    out = flow(box, Pace(1000, 1000.0, backlog_per_s=2.0, backlog_delay_s=20.0))
    out.connected(0.0)
    assert numbers(list(out.next(9.0))) == []
    counts = [len(numbers(list(out.next(10.0 + n)))) for n in range(1, 11)]
    assert sum(counts) == pytest.approx(20, abs=2)
    assert max(counts) <= 3


def test_what_has_no_receipt_in_time_is_sent_again(tmp_path: Path) -> None:
    box = spool(tmp_path)
    fill(box, 1, 4)
    out = flow(box)
    out.connected(-1.0)
    first = list(out.next(0.0))
    assert [one.again for one in first] == [False] * 3
    out.stored([first[1].id], 5.0)
    again = list(out.next(11.0))
    assert [(one.id, one.again) for one in again] == [(first[0].id, True), (first[2].id, True)]
    assert out.resent == 2
    box.commit([])
    assert box.packs == 2


def test_while_no_receipt_comes_only_the_oldest_is_repeated_ever_more_rarely(tmp_path: Path
                                                                            ) -> None:
    box = spool(tmp_path)
    fill(box, 1, 6)
    out = flow(box)
    out.connected(-1.0)
    assert len(list(out.next(0.0))) == 5
    repeats = [second for second in range(1, 600) for _ in out.next(float(second))]
    assert repeats == [10, 30, 70, 150, 310]
    out.stored([f"{box.epoch}-3"], 600.0)
    assert len(list(out.next(600.0))) == 3
    assert out.resent == 8


def test_a_new_connection_sends_again_what_was_on_its_way(tmp_path: Path) -> None:
    box = spool(tmp_path)
    fill(box, 1, 3)
    out = flow(box)
    out.connected(-1.0)
    first = [one.id for one in out.next(0.0)]
    out.connected(1.0)
    again = list(out.next(2.0))
    assert [one.id for one in again] == first
    assert all(one.again for one in again)
    assert out.resent == 2


def test_receipts_of_others_and_of_nonsense_remove_nothing(tmp_path: Path) -> None:
    box = spool(tmp_path)
    fill(box, 1, 3)
    out = flow(box)
    out.connected(0.0)
    list(out.next(0.0))
    out.stored(["", "-", "-1", "abc", f"{box.epoch}-", f"{box.epoch}-x", "0-1",
                f"{box.epoch}-²", f"{box.epoch}-{'9' * 40}", f"{box.epoch}-99"], 1.0)
    box.commit([])
    assert box.packs == 2


def test_a_receipt_from_before_a_reconnect_still_counts(tmp_path: Path) -> None:
    box = spool(tmp_path)
    fill(box, 1, 3)
    out = flow(box)
    out.connected(-1.0)
    sent = [one.id for one in out.next(0.0)]
    out.connected(1.0)
    out.stored(sent, 1.5)
    assert list(out.next(2.0)) == []
    box.commit([])
    assert box.packs == 0


def test_live_packs_that_fall_far_behind_become_backlog_and_none_is_forgotten(tmp_path: Path
                                                                             ) -> None:
    box = spool(tmp_path)
    out = flow(box)
    out.connected(0.0)
    fill(box, 1, 300)
    seen: list[float] = []
    for second in range(1, 600):
        sent = list(out.next(float(second)))
        seen += numbers(sent)
        out.stored([one.id for one in sent], float(second))
        box.commit([])
    assert sorted(seen) == [float(n) for n in range(1, 300)]
    assert box.packs == 0


def test_a_spool_begun_anew_is_noticed(tmp_path: Path) -> None:
    box = spool(tmp_path)
    fill(box, 1, 5)
    out = flow(box)
    out.connected(0.0)
    list(out.next(0.0))
    with box._lock:
        box._renew()
    fill(box, 7, 9)
    assert list(out.next(1.0)) == []
    assert numbers(list(out.next(2.0))) == [7.0, 8.0]


def test_packs_the_disk_did_not_take_go_out_and_are_kept_within_bounds(tmp_path: Path) -> None:
    box = spool(tmp_path)
    out = flow(box, Pace(8, 10.0, 1e9, 0.0, unspooled_packs=3))
    for number, draft in enumerate(drafts(energy(1)) + drafts(power(2)) + drafts(energy(3))
                                   + drafts(energy(4))):
        out.unspooled(f"run-{number}", draft, box.payload(draft, f"run-{number}"))
    assert (out.unspooled_packs, out.dropped) == (3, 1)
    out.connected(0.0)
    assert numbers(list(out.next(0.0))) == [1.0, 3.0, 4.0]
    assert [one.id for one in out.next(10.0)] == ["run-0"]
    out.stored(["run-0", "run-2", "run-3"], 11.0)
    assert out.unspooled_packs == 0


@given(losses=st.lists(st.sampled_from(["receipt", "lost", "broker", "reconnect"]), min_size=5,
                       max_size=60))
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_lost_on_the_way_everything_arrives_in_the_end(
        tmp_path_factory: pytest.TempPathFactory, losses: list[str]) -> None:
    box = spool(tmp_path_factory.mktemp("spool"))
    out, arrived, now_s, number = flow(box), set[float](), 0.0, 0
    out.connected(now_s)
    for fate in losses + ["receipt"] * 40:
        now_s += 11.0 if fate == "receipt" else 3.0
        if number < len(losses):
            number += 1
            fill(box, number, number + 1)
        sent = list(out.next(now_s))
        assert out.on_their_way <= QUICK.window_packs
        if fate in ("receipt", "lost"):
            arrived.update(numbers(sent))
        if fate == "receipt":
            out.stored([one.id for one in sent], now_s)
        if fate == "reconnect":
            out.connected(now_s)
        box.commit([])
    assert arrived >= {float(n) for n in range(1, number + 1)}
    assert box.packs == 0
    box.close()


def test_a_window_knows_its_room() -> None:
    window: Window[str] = Window(2, 5.0)
    window.sent("a", 0.0)
    window.sent("b", 1.0)
    window.sent("a", 2.0)
    assert (window.room, len(window), "a" in window) == (0, 2, True)
    window.drop("a")
    window.drop("never sent")
    assert window.clear() == {"b"}
    assert (window.room, window.due(99.0)) == (2, [])

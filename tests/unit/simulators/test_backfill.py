"""A back-fill trusts counts of what is stored, not acknowledgements."""

from collections.abc import Callable
from datetime import date

import pytest

from seatwatt.simulators import backfill
from seatwatt.simulators.backfill import AHEAD_MESSAGES, Backfill, BackfillError
from seatwatt.simulators.sampling import Pace, Sampler
from seatwatt.simulators.world import World
from seatwatt.store.sitefiles import load_site
from tests.shared import ROOT


class Line:
    """A broker and an ingest in one: what `keeps` says is stored, the rest is lost."""

    where = "test line"

    def __init__(self, keeps: Callable[[int], bool]) -> None:
        self._keeps, self.sent, self.stored, self.kept = keeps, 0, 0, set[bytes]()

    def publish(self, _topic: str, payload: bytes) -> None:
        self.sent += 1
        if self._keeps(self.sent):
            self.stored += 1
            self.kept.add(payload)


@pytest.fixture
def world() -> World:
    return World(load_site(ROOT / "examples" / "combed.yaml"), 1, date(2026, 10, 1))


def fill(world: World, line: Line) -> Backfill:
    return Backfill(Sampler(world), line, lambda: line.stored, "combed", Pace())  # type: ignore[arg-type]


def test_everything_is_published_once_when_nothing_is_lost(world: World) -> None:
    line, done = Line(lambda _: True), list[int]()
    end_ms = world.since_ms + 2 * backfill.STRETCH_MS + 3_600_000
    readings = fill(world, line).run(world.since_ms, end_ms, done.append)
    assert line.sent == len(line.kept)
    assert done == [backfill.STRETCH_MS, 2 * backfill.STRETCH_MS,
                    2 * backfill.STRETCH_MS + 3_600_000]
    assert readings == len(Sampler(world).readings(world.since_ms, end_ms, Pace()))


def test_a_lost_message_is_published_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "STALL_S", 0.02)
    line, whole = Line(lambda sent: sent != 3), Line(lambda _: True)
    for one in (line, whole):
        fill(world, one).run(world.since_ms, world.since_ms + 86_400_000, lambda _: None)
    assert line.sent > whole.sent
    assert line.kept == whole.kept


def test_it_gives_up_in_one_line(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backfill, "STALL_S", 0.01)
    line = Line(lambda _: False)
    with pytest.raises(BackfillError, match="published 5 times and not all"):
        fill(world, line).run(world.since_ms, world.since_ms + 86_400_000, lambda _: None)
    assert line.sent <= 5 * (AHEAD_MESSAGES + 1)

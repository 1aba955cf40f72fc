"""A short run of the chaos driver, and proof that its verdict can be bad."""

from pathlib import Path

import pytest

from tests.chaos.driver import MEMORY_MAX_MB, Report, drive, table
from tests.chaos.sender import SEATS, Pack
from tests.chaos.verdict import Verdict, judge


@pytest.mark.timeout(600)
def test_whatever_breaks_no_reading_with_a_receipt_is_lost(tmp_path: Path) -> None:
    told: list[str] = []
    report = drive(tmp_path, seconds=45, seed=20261122, rate=20.0, tell=told.append)
    print("\n".join(told))
    assert report.nothing_lost, "\n".join(told)
    assert report.total.sent > 30_000
    assert all(row.recovery_s < 30 for row in report.rows)


def pack(number: int, receipted: bool) -> Pack:
    return Pack(number, b"", None, 0.0, 0.0, receipted)


def test_the_verdict_finds_what_is_lost() -> None:
    packs = [pack(0, True), pack(1, True), pack(2, False)]
    stored = set(range(2 * SEATS)) - {7, SEATS + 1}
    verdict = judge(packs, stored, quarantined={1})
    assert (verdict.sent, verdict.stored, verdict.quarantined, verdict.lost,
            verdict.without_receipt) == (3 * SEATS, 2 * SEATS - 2, 1, 1, SEATS)
    assert verdict.sent_sum - verdict.found_sum == 7 + sum(range(2 * SEATS, 3 * SEATS))


@pytest.mark.parametrize(("verdict", "peak_rss_mb", "balanced"), [
    (Verdict(sent=2, stored=1, lost=1, sent_sum=3, found_sum=1), 100.0, True),
    (Verdict(sent=2, stored=1, without_receipt=1, sent_sum=3, found_sum=1), 100.0, True),
    (Verdict(sent=1, stored=1), MEMORY_MAX_MB, True),
    (Verdict(sent=1, stored=1), 100.0, False)])
def test_a_broken_promise_is_told(verdict: Verdict, peak_rss_mb: float, balanced: bool) -> None:
    report = Report([], verdict, peak_rss_mb, 0, balanced)
    assert not report.nothing_lost
    assert table(report)[-1] == "A PROMISE WAS BROKEN"

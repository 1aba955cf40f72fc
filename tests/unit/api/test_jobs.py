"""The jobs and their record: run by one of several processes, late data written again."""

import itertools
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry

from seatwatt.api.jobs import JOBS, Job
from seatwatt.api.jobs.completeness import completeness_points
from seatwatt.api.jobs.forgetting import forget
from seatwatt.api.jobs.intervals import CHUNK_MS, LATE_MS, SETTLE_MS, due
from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.scheduler import Scheduler
from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.ledger.answers import claim
from seatwatt.ledger.jobs import keep_progress
from seatwatt.metering.energy import MeterEnergy, Quality
from tests.unit.api.fakes import NOW_MS, World, make_world, small_site

HEALTH = JOBS[0]


def scheduler(world: World, *jobs: Job) -> Scheduler:
    return Scheduler(world.services(), CollectorRegistry(), jobs or JOBS)


def test_the_health_job_writes_a_point_for_each_device(world: World) -> None:
    world.store.hear("small", "meter/plant/grid", "power", 86.4, NOW_MS - 30_000)
    assert scheduler(world).run(HEALTH)
    points = {dict(point.tags)["device"]: dict(point.fields)
              for point in world.store.derived_points}
    assert points == {"grid": {"silent": 0.0, "age_s": 30.0}, "board": {"silent": 1.0},
                      "001": {"silent": 1.0}, "002": {"silent": 1.0}}
    assert {point.time_ms for point in world.store.derived_points} == {NOW_MS}
    assert scheduler(world).records()["device_health"].detail == "4 devices, 3 silent"


def test_a_device_that_is_gone_for_good_is_not_told_of_for_ever(world: World) -> None:
    """A UPS that was replaced, a name that was misspelt once: an alert each would never end. What
    the site file declares must report, however long ago it did."""
    month_ms = 30 * 86_400_000
    world.store.hear("small", "ups/plant/old", "load", 40.0, NOW_MS - month_ms - 1)
    world.store.hear("small", "ups/plant/new", "load", 40.0, NOW_MS - month_ms)
    world.store.hear("small", "meter/plant/grid", "power", 86.4, NOW_MS - 2 * month_ms)
    assert scheduler(world).run(HEALTH)
    points = {dict(point.tags)["device"]: dict(point.fields)
              for point in world.store.derived_points}
    assert set(points) == {"new", "grid", "board", "001", "002"}
    assert points["new"]["silent"] == points["grid"]["silent"] == 1.0


def test_a_failed_job_is_visible(world: World) -> None:
    with world.client() as client:
        world.store.down = True
        client.app.state.scheduler.run(HEALTH)  # type: ignore[attr-defined]
        lines = {line["name"]: line for line in client.get("/v1/jobs").json()["jobs"]}
        text = client.get("/metrics").text
    failed = lines["device_health"]
    assert (failed["status"], failed["failures"]) == ("failed", 1)
    assert "StoreUnavailable: the store at" in failed["detail"]
    assert lines["intervals"]["status"] == "never"
    assert 'seatwatt_job_runs_total{job="device_health",status="failed"} 1.0' in text


def test_a_job_that_just_ran_anywhere_is_left_alone(world: World) -> None:
    one, two = scheduler(world), scheduler(world)
    assert one.run(HEALTH)
    assert not two.run(HEALTH)
    world.now_ms += 30_000
    assert two.run(HEALTH)


def test_progress_outlasts_the_process(world: World) -> None:
    seen = []

    def count(_: object, progress: dict[str, int]) -> Outcome:
        seen.append(dict(progress))
        return Outcome("counted", {"runs": progress.get("runs", 0) + 1})

    job = Job("count", "counts", 60, 30, count)
    for _ in range(3):
        scheduler(world, job).run(job)
        world.now_ms += 60_000
    assert seen == [{}, {"runs": 1}, {"runs": 2}]


def test_a_failure_keeps_the_progress(world: World) -> None:
    def fail(_: object, progress: dict[str, int]) -> Outcome:
        if progress:
            raise ZeroDivisionError("boom")
        return Outcome("", {"runs": 1})

    job = Job("fail", "fails", 60, 30, fail)
    for _ in range(2):
        scheduler(world, job).run(job)
        world.now_ms += 60_000
    record = scheduler(world, job).records()["fail"]
    assert (record.status, record.detail, record.progress) == (
        "failed", "ZeroDivisionError: boom", {"runs": 1})


def test_what_a_job_noted_before_it_failed_stands(world: World) -> None:
    """A step that cannot be taken back is noted first."""
    def fail(services: Services, _: object) -> Outcome:
        keep_progress(services.ledger, "fail", {"until_ms": 7})
        raise ZeroDivisionError("boom")

    job = Job("fail", "fails", 60, 30, fail)
    scheduler(world, job).run(job)
    assert scheduler(world, job).records()["fail"].progress == {"until_ms": 7}


def test_a_job_that_could_not_do_all_has_failed_and_keeps_what_it_did(world: World) -> None:
    job = Job("some", "does some", 60, 30, lambda *_: Outcome("one: wrong", {"runs": 2}, True))
    scheduler(world, job).run(job)
    record = scheduler(world, job).records()["some"]
    assert (record.status, record.detail, record.failures, record.progress) == (
        "failed", "one: wrong", 1, {"runs": 2})


def test_jobs_run_while_the_app_does(ledger_file: Path) -> None:
    world = make_world(ledger_file, api_jobs=True)
    with world.client() as client:
        lines = client.get("/v1/jobs").json()["jobs"]
        assert all(line["next_run_at"] is not None for line in lines)
        running: Scheduler = client.app.state.scheduler  # type: ignore[attr-defined]
    # Stopping waits for the runs that starting asked for.
    assert {name: record.status for name, record in running.records().items()} == {
        job.name: "ok" for job in JOBS}
    assert running.next_run_ms("device_health") is None
    world.ledger.dispose()


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def test_old_answers_are_forgotten(world: World) -> None:
    claim(world.ledger, "key", "one", "hash", NOW_MS)
    for days, said in [(7, "0 answers"), (8, "1 answers")]:
        world.now_ms = NOW_MS + days * 86_400_000
        assert forget(world.services(), {}).detail == f"occupancy of 0 runs, {said}"


def test_nothing_is_due_until_an_interval_has_ended_and_settled() -> None:
    done = at("2026-10-10T12:00:00+05:00")
    end = at("2026-10-10T12:30:00+05:00")
    assert due(small_site(), end + SETTLE_MS - 1, done) == []
    [work] = due(small_site(), end + SETTLE_MS, done)
    assert (work.start_ms, work.end_ms) == (at("2026-10-08T00:00:00+05:00"), end)


def test_what_was_never_written_is_caught_up_by_weeks() -> None:
    now = at("2026-10-10T12:10:00+05:00")
    works = due(small_site(), now, 0)
    assert works[0].start_ms == at("2026-09-05T00:00:00+05:00")
    assert works[-1].end_ms == at("2026-10-10T12:00:00+05:00")
    assert len(works) == 6


@given(st.integers(1_500_000_000_000, 2_000_000_000_000), st.integers(0, 60 * 86_400_000),
       st.sampled_from(["Asia/Karachi", "Europe/Amsterdam", "America/St_Johns"]))
def test_work_is_gapless_on_boundaries_and_reaches_late_data(now_ms: int, behind_ms: int,
                                                             zone: str) -> None:
    site = replace(small_site(), time_zone=ZoneInfo(zone))
    works = due(site, now_ms, now_ms - behind_ms)
    for one, two in itertools.pairwise(works):
        assert one.end_ms == two.start_ms
    for work in works:
        assert 0 < work.end_ms - work.start_ms <= CHUNK_MS + 86_400_000
        IntervalGrid.between(work.start_ms, work.end_ms, site.interval_s, site.time_zone)
    if works:
        assert works[0].start_ms <= max(now_ms - behind_ms - LATE_MS,
                                        works[-1].end_ms - 35 * 86_400_000)
        assert now_ms - SETTLE_MS - 1_800_000 < works[-1].end_ms <= now_ms - SETTLE_MS


@pytest.mark.parametrize(("day", "counts"), [
    ("2026-10-25", [46, 3, 1]), ("2026-10-24", [48, 0, 0])])
def test_completeness_counts_the_intervals_of_a_local_day(day: str, counts: list[int]) -> None:
    zone = ZoneInfo("Europe/Amsterdam")
    start = local_midnight_ms(datetime.fromisoformat("2026-10-24").date(), zone)
    end = local_midnight_ms(datetime.fromisoformat("2026-10-26").date(), zone)
    grid = IntervalGrid.between(start, end, 1800, zone)
    quality = np.zeros(len(grid), dtype=np.uint8)
    quality[48:51], quality[60] = Quality.ESTIMATED, Quality.MISSING
    meter = MeterEnergy(Device("meter", "plant", "grid"), np.zeros(len(grid), dtype=np.int64),
                        quality)
    points = {local_date(p.time_ms, zone).isoformat(): dict(p.fields)
              for p in completeness_points(small_site(), grid, meter.device, meter)}
    fields = points[day]
    assert [fields[name] for name in ("measured", "estimated", "missing")] == counts
    assert fields["measured_pct"] == 100 * counts[0] / sum(counts)
    assert datetime.fromtimestamp(start / 1000, UTC).hour == 22

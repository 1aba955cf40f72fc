"""Who sat where is forgotten, from either store: counts stay, registers stay, bills come first."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from seatwatt.api.jobs.forgetting import forget
from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import StoreUnavailable
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.quantities import Quantity, quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.ledger.jobs import keep_progress
from seatwatt.ledger.runs import list_runs, reopen_run
from seatwatt.settings import StoreSettings
from seatwatt.settlement.forgotten import Forgotten, forgotten_until_ms
from seatwatt.settlement.keeping import Keeper
from seatwatt.settlement.papers import declare_paper
from seatwatt.settlement.readings import OCCUPIED
from seatwatt.settlement.runs import adjustments_of, approve, draft, issue, reproduce
from seatwatt.store.ports import JobWriter
from tests.servers import Server
from tests.services.api_worlds import client_on, services_on
from tests.services.run_kit import GRID, OCTOBER, SEATS, SEPTEMBER, a_bill, a_site, at, declare

ZONE = a_site().time_zone
HOUR_MS, DAY_MS = 3_600_000, 86_400_000
LATER = date(2026, 12, 10)
"""More than ninety days after SEPTEMBER and OCTOBER."""


class World:
    """A store with six days of a site, a ledger, and a clock that is set by hand."""

    def __init__(self, services: Services, clock: list[int]) -> None:
        self.services, self._clock = services, clock
        self._read(date(2026, 8, 31), date(2026, 9, 6))

    def _read(self, first: date, end: date) -> None:
        """Registers each half hour; seat 001 is taken by day, 002 always."""
        book, batch = SeriesBook(), ReadingBatch()
        start_ms = midnight(first)
        for at_ms in range(start_ms, midnight(end) + 1, HOUR_MS // 2):
            hours, by_day = (at_ms - start_ms) / HOUR_MS, 9 <= at_ms // HOUR_MS % 24 + 5 < 17
            for device, power_w in ((SEATS[0], 100), (SEATS[1], 300), (GRID, 800)):
                name = "energy_import" if device == GRID else "energy"
                batch.append(book.get("s", device, quantity(device.kind, name)), at_ms,
                             power_w * hours)
            for device, taken in ((SEATS[0], by_day), (SEATS[1], True)):
                batch.append(book.get("s", device, OCCUPIED), at_ms, float(taken))
        self.services.writer.write(batch)

    def forget_on(self, day: date) -> str:
        self._clock[0] = midnight(day) + HOUR_MS
        return forget(self.services, {}).detail

    def raw(self) -> dict[Device, int]:
        """How many readings of who sat where there are."""
        found = self.services.reader.columns("s", OCCUPIED, 0, midnight(LATER))
        return {device: len(column.times_ms) for device, column in found.items()}

    def registers(self) -> dict[tuple[Device, str], list[float]]:
        return {(device, name): column.values.tolist()
                for kind, name in (("seat", "energy"), ("meter", "energy_import"))
                for device, column in self.services.reader.columns(
                    "s", quantity(kind, name), 0, midnight(LATER)).items()}

    def counts(self) -> dict[int, dict[str, Any]]:
        return {point.time_ms: dict(point.fields) for point in self.services.reader.derived(
            "zone_occupancy", (("site", "s"),), 0, midnight(LATER))}


def midnight(day: date) -> int:
    return local_midnight_ms(day, ZONE)


@pytest.fixture(params=["sqlite", "influx"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[World]:
    url = f"sqlite:///{tmp_path}/readings.db"
    if request.param == "influx":
        server: Server = request.getfixturevalue("influx")
        url = f"http://127.0.0.1:{server.port}/seatwatt"
    clock = [at(6).at_ms]
    with services_on(StoreSettings(store_url=url), tmp_path, clock=lambda: clock[0]) as services:
        yield World(services, clock)


def issued(world: World, period: Any, by: Any) -> int:
    run = draft(world.services.ledger, world.services.reader, "s", period, by)
    approve(world.services.ledger, world.services.reader, run.id, by)
    return issue(world.services.ledger, run.id, by).id


def test_readings_go_counts_stay_and_no_register_with_them(world: World) -> None:
    declare(world.services.ledger)
    before = world.registers()
    assert len(before[GRID, "energy_import"]) == 6 * 48 + 1
    assert world.forget_on(date(2026, 11, 29)) == "occupancy of 0 runs, 0 answers"
    assert world.raw() == {SEATS[0]: 289, SEATS[1]: 289}
    assert world.forget_on(date(2026, 12, 2)).startswith("seats of s before 2026-09-03, ")
    assert world.raw() == {SEATS[0]: 3 * 48 + 1, SEATS[1]: 3 * 48 + 1}
    counts = world.counts()
    assert set(range(midnight(date(2026, 8, 31)), midnight(date(2026, 9, 3)), HOUR_MS // 2)
               ) <= set(counts)
    noon = counts[midnight(date(2026, 9, 1)) + 12 * HOUR_MS]
    night = counts[midnight(date(2026, 9, 1)) + 2 * HOUR_MS]
    assert (noon["occupied"], night["occupied"], noon["seats"]) == (2.0, 1.0, 2.0)
    assert world.forget_on(date(2026, 12, 31)).startswith("seats of s before 2026-10-02, ")
    assert world.raw() == {}
    assert world.registers() == before
    assert forgotten_until_ms(world.services.ledger, "s") == midnight(date(2026, 10, 2))
    assert world.forget_on(date(2027, 1, 31)) == "occupancy of 0 runs, 0 answers"


class Cut(JobWriter):
    """The store's writer, killed at a step: before deleting, after it, or while counts are
    written."""

    def __init__(self, writer: JobWriter, step: str) -> None:
        self._writer, self._step = writer, step

    def write(self, batch: ReadingBatch) -> None:
        raise AssertionError("only ingest writes readings")

    def ping(self) -> None:
        self._writer.ping()

    def close(self) -> None:
        self._writer.close()

    def write_derived(self, points: Any) -> None:
        self._writer.write_derived(points[:len(points) // 2] if self._step == "counting"
                                   else points)
        if self._step == "counting":
            raise StoreUnavailable("cut off")

    def forget(self, site: str, quantity: Quantity, before_ms: int) -> None:
        if self._step == "half deleted":
            self._writer.forget(site, quantity, before_ms - DAY_MS)
        if self._step == "deleted":
            self._writer.forget(site, quantity, before_ms)
        raise StoreUnavailable("cut off")


@pytest.mark.parametrize("step", ["counting", "counted", "half deleted", "deleted"])
def test_cut_off_anywhere_it_is_done_again(world: World, step: str) -> None:
    declare(world.services.ledger)
    before, services = world.registers(), world.services
    world.services = replace(services, writer=Cut(services.writer, step))
    with pytest.raises(StoreUnavailable):
        world.forget_on(LATER)
    assert world.registers() == before
    world.services = services
    world.forget_on(LATER + timedelta(days=1))
    assert world.raw() == {}
    assert world.registers() == before
    counts = world.counts()
    hours = [counts[midnight(date(2026, 9, 4)) + hour * HOUR_MS]["occupied"] for hour in (2, 12)]
    assert hours == [1.0, 2.0]
    assert len([at_ms for at_ms in counts if at_ms < midnight(date(2026, 9, 6))]) == 6 * 48


def test_what_comes_late_is_forgotten_and_spoils_no_count(world: World) -> None:
    declare(world.services.ledger)
    world.forget_on(LATER)
    counts = world.counts()
    batch = ReadingBatch()
    batch.append(SeriesBook().get("s", SEATS[0], OCCUPIED), midnight(date(2026, 9, 2)), 1.0)
    world.services.writer.write(batch)
    assert world.forget_on(LATER + timedelta(days=1)).startswith("seats of s before")
    assert (world.raw(), world.counts()) == ({}, counts)


def test_a_site_that_shares_by_who_sat_where_keeps_it_until_the_run_is_issued(world: World
                                                                              ) -> None:
    ledger, reader = world.services.ledger, world.services.reader
    declare(ledger, a_bill(), a_bill(OCTOBER), unaccounted={"share": "occupancy"})
    world.forget_on(LATER)
    assert world.raw() == {SEATS[0]: 289, SEATS[1]: 289}  # Nothing was issued yet.
    september = issued(world, SEPTEMBER, at(6))
    october = draft(ledger, reader, "s", OCTOBER, at(6))
    world.forget_on(LATER)
    assert set(world.raw().values()) == {4 * 48 + 1}  # A day before the draft's first, and on.
    assert draft(ledger, reader, "s", OCTOBER, at(6)).digest == october.digest
    approve(ledger, reader, october.id, at(6))
    world.forget_on(LATER)
    assert set(world.raw().values()) == {4 * 48 + 1}
    issue(ledger, october.id, at(6))
    world.forget_on(LATER)
    assert set(world.raw().values()) == {2 * 48 + 1}
    assert [run.state for run in list_runs(ledger, "s")] == ["issued", "issued"]
    # Both runs are older than ninety days: nothing can be computed again, and nothing is guessed.
    run = list_runs(ledger, "s")[-1]
    assert run.id == september
    assert adjustments_of(Keeper(ledger, reader), run) == []
    with client_on(world.services) as client:
        answer = client.get("/v1/sites/s/apportionment?from=2026-09-01&to=2026-09-03")
        assert answer.status_code == 422
        assert "who sat where, which is forgotten before 2026-09-04" in answer.text
        tenants = client.get("/v1/sites/s/energy?by=tenant&from=2026-09-01&to=2026-09-03")
        meters = client.get("/v1/sites/s/energy?by=meter&from=2026-09-01&to=2026-09-03")
        assert (tenants.status_code, meters.status_code) == (422, 200)


def test_a_line_of_an_earlier_period_is_shared_by_what_its_run_recorded(world: World) -> None:
    ledger, reader = world.services.ledger, world.services.reader
    fuel = {"id": "fuel", "amount": "60.00", "share_by": "energy",
            "of_period": {"from": str(SEPTEMBER.from_), "to": str(SEPTEMBER.to)}}
    declare(ledger, a_bill(), unaccounted={"share": "occupancy"})
    first = issued(world, SEPTEMBER, at(6))
    declare_paper(ledger, "s", a_bill(OCTOBER, lines=[fuel]), "amir", 2)
    expected = draft(ledger, reader, "s", OCTOBER, at(6))
    reopen = approve(ledger, reader, expected.id, at(6))
    reopen_run(ledger, reopen.id)
    # Issued, so September may go from the store; its run's own record stays for a while.
    world.services.writer.forget("s", OCCUPIED, midnight(SEPTEMBER.to))
    assert draft(ledger, reader, "s", OCTOBER, at(6)).document != expected.document
    note(world, midnight(SEPTEMBER.to))
    again = draft(ledger, reader, "s", OCTOBER, at(6))
    assert again.document == expected.document
    assert reproduce(ledger, first)
    world.forget_on(LATER)
    with pytest.raises(Forgotten, match="who sat where, which is forgotten before 2026-09-03"):
        draft(ledger, reader, "s", OCTOBER, at(6))


def note(world: World, until_ms: int) -> None:
    keep_progress(world.services.ledger, "forgetting", {"s": {"until_ms": until_ms}})

"""Periods metered from kept days are what all readings in the store give, whatever came when."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine

from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.site import Acceptance, Exchange, Site
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.kept import drop_days, kept_heads
from seatwatt.ledger.open import open_engine
from seatwatt.metering.site import Registers, site_energy
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.settlement.comparing import days_as_kept
from seatwatt.settlement.keeping import CHECK_MS, Keeper, Trust
from seatwatt.settlement.kept_rules import days_around
from seatwatt.settlement.readings import read_period
from seatwatt.store.open import open_reader, open_writer
from seatwatt.store.ports import Column, Reader, Writer
from tests.servers import Server

GRID, BOARD = Device("meter", "plant", "grid"), Device("meter", "hall", "board")
SEATS = [Device("seat", "hall", name) for name in ("001", "002")]
FIRST = date(2026, 9, 1)
NOW_MS = 1_790_000_000_000
BOOK = SeriesBook()
MINUTE_MS = 60_000


def a_site(**changed: object) -> Site:
    return parse_site({
        "site": "s", "time_zone": "Asia/Karachi", "currency": "PKR", "interval": "30min",
        "zones": {"hall": {"seats": 2}},
        "meters": {"plant/grid": {"source": "grid", "max_power_w": 50_000},
                   "hall/board": {"parent": "supply", "max_power_w": 20_000}},
        "seat_meters": {"parent": "hall/board", "max_power_w": 2300}, **changed})


SITE = a_site()


def midnight(day: int) -> int:
    return local_midnight_ms(FIRST + timedelta(days=day), SITE.time_zone)


PERIOD = IntervalGrid.between(midnight(2), midnight(4), 1800, SITE.time_zone)


@dataclass
class Place:
    """A store and a ledger, and what is done to them."""

    writer: Writer
    reader: Reader
    ledger: Engine
    now_ms: int = NOW_MS

    def write(self, device: Device, column: Column) -> None:
        name = "energy" if device.kind == "seat" else "energy_import"
        series = BOOK.get("s", device, quantity(device.kind, name))
        if len(column.times_ms):
            self.writer.write(ReadingBatch([series] * len(column.times_ms),
                                           column.times_ms.tolist(), column.values.tolist()))

    def keeper(self, trust: Trust | None = None) -> Keeper:
        return Keeper(self.ledger, self.reader, self.now_ms, trust or Trust())

    def check(self, site: Site = SITE, grid: IntervalGrid = PERIOD,
              trust: Trust | None = None) -> str:
        """Metering from kept days equals metering from the store; the digest of the readings."""
        kept = self.keeper(trust).period(site, grid)
        raw = read_period("s", self.reader, grid, False).registers
        assert kept.registers.keys() == raw.keys()
        assert told(site, grid, kept.registers) == told(site, grid, raw)
        return kept.digest


def told(site: Site, grid: IntervalGrid, registers: Registers) -> object:
    return {device: (energy.energy_milliwh.tolist(), energy.quality.tolist(), energy.opening,
                     energy.closing, energy.findings)
            for device, energy in site_energy(site, grid, registers).items()}


def a_column(seed: int, watts: float, days: Sequence[float] = (0, 6)) -> Column:
    """A register read each minute at a second of its own."""
    random = np.random.default_rng(seed)
    times = np.arange(midnight(0) + round(days[0] * 86_400_000) + random.integers(MINUTE_MS),
                      midnight(0) + round(days[1] * 86_400_000), MINUTE_MS, dtype=np.int64)
    used = np.cumsum(random.random(len(times)) * watts / 30)
    return Column(times, np.round(1000 + used, 1))


def part(column: Column, wanted: np.ndarray) -> Column:
    return Column(column.times_ms[wanted], column.values[wanted])


@pytest.fixture(params=["influx", "sqlite"])
def place(request: pytest.FixtureRequest, tmp_path: Path, ledger: Engine) -> Iterator[Place]:
    url = f"sqlite:///{tmp_path}/readings.db"
    if request.param == "influx":
        server: Server = request.getfixturevalue("shared_influx")
        url = f"http://127.0.0.1:{server.port}/{request.node.name.encode().hex()}"
    where = StoreSettings.load(store_url=url)
    made = Place(open_writer(where), open_reader(where), ledger)
    made.writer.ping()
    for device, watts in ((GRID, 4000.0), (BOARD, 3000.0), (SEATS[0], 90.0), (SEATS[1], 400.0)):
        made.write(device, a_column(len(str(device)) + int(watts), watts))
    yield made
    made.writer.close()
    made.reader.close()


def kept_on(place: Place) -> list[int]:
    return [(day - FIRST).days for day in
            sorted(kept_heads(place.ledger, "s", date(2020, 1, 1), date(2030, 1, 1)))]


class Counting:
    """A reader that counts what is asked of another."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self.columns_asked = reader, 0

    def __getattr__(self, name: str) -> object:
        if name == "columns":
            self.columns_asked += 1
        return getattr(self._reader, name)


def test_a_period_read_once_is_kept_with_a_day_on_either_side(place: Place) -> None:
    digest = place.check()
    assert kept_on(place) == [1, 2, 3, 4]
    reader = Counting(place.reader)
    kept = Keeper(place.ledger, reader, NOW_MS).period(SITE, PERIOD)  # type: ignore[arg-type]
    assert reader.columns_asked == 0
    assert kept.digest == digest
    seat = kept.registers[SEATS[0], "energy"]
    assert 400 < len(seat) < 700  # of 5,760


def test_late_data_is_noticed_by_its_mark(place: Place) -> None:
    before = place.check()
    late = a_column(99, 90.0, (2.5, 2.6))
    place.write(SEATS[0], Column(late.times_ms + 7, late.values + 5000))
    assert place.check() != before
    assert place.check() == place.check()


def test_what_another_program_wrote_is_noticed_by_count_and_sum(place: Place) -> None:
    before = place.check()
    _beside_the_writer(place)
    assert place.keeper().period(SITE, PERIOD).digest == before  # not yet
    place.now_ms += CHECK_MS + 1
    assert place.check(trust=Trust.usual(place.now_ms)) != before
    unchanged = place.check(trust=Trust.usual(place.now_ms))
    assert place.check(trust=Trust.none(place.now_ms + 1)) == unchanged


def _beside_the_writer(place: Place) -> None:
    """One value changes in the store, and no mark with it."""
    marks = place.reader.derived("written", (("site", "s"),), midnight(0), midnight(9))
    column = place.reader.columns("s", quantity("seat", "energy"), midnight(3), midnight(4))[
        SEATS[1]]
    place.write(SEATS[1], Column(column.times_ms[700:701], column.values[700:701] + 0.1))
    place.writer.write_derived(marks)


def test_a_draft_believes_marked_days_for_a_day_and_an_approval_compares_them(place: Place
                                                                              ) -> None:
    before = place.check()
    _beside_the_writer(place)
    drafted_ms = place.now_ms + 23 * CHECK_MS
    believed = place.keeper(Trust.for_draft(drafted_ms)).period(SITE, PERIOD)
    assert believed.digest == before
    place.now_ms = drafted_ms + 1
    assert place.check(trust=Trust.for_approval(drafted_ms, place.now_ms)) != before


def test_an_approval_believes_what_was_compared_since_the_draft(place: Place) -> None:
    drafted_ms = place.now_ms
    before = place.check()  # kept by the draft itself
    _beside_the_writer(place)
    soon = Trust.for_approval(drafted_ms, drafted_ms + CHECK_MS - 1)
    assert place.keeper(soon).period(SITE, PERIOD).digest == before
    assert place.check(trust=Trust.for_approval(drafted_ms, drafted_ms + CHECK_MS)) != before


def test_days_without_marks_are_compared_each_time(place: Place) -> None:
    place.check()
    unmarked: Reader = _Unmarked(place.reader)  # type: ignore[assignment]
    keeper = Keeper(place.ledger, unmarked, place.now_ms, Trust.for_draft(place.now_ms))
    assert keeper.period(SITE, PERIOD).digest == place.check()
    before = keeper.period(SITE, PERIOD).digest
    _beside_the_writer(place)
    assert keeper.period(SITE, PERIOD).digest != before


class _Unmarked:
    """A reader of a store that another program filled."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader

    def __getattr__(self, name: str) -> object:
        return getattr(self._reader, name)

    def derived(self, *_: object) -> list[object]:
        return []


def test_a_register_that_another_program_added_or_took_away_is_noticed(place: Place) -> None:
    before = place.check()
    strange, quiet = Device("meter", "roof", "lift"), place.reader.derived(
        "written", (("site", "s"),), midnight(0), midnight(9))
    place.write(strange, Column(np.array([midnight(3) + 5]), np.array([0.0])))
    place.writer.write_derived(quiet)
    place.now_ms += 1
    known = days_around(SITE, PERIOD.start_ms, PERIOD.end_ms)
    assert days_as_kept(place.ledger, place.reader, "s", known) == {
        day.date for day in known} - {FIRST + timedelta(days=3)}
    assert place.check(trust=Trust.none(place.now_ms)) != before


def test_days_are_compared_in_rows_of_equal_length(place: Place) -> None:
    abroad = a_site(time_zone="Europe/Berlin")
    change = local_midnight_ms(date(2026, 10, 25), abroad.time_zone)  # a day of 25 hours
    times = np.arange(change - 3 * 86_400_000, change + 3 * 86_400_000, MINUTE_MS, dtype=np.int64)
    place.write(SEATS[0], Column(times, np.arange(len(times)) * 1.5))
    grid = IntervalGrid.between(change - 86_400_000, change + 25 * 3_600_000, 1800,
                                abroad.time_zone)
    known = days_around(abroad, grid.start_ms, grid.end_ms)
    place.keeper().period(abroad, grid)
    asked: list[tuple[int, int, int]] = []

    class Asked(Counting):
        def sums(self, *given: object) -> object:
            asked.append(given[3:])  # type: ignore[arg-type]
            return place.reader.sums(*given)  # type: ignore[arg-type]

    reader: Reader = Asked(place.reader)  # type: ignore[assignment]
    assert days_as_kept(place.ledger, reader, "s", known) == {day.date for day in known}
    assert {step_ms // 3_600_000: (end_ms - start_ms) // step_ms
            for start_ms, end_ms, step_ms in asked} == {24: 1, 25: 1}
    one, *_, last = known
    assert days_as_kept(place.ledger, place.reader, "s", [one, last]) == {one.date, last.date}


@pytest.mark.parametrize("changed", [
    {"seat_meters": {"parent": "hall/board", "max_power_w": 300}},
    {"seat_meters": {"parent": "hall/board", "multiplier": 3}},
    {"meters": {"plant/grid": {"source": "grid"}, "hall/board": {"parent": "supply"}},
     "seat_meters": {"parent": "supply"}},
    {"max_gap": "30min"}])
def test_other_declarations_never_use_what_was_kept_under_the_old(
        place: Place, changed: dict[str, object]) -> None:
    place.check()
    place.check(a_site(**changed))
    place.check()


def test_another_interval_is_kept_anew(place: Place) -> None:
    place.check()
    hourly = a_site(interval="1h")
    place.check(hourly, IntervalGrid.between(midnight(2), midnight(4), 3600, SITE.time_zone))


def test_registers_somebody_spoke_of_are_read_whole(place: Place) -> None:
    place.check()
    at_ms = midnight(2) + 7_777_777
    exchanged = replace(SITE, exchanges=(
        Exchange(meter=SEATS[0], at_ms=at_ms, final_wh=1500.0, initial_wh=1200.0),))
    place.check(exchanged)
    place.check(replace(SITE, acceptances=(
        Acceptance(meter=GRID, at_ms=at_ms, reason="read on the spot"),)))
    kept = place.keeper().period(SITE, PERIOD, [((SEATS[1], "energy"), at_ms)])
    assert len(kept.registers[SEATS[1], "energy"]) == 5760


def test_registers_last_read_long_before_or_after_are_found(place: Place) -> None:
    dead, late = Device("seat", "hall", "001"), IntervalGrid.between(
        midnight(9), midnight(11), 1800, SITE.time_zone)
    assert {dead, GRID} <= {device for device, _ in place.keeper().period(SITE, late).registers}
    place.check(grid=late)
    place.write(GRID, Column(np.array([midnight(20)]), np.array([900_000.0])))
    place.check(grid=late)
    early = IntervalGrid.between(midnight(0) - 86_400_000 * 3, midnight(0) - 86_400_000 * 2, 1800,
                                 SITE.time_zone)
    assert place.keeper().period(SITE, early).registers == {}


def test_days_let_go_of_are_made_again(place: Place) -> None:
    before = place.check()
    assert drop_days(place.ledger, "s", FIRST + timedelta(days=3)) == 2
    assert kept_on(place) == [3, 4]
    assert place.check() == before
    assert kept_on(place) == [1, 2, 3, 4]


def test_refresh_tells_which_days_changed(place: Place) -> None:
    first = place.keeper().refresh(SITE, midnight(1), midnight(4))
    assert [(day - FIRST).days for day in sorted(first)] == [1, 2, 3]
    late = a_column(98, 90.0, (2.5, 2.6))
    place.write(SEATS[0], Column(late.times_ms + 7, late.values + 5000))
    again = place.keeper().refresh(SITE, midnight(1), midnight(4))
    assert [day for day in first if first[day] != again[day]] == [FIRST + timedelta(days=2)]
    assert place.keeper().refresh(SITE, midnight(30), midnight(32)) == {}


@settings(max_examples=25, deadline=None,
          suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_in_whatever_order_readings_arrive(tmp_path_factory: pytest.TempPathFactory,
                                           migrated_engine: Engine, data: st.DataObject) -> None:
    file = tmp_path_factory.mktemp("order") / "readings.db"
    where = StoreSettings.load(store_url=f"sqlite:///{file}")
    place = Place(open_writer(where), open_reader(where), migrated_engine)
    drop_days(place.ledger, "s", date(2100, 1, 1))
    columns = {device: _faulty(data, a_column(data.draw(st.integers(0, 99)), watts))
               for device, watts in ((GRID, 4000.0), (BOARD, 3000.0), (SEATS[0], 90.0),
                                     (SEATS[1], 1500.0))}
    parcels = [(device, part(column, share == number)) for device, column in columns.items()
               for share in [_shares(data, column)] for number in range(4)]
    for device, parcel in data.draw(st.permutations(parcels)):
        place.write(device, parcel)
        if data.draw(st.booleans()):
            place.check()
    place.check()
    place.writer.close()
    place.reader.close()


@pytest.fixture(scope="module")
def migrated_engine(migrated_file: Path) -> Iterator[Engine]:
    engine = open_engine(LedgerSettings(ledger_url=f"sqlite:///{migrated_file}"))
    yield engine
    engine.dispose()


def _shares(data: st.DataObject, column: Column) -> np.ndarray:
    """Which of four parcels a reading comes with: stretches of time, or one by one."""
    random = np.random.default_rng(data.draw(st.integers(0, 999)))
    if data.draw(st.booleans()):
        return random.integers(0, 4, len(column.times_ms))
    return (column.times_ms - midnight(0)) * 4 // (6 * 86_400_000 + MINUTE_MS)


def _faulty(data: st.DataObject, column: Column) -> Column:
    values, times = column.values.copy(), column.times_ms
    for _ in range(data.draw(st.integers(0, 4))):
        at = data.draw(st.integers(0, len(values) - 1))
        match data.draw(st.sampled_from(["reset", "spike", "leap", "gap"])):
            case "reset":
                values[at:] -= values[at]
            case "spike":
                values[at:at + 2] += 1e6
            case "leap":
                values[at:] += 1e5
            case _:
                gone = (times >= times[at]) & (times < times[at] + data.draw(
                    st.integers(MINUTE_MS, 40 * 3_600_000)))
                values, times = values[~gone], times[~gone]
        if len(values) == 0:
            break
    return Column(times, np.maximum(values, 0))

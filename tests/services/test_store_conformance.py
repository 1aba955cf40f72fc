"""One set of tests for both stores, InfluxDB being the real server."""

import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import StoreRefused
from seatwatt.contract.quantities import Quantity, quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.settings import StoreSettings
from seatwatt.store.marks import SPAN_MS, read_marks
from seatwatt.store.open import open_reader, open_writer
from seatwatt.store.ports import Column, DerivedPoint, Reader, Sums, Writer
from tests.servers import Server

T = 1_790_000_000_000
MINUTE = 60_000
DAY = 86_400_000
FOR_EVER = (-(2**63), 2**63)

IMPORT = quantity("meter", "energy_import")
POWER = quantity("meter", "power")
OCCUPIED = quantity("seat", "occupied")
STATUS = quantity("ups", "status")
GRID = Device("meter", "plant", "grid")
BOARD = Device("meter", "hall-a", "board")
SEAT = Device("seat", "hall-a", "017")
UPS = Device("ups", "plant", "ups-1")

BOOK = SeriesBook()


class Store:
    """A store of the test's own: its address, a writer and a reader."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.settings = StoreSettings.load(store_url=url)
        self.writer: Writer = open_writer(self.settings)
        self.reader: Reader = open_reader(self.settings)

    def put(self, device: Device, quantity: Quantity, *pairs: tuple[int, float | str],
            site: str = "workaround") -> None:
        batch = ReadingBatch()
        for at_ms, value in pairs:
            batch.append(BOOK.get(site, device, quantity), at_ms, value)
        self.writer.write(batch)

    def got(self, device: Device, quantity: Quantity, start_ms: int = FOR_EVER[0],
            end_ms: int = FOR_EVER[1], site: str = "workaround") -> list[tuple[int, float]]:
        column = self.reader.columns(site, quantity, start_ms, end_ms).get(device)
        return [] if column is None else pairs_of(column)

    def close(self) -> None:
        self.writer.close()
        self.reader.close()


def pairs_of(column: Column) -> list[tuple[int, float]]:
    assert column.times_ms.dtype == np.int64
    assert column.values.dtype == np.float64
    return list(zip(column.times_ms.tolist(), column.values.tolist(), strict=True))


def registers_of(store: Store, margin_ms: int) -> dict[Device, list[tuple[int, float]]]:
    """The registers of [T, T + 60 minutes)."""
    found = store.reader.registers("workaround", IMPORT, T, T + 60 * MINUTE, margin_ms)
    return {device: pairs_of(column) for device, column in found.items()}


@pytest.fixture(params=["influx", "sqlite"])
def make_store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], Store]]:
    """Makes a new, empty store at each call."""
    made: list[Store] = []

    def make() -> Store:
        name = f"{request.node.name.encode().hex()}-{len(made)}"
        if request.param == "influx":
            server: Server = request.getfixturevalue("shared_influx")
            made.append(Store(f"http://127.0.0.1:{server.port}/{name}"))
            made[-1].writer.ping()  # makes the database
        else:
            made.append(Store(f"sqlite:///{tmp_path}/new/{len(made)}.db"))
        return made[-1]

    yield make
    for store in made:
        store.close()


@pytest.fixture
def store(make_store: Callable[[], Store]) -> Store:
    return make_store()


def test_an_empty_store_gives_empty_answers(store: Store) -> None:
    store.writer.ping()
    store.reader.ping()
    assert store.reader.sites() == []
    assert store.reader.devices("workaround") == []
    assert store.reader.last("workaround") == []
    assert store.reader.columns("workaround", IMPORT, *FOR_EVER) == {}
    assert store.reader.registers("workaround", IMPORT, T, T + DAY, MINUTE) == {}
    assert store.reader.texts("workaround", STATUS, *FOR_EVER) == {}
    assert store.reader.derived("tenant_energy", (), *FOR_EVER) == []


def test_nothing_may_be_written(store: Store) -> None:
    store.writer.write(ReadingBatch())
    store.writer.write_derived([])
    assert store.reader.sites() == []


def test_the_later_of_one_series_and_time_stands(store: Store) -> None:
    store.put(GRID, IMPORT, (T, 1.0), (T + MINUTE, 5.0), (T, 2.0))
    assert store.got(GRID, IMPORT) == [(T, 2.0), (T + MINUTE, 5.0)]
    store.put(GRID, IMPORT, (T, 3.0))
    assert store.got(GRID, IMPORT) == [(T, 3.0), (T + MINUTE, 5.0)]


def test_the_later_stands_among_other_fields_of_the_same_time(store: Store) -> None:
    batch = ReadingBatch()
    energy, power = BOOK.get("workaround", GRID, IMPORT), BOOK.get("workaround", GRID, POWER)
    for series, value in [(energy, 1.0), (power, 7.0), (energy, 2.0), (power, 8.0), (energy, 3.0)]:
        batch.append(series, T, value)
    store.writer.write(batch)
    assert store.got(GRID, IMPORT) == [(T, 3.0)]
    assert store.got(GRID, POWER) == [(T, 8.0)]


def test_another_field_of_the_same_time_leaves_the_first_alone(store: Store) -> None:
    store.put(GRID, IMPORT, (T, 1.0))
    store.put(GRID, POWER, (T, 2.0))
    assert store.got(GRID, IMPORT) == [(T, 1.0)]
    assert store.got(GRID, POWER) == [(T, 2.0)]


def test_readings_come_in_order_of_time_whatever_order_they_arrived_in(store: Store) -> None:
    times = [T + n * MINUTE for n in (3, 1, 4, 0, 2)]
    store.put(GRID, IMPORT, *[(at_ms, float(at_ms - T)) for at_ms in times[:3]])
    store.put(GRID, IMPORT, *[(at_ms, float(at_ms - T)) for at_ms in times[3:]])
    assert store.got(GRID, IMPORT) == [(at_ms, float(at_ms - T)) for at_ms in sorted(times)]


@pytest.mark.parametrize(("start_ms", "end_ms", "expected"), [
    (T, T + 2, [0, 1]),
    (T, T + 3, [0, 1, 2]),
    (T + 1, T + 2, [1]),
    (T + 1, T + 1, []),
    (T + 2, T + 1, []),
    (T - 10, T, []),
    (T + 3, T + 10, []),
    (*FOR_EVER, [0, 1, 2]),
])
def test_ranges_are_half_open(store: Store, start_ms: int, end_ms: int, expected: list[int]
                              ) -> None:
    store.put(GRID, IMPORT, (T, 0.0), (T + 1, 1.0), (T + 2, 2.0))
    store.put(UPS, STATUS, (T, "0"), (T + 1, "1"), (T + 2, "2"))
    store.writer.write_derived([DerivedPoint("balance", (), (("n", float(n)),), T + n)
                                for n in range(3)])
    assert [value for _, value in store.got(GRID, IMPORT, start_ms, end_ms)] == expected
    texts = store.reader.texts("workaround", STATUS, start_ms, end_ms)
    assert [int(text) for _, text in texts.get(UPS, [])] == expected
    assert [point.time_ms - T for point in
            store.reader.derived("balance", (), start_ms, end_ms)] == expected


def test_a_thousand_million_watt_hours_keep_their_milliwatt_hours(store: Store) -> None:
    registers = [1e9 + n / 1000 for n in range(1000)] + [1e12, 999_999_999_999.999]
    store.put(GRID, IMPORT, *[(T + n, value) for n, value in enumerate(registers)])
    kept = [value for _, value in store.got(GRID, IMPORT)]
    assert [round(value * 1000) for value in kept] == [round(value * 1000) for value in registers]
    assert kept == registers


@settings(max_examples=20, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(values=st.lists(st.floats(-1e300, 1e300), min_size=1, max_size=200))
def test_every_float_comes_back_as_it_was(store: Store, values: list[float]) -> None:
    store.put(SEAT, quantity("seat", "power"), *[(T + n, value) for n, value in enumerate(values)])
    kept = store.got(SEAT, quantity("seat", "power"), T, T + len(values))
    assert [value for _, value in kept] == values


@pytest.mark.parametrize("text", [
    "OL CHRG", "", " ", "زون الف", "été 🌞", 'say "OL"', "back\\slash", "ends in \\",
    "\\n \\\" \\\\", "two\nlines", "a,b=c d", "tab\there", "x" * 5000, "1.5", "true",
    "'; DROP MEASUREMENT ups",
])
def test_texts_come_back_as_they_were(store: Store, text: str) -> None:
    store.put(UPS, STATUS, (T, text), (T + MINUTE, "OB"))
    assert store.reader.texts("workaround", STATUS, *FOR_EVER) == {
        UPS: [(T, text), (T + MINUTE, "OB")]}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf"), "a text"])
def test_what_is_no_number_is_refused(store: Store, value: float | str) -> None:
    store.put(GRID, IMPORT, (T - MINUTE, 1.0))
    with pytest.raises(StoreRefused):
        store.put(GRID, IMPORT, (T, value))
    assert store.got(GRID, IMPORT) == [(T - MINUTE, 1.0)]


def test_a_text_that_is_not_unicode_is_refused(store: Store) -> None:
    with pytest.raises(StoreRefused):
        store.put(UPS, STATUS, (T, "\ud800"))


def test_columns_of_some_devices(store: Store) -> None:
    store.put(GRID, IMPORT, (T, 1.0))
    store.put(BOARD, IMPORT, (T, 2.0))
    twin = Device("meter", "hall-b", "board")
    store.put(twin, IMPORT, (T, 3.0))

    def of(devices: list[Device]) -> dict[Device, list[float]]:
        found = store.reader.columns("workaround", IMPORT, T, T + 1, devices)
        return {device: column.values.tolist() for device, column in found.items()}

    assert of([BOARD]) == {BOARD: [2.0]}
    assert of([BOARD, twin]) == {BOARD: [2.0], twin: [3.0]}
    assert of([Device("meter", "plant", "board"), SEAT]) == {}
    assert of([]) == {}
    many = [Device("meter", "plant", f"m{n}") for n in range(100)]
    assert of([*many, GRID]) == {GRID: [1.0]}


def test_sites_are_apart(store: Store) -> None:
    store.put(GRID, IMPORT, (T, 1.0), site="workaround")
    store.put(GRID, IMPORT, (T, 2.0), site="e-rozgar")
    store.put(SEAT, OCCUPIED, (T, 1.0), site="e-rozgar")
    store.writer.write_derived([DerivedPoint("site_balance", (("site", "third"),),
                                             (("wh", 1.0),), T)])
    assert store.reader.sites() == ["e-rozgar", "workaround"]
    assert store.reader.devices("workaround") == [GRID]
    assert store.reader.devices("e-rozgar") == [GRID, SEAT]
    assert store.got(GRID, IMPORT, site="workaround") == [(T, 1.0)]
    assert store.got(GRID, IMPORT, site="e-rozgar") == [(T, 2.0)]
    assert store.reader.devices("it's \"none\\") == []
    assert store.got(GRID, IMPORT, site="x' OR site != '") == []


def test_devices_are_sorted_and_told_apart_by_kind_zone_and_name(store: Store) -> None:
    devices = [Device(kind, zone, name) for kind in ("seat", "meter")
               for zone in ("hall-b", "hall-a") for name in ("002", "001")]
    for device in devices:
        store.put(device, quantity(device.kind, "power"), (T, 1.0))
    assert store.reader.devices("workaround") == sorted(devices)


def test_last_is_the_newest_of_each_series(store: Store) -> None:
    store.put(GRID, IMPORT, (T + MINUTE, 2.0), (T, 1.0))
    store.put(GRID, POWER, (T, 70.0))
    store.put(SEAT, OCCUPIED, (T + 2, 0.0), (T + 1, 1.0))
    store.put(UPS, STATUS, (T, "OL"), (T + 5, "OB"))

    def last(*kinds: str) -> set[tuple[str, str, int, float | str]]:
        return {(str(r.series.device), r.series.quantity.field, r.taken_at_ms, r.value)
                for r in store.reader.last("workaround", kinds)}

    assert last() == {
        ("meter/plant/grid", "energy_import_wh", T + MINUTE, 2.0),
        ("meter/plant/grid", "power_w", T, 70.0),
        ("seat/hall-a/017", "occupied", T + 2, 0.0),
        ("ups/plant/ups-1", "status", T + 5, "OB")}
    assert last("ups", "seat") == {
        ("seat/hall-a/017", "occupied", T + 2, 0.0),
        ("ups/plant/ups-1", "status", T + 5, "OB")}
    assert last("room") == set()
    assert all(r.series.site == "workaround" for r in store.reader.last("workaround"))


def test_what_is_about_people_is_forgotten_and_no_register_with_it(store: Store) -> None:
    power, energy = quantity("seat", "power"), quantity("seat", "energy")
    other = Device("seat", "hall-b", "w-1")
    at = [T + n * DAY for n in range(5)]
    for device in (SEAT, other):
        batch = ReadingBatch()
        for n, at_ms in enumerate(at):
            for q, value in ((OCCUPIED, float(n % 2)), (power, 80.0), (energy, 1e9 + n / 1000)):
                batch.append(BOOK.get("workaround", device, q), at_ms, value)
        store.writer.write(batch)
    store.put(SEAT, OCCUPIED, (T, 1.0), site="e-rozgar")
    assert store.reader.first_ms("workaround", OCCUPIED) == T
    for _ in range(2):  # Cut off in the middle, it is asked again.
        store.writer.forget("workaround", OCCUPIED, T + 2 * DAY)
        for device in (SEAT, other):
            assert store.got(device, OCCUPIED) == [(at[2], 0.0), (at[3], 1.0), (at[4], 0.0)]
            assert store.got(device, power) == [(at_ms, 80.0) for at_ms in at]
            assert store.got(device, energy) == [(at_ms, 1e9 + n / 1000)
                                                 for n, at_ms in enumerate(at)]
    assert store.reader.first_ms("workaround", OCCUPIED) == at[2]
    assert store.got(SEAT, OCCUPIED, site="e-rozgar") == [(T, 1.0)]
    store.writer.forget("workaround", OCCUPIED, 2**63)
    assert store.reader.first_ms("workaround", OCCUPIED) is None
    assert store.reader.devices("workaround") == [SEAT, other]


@pytest.mark.parametrize("kept", [IMPORT, POWER, quantity("seat", "energy"),
                                  quantity("room", "people")])
def test_what_is_not_about_people_cannot_be_forgotten(store: Store, kept: Quantity) -> None:
    store.put(Device(kept.kind, "hall-a", "x"), kept, (T, 1.0))
    with pytest.raises(ValueError, match="not about people: it is kept"):
        store.writer.forget("workaround", kept, 2**62)
    assert store.reader.first_ms("workaround", kept) == T


def test_an_occupied_reading_delivered_again_overwrites(store: Store) -> None:
    store.put(SEAT, OCCUPIED, (T, 1.0))
    store.put(SEAT, OCCUPIED, (T, 0.0))
    assert store.got(SEAT, OCCUPIED) == [(T, 0.0)]


def test_registers_inside_the_margins_are_as_columns(store: Store) -> None:
    inside = [(T + n * MINUTE, float(n)) for n in range(-10, 70)]
    store.put(GRID, IMPORT, (T - 20 * MINUTE, -20.0), *inside, (T + 80 * MINUTE, 80.0))
    assert registers_of(store, 10 * MINUTE) == {GRID: inside}


def test_registers_reach_beyond_an_empty_margin(store: Store) -> None:
    store.put(GRID, IMPORT, (T - 3 * DAY, 1.0), (T - 2 * DAY, 2.0), (T + 5 * MINUTE, 3.0),
              (T + 100 * DAY, 4.0), (T + 101 * DAY, 5.0))
    assert registers_of(store, 10 * MINUTE) == {GRID: [
        (T - 2 * DAY, 2.0), (T + 5 * MINUTE, 3.0), (T + 100 * DAY, 4.0)]}


def test_registers_of_a_device_silent_all_through(store: Store) -> None:
    store.put(GRID, IMPORT, (T - DAY, 1.0), (T + DAY, 2.0))
    store.put(BOARD, IMPORT, (T - DAY, 7.0))
    assert registers_of(store, 0) == {
        GRID: [(T - DAY, 1.0), (T + DAY, 2.0)], BOARD: [(T - DAY, 7.0)]}


def test_registers_leave_out_a_device_first_read_after_the_period(store: Store) -> None:
    store.put(GRID, IMPORT, (T + 60 * MINUTE + 5, 1.0))
    assert registers_of(store, 5) == {}
    assert registers_of(store, 6) == {GRID: [(T + 60 * MINUTE + 5, 1.0)]}


def test_registers_at_the_very_edges_of_the_margins(store: Store) -> None:
    edges = [(T - MINUTE, 1.0), (T, 2.0), (T + 60 * MINUTE, 3.0), (T + 61 * MINUTE, 4.0)]
    store.put(GRID, IMPORT, *edges)
    assert registers_of(store, MINUTE) == {GRID: edges[:3]}
    assert registers_of(store, MINUTE + 1) == {GRID: edges}
    assert registers_of(store, 0) == {GRID: edges[:3]}


def test_a_month_of_one_meter(store: Store) -> None:
    times = np.arange(T, T + 30 * DAY, 30_000)
    values = np.round(1e9 + np.cumsum(np.random.default_rng(1).random(len(times))), 3)
    series = BOOK.get("workaround", GRID, IMPORT)
    for start in range(0, len(times), 20_000):
        part = slice(start, start + 20_000)
        store.writer.write(ReadingBatch([series] * len(times[part]), times[part].tolist(),
                                        values[part].tolist()))
    for devices in (None, [GRID]):
        column = store.reader.columns("workaround", IMPORT, *FOR_EVER, devices)[GRID]
        assert len(column.times_ms) == 86_400
        assert np.array_equal(column.times_ms, times)
        assert np.array_equal(column.values, values)
    column = store.reader.registers("workaround", IMPORT, T + DAY, T + 2 * DAY, 900_000)[GRID]
    expected = times[(times >= T + DAY - 900_000) & (times < T + 2 * DAY + 900_000)]
    assert np.array_equal(column.times_ms, expected)


def test_a_big_batch_of_many_devices(store: Store) -> None:
    devices = [Device("seat", f"hall-{n % 7}", f"{n:03}") for n in range(350)]
    kinds = [quantity("seat", name) for name in ("occupied", "power", "energy")]
    batch = ReadingBatch()
    for n in range(20):
        for m, device in enumerate(devices):
            for q, kind in enumerate(kinds):
                batch.append(BOOK.get("workaround", device, kind), T + n, float(n * 1000 + m + q))
    store.writer.write(batch)
    for q, kind in enumerate(kinds):
        found = store.reader.columns("workaround", kind, *FOR_EVER)
        assert sorted(found) == sorted(devices)
        for m, device in enumerate(devices):
            assert pairs_of(found[device]) == [(T + n, float(n * 1000 + m + q)) for n in range(20)]


def test_readings_of_ten_years(store: Store) -> None:
    years = [(T - n * 365 * DAY, float(n)) for n in range(9, -2, -1)]
    store.put(GRID, IMPORT, *years)
    assert store.got(GRID, IMPORT) == years
    assert store.got(GRID, IMPORT, T - 400 * DAY, T + 400 * DAY) == years[8:]


def test_derived_points(store: Store) -> None:
    odd = 'a b,c="d\\e'
    points = [
        DerivedPoint("tenant_energy", (("site", "workaround"), ("tenant", "beta")),
                     (("direct_wh", 2.5), ("note", "due")), T + MINUTE),
        DerivedPoint("tenant_energy", (("site", "workaround"), ("tenant", "alpha")),
                     (("direct_wh", 0.1 + 0.2),), T + MINUTE),
        DerivedPoint("tenant_energy", (("site", "workaround"), ("tenant", odd)),
                     (("direct_wh", 1.0), ("note", 'é "x" \\')), T),
        DerivedPoint("site_balance", (("site", "workaround"),), (("wh", 1.0),), T),
    ]
    store.writer.write_derived(points)
    read = store.reader.derived
    assert read("tenant_energy", (), *FOR_EVER) == [points[2], points[1], points[0]]
    assert read("tenant_energy", (("tenant", "alpha"),), *FOR_EVER) == [points[1]]
    assert read("tenant_energy", (("tenant", odd), ("site", "workaround")), *FOR_EVER
                ) == [points[2]]
    assert read("tenant_energy", (("tenant", "none"),), *FOR_EVER) == []


def test_a_derived_point_written_again(store: Store) -> None:
    tags = (("zone", "hall-a"), ("site", "workaround"), ("empty", ""))
    store.writer.write_derived([
        DerivedPoint("zone_occupancy", tags, (("occupied", 1.0), ("seats", 4)), T)])
    store.writer.write_derived([
        DerivedPoint("zone_occupancy", tags, (("occupied", 2.0),), T),
        DerivedPoint("zone_occupancy", tags, (), T + 1)])
    assert store.reader.derived("zone_occupancy", (), *FOR_EVER) == [DerivedPoint(
        "zone_occupancy", (("site", "workaround"), ("zone", "hall-a")),
        (("occupied", 2.0), ("seats", 4.0)), T)]


@pytest.mark.parametrize("tag", ["two\nlines", "ends in \\"])
def test_a_tag_no_line_can_hold_is_refused(store: Store, tag: str) -> None:
    with pytest.raises(StoreRefused, match="zone"):
        store.writer.write_derived([DerivedPoint("events", (("zone", tag),), (("n", 1.0),), T)])


def test_a_derived_field_that_is_not_finite_is_refused(store: Store) -> None:
    with pytest.raises(StoreRefused):
        store.writer.write_derived([DerivedPoint("events", (), (("n", float("nan")),), T)])


def test_two_writers_at_once(store: Store) -> None:
    def work(name: str) -> None:
        writer = open_writer(store.settings)
        series = SeriesBook().get("workaround", Device("meter", "plant", name), IMPORT)
        common = SeriesBook().get("workaround", GRID, IMPORT)
        for n in range(40):
            writer.write(ReadingBatch([series, common], [T + n, T + n], [float(n), float(n)]))
        writer.close()

    threads = [threading.Thread(target=work, args=(name,)) for name in ("a", "b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [(T + n, float(n)) for n in range(40)]
    found = store.reader.columns("workaround", IMPORT, *FOR_EVER)
    assert {str(device): pairs_of(column) for device, column in found.items()} == dict.fromkeys(
        ("meter/plant/a", "meter/plant/b", "meter/plant/grid"), expected)


READ_ALL = """
import sys
from seatwatt.contract.quantities import quantity
from seatwatt.settings import StoreSettings
from seatwatt.store.open import open_reader
reader = open_reader(StoreSettings(store_url=sys.argv[1]))
print("ready", flush=True)
for _ in sys.stdin:
    found = reader.columns("workaround", quantity("meter", "energy_import"), 0, 2**62)
    counts = [len(column.values) for column in found.values()]
    assert all((column.values[1:] > column.values[:-1]).all() for column in found.values())
    print(sum(counts), flush=True)
"""


def test_another_process_reads_while_this_one_writes(store: Store) -> None:
    reader = subprocess.Popen([sys.executable, "-c", READ_ALL, store.url], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert reader.stdin is not None
    assert reader.stdout is not None
    assert reader.stdout.readline() == "ready\n"
    for n in range(20):
        store.put(GRID, IMPORT, *[(T + n * 100 + m, float(n * 100 + m)) for m in range(100)])
        reader.stdin.write("read\n")
        reader.stdin.flush()
        assert int(reader.stdout.readline()) == 100 * (n + 1)
    reader.communicate(timeout=30)
    assert reader.returncode == 0


def test_readers_of_several_threads(store: Store) -> None:
    store.put(GRID, IMPORT, *[(T + n, float(n)) for n in range(1000)])
    counts: list[int] = []

    def work() -> None:
        counts.extend(len(store.got(GRID, IMPORT)) for _ in range(10))

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1000] * 60


def marks(store: Store, site: str = "workaround") -> dict[int, float]:
    return read_marks(store.reader, site, T - DAY, T + DAY)


def test_a_write_marks_the_quarters_of_an_hour_it_touches_anew_each_time(store: Store) -> None:
    store.put(GRID, IMPORT, (T, 1.0), (T + 20 * MINUTE, 2.0))
    first = marks(store)
    quarters = [at_ms // SPAN_MS * SPAN_MS for at_ms in (T, T + 20 * MINUTE)]
    assert sorted(first) == quarters
    store.put(GRID, IMPORT, (T + 1, 1.0))
    again = marks(store)
    assert again[quarters[0]] != first[quarters[0]]
    assert again[quarters[1]] == first[quarters[1]]
    assert marks(store, "elsewhere") == {}


def test_sums_tell_a_value_that_changed_and_one_that_came(store: Store) -> None:
    def sums(start_ms: int, end_ms: int, step_ms: int = DAY) -> dict[Device, Sums]:
        return store.reader.sums("workaround", IMPORT, [BOARD, GRID], start_ms, end_ms, step_ms)

    store.put(GRID, IMPORT, (T, 1.5), (T + MINUTE, 2.25), (T + DAY, 9.0), (T + 3 * DAY - 1, 7.0))
    store.put(BOARD, IMPORT, (T, 4.0))
    store.put(SEAT, OCCUPIED, (T, 1.0))
    assert sums(T, T + DAY) == {GRID: {T: (2, 3.75)}, BOARD: {T: (1, 4.0)}}
    assert sums(T, T + 3 * DAY) == {
        GRID: {T: (2, 3.75), T + DAY: (1, 9.0), T + 2 * DAY: (1, 7.0)}, BOARD: {T: (1, 4.0)}}
    assert sums(T - 23 * MINUTE, T + 2 * MINUTE, 25 * MINUTE)[GRID] == {T - 23 * MINUTE: (2, 3.75)}
    assert store.reader.sums("workaround", IMPORT, [BOARD], T, T + DAY, DAY) == {
        BOARD: {T: (1, 4.0)}}
    store.put(GRID, IMPORT, (T, 2.5))
    assert sums(T, T + DAY)[GRID] == {T: (2, 4.75)}
    assert sums(T - DAY, T) == {}
    assert store.reader.sums("workaround", IMPORT, [], T, T + DAY, DAY) == {}

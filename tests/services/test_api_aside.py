"""The process that computes beside the API: answers, errors, its death, the end."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwatt.api.compose import open_services
from seatwatt.api.services import Services
from seatwatt.api.works import looked, settled
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import ConflictError, InputError, SeatwattError, StoreUnavailable
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.settings import ApiSettings, LedgerSettings, StoreSettings
from tests.services.api_worlds import NOW_MS, client_on, declare
from tests.services.run_kit import GRID, SEATS, a_site

DAY_MS, HOUR_MS = 86_400_000, 3_600_000
START_MS = 1_788_202_800_000  # 2026-09-01 in Karachi
ENERGY = "/v1/sites/s/energy?from=2026-09-01&to=2026-09-03&by=tenant&step=interval"


@pytest.fixture
def services(tmp_path: Path) -> Iterator[Services]:
    """Two days of hourly registers."""
    with open_services(ApiSettings(api_access="open", api_jobs=False),
                       StoreSettings(store_url=f"sqlite:///{tmp_path}/readings.db"),
                       LedgerSettings(ledger_url=f"sqlite:///{tmp_path}/ledger.db"),
                       lambda: NOW_MS, aside=True) as services:
        declare(services, a_site())
        services.writer.write(registers())
        yield services


def registers() -> ReadingBatch:
    book, batch = SeriesBook(), ReadingBatch()
    for device, watts in ((GRID, 400), *((seat, 100) for seat in SEATS)):
        name = "energy" if device.kind == "seat" else "energy_import"
        for hour in range(-2, 51):
            batch.append(book.get("s", device, quantity(device.kind, name)),
                         START_MS + hour * HOUR_MS, float(10_000 + hour * watts))
    return batch


def where(services: Services) -> tuple[int, int]:
    """The process that does it, and its clock."""
    return os.getpid(), services.clock()


def fail(_: Services, error: Exception) -> None:
    raise error


def divide(_: Services, number: int) -> float:
    return 1 / number


class _Stubborn(Exception):
    def __init__(self, one: str, two: str) -> None:
        super().__init__(one + two)


def stumble(_: Services) -> None:
    raise _Stubborn("one", "two")


def die_once(_: Services, trace: Path) -> int:
    """Ends its process the first time."""
    if not trace.exists():
        trace.touch()
        os.kill(os.getpid(), signal.SIGKILL)
    return 7


def die(_: Services) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def hang(_: Services, trace: Path) -> None:
    trace.touch()
    threading.Event().wait()


def pid_of(services: Services) -> int:
    assert services.aside is not None
    assert services.aside.pid is not None
    return services.aside.pid


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_it_is_another_process_that_is_told_the_time_and_gives_way(services: Services) -> None:
    assert services.aside is not None
    assert services.aside.pid is None  # Nobody needed it yet.
    pid, now_ms = services.run(where)
    assert (pid, now_ms) == (pid_of(services), NOW_MS)
    assert pid != os.getpid()
    assert os.getpriority(os.PRIO_PROCESS, pid) > os.getpriority(os.PRIO_PROCESS, 0)


def test_a_settlement_is_the_same_as_here(services: Services) -> None:
    period = a_site(), START_MS, START_MS + 2 * DAY_MS
    (there, seen), (here, _) = services.run(settled, *period), settled(services, *period)
    assert there.document() == here.document()
    for by in ("meter", "seat", "zone", "tenant"):
        assert there.energy(by).energy_milliwh.tolist() == here.energy(by).energy_milliwh.tolist()
    assert seen is not None
    assert services.run(looked, *period) == looked(services, *period) == seen


def test_requests_are_answered_by_way_of_it(services: Services) -> None:
    with client_on(services) as client:
        first = client.get(ENERGY)
        assert first.status_code == 200
        assert len(first.json()["series"][0]["points"]) == 96
        computing = pid_of(services)
        os.kill(computing, signal.SIGKILL)
        again = client.get(ENERGY, headers={"cache-control": "no-cache"})
        assert (again.status_code, again.json()) == (200, first.json())
        assert pid_of(services) != computing
        charges = client.get("/v1/sites/s/charges?from=2026-09-01&to=2026-09-02")
        assert (charges.status_code, charges.json()["blocking"]) == (200, [])
        drafted = client.post("/v1/sites/s/runs", json={"from": "2026-09-01", "to": "2026-09-02"})
        assert (drafted.status_code, drafted.json()["state"]) == (201, "draft")


@pytest.mark.parametrize("error", [
    InputError("leases[2].from", "it is wrong", "a date"), ConflictError("lease", "it overlaps"),
    StoreUnavailable("it is down", 7.0), SeatwattError("a line")])
def test_errors_come_through_as_they_were(services: Services, error: SeatwattError) -> None:
    with pytest.raises(type(error)) as told:
        services.run(fail, error)
    assert (type(told.value), str(told.value)) == (type(error), str(error))
    assert told.value.__dict__ == error.__dict__


def test_errors_of_the_program_tell_where_they_were(services: Services) -> None:
    with pytest.raises(ZeroDivisionError) as told:
        services.run(divide, 0)
    assert "in divide" in told.value.__notes__[0]
    with pytest.raises(RuntimeError, match="in stumble"):
        services.run(stumble)
    assert services.run(divide, 2) == 0.5


def test_its_death_is_survived(services: Services, tmp_path: Path) -> None:
    before, _ = services.run(where)
    assert services.run(die_once, tmp_path / "died") == 7
    after, _ = services.run(where)
    assert after != before
    assert is_gone(before)


def test_who_kills_it_every_time_is_told_so(services: Services) -> None:
    with pytest.raises(SeatwattError, match="computing die ended its process twice"):
        services.run(die)
    assert services.run(divide, 4) == 0.25


def test_the_end_leaves_no_process_whatever_it_is_at(services: Services, tmp_path: Path) -> None:
    assert services.aside is not None
    told: list[str] = []

    def ask() -> None:
        try:
            services.run(hang, tmp_path / "began")
        except SeatwattError as error:
            told.append(str(error))

    waiting = threading.Thread(target=ask)
    waiting.start()
    while not (tmp_path / "began").exists():
        time.sleep(0.01)
    pid = pid_of(services)
    services.aside.close()
    waiting.join(60)
    assert (told, is_gone(pid)) == (["shutting down"], True)
    with pytest.raises(SeatwattError, match="shutting down"):
        services.run(where)


def test_signals_meant_for_the_api_do_not_end_it(services: Services) -> None:
    pid, _ = services.run(where)
    for number in (signal.SIGINT, signal.SIGTERM):
        os.kill(pid, number)
    assert services.run(where) == (pid, NOW_MS)


def test_late_data_is_seen_by_way_of_it(services: Services) -> None:
    period = a_site(), START_MS, START_MS + 2 * DAY_MS
    _, seen = services.run(settled, *period)
    services.writer.write(ReadingBatch(
        [SeriesBook().get("s", Device("seat", SEATS[0].zone, SEATS[0].name),
                          quantity("seat", "energy"))], [START_MS + HOUR_MS + 1], [10_100.0]))
    assert services.run(looked, *period) != seen

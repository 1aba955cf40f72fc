"""The job that tells of outages and transfers looks two days back each time: what it tells twice
is told once."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from seatwatt.api.jobs.happenings import write_happenings
from seatwatt.api.services import Services
from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, Series
from seatwatt.contract.sitefile import parse_site
from seatwatt.settings import StoreSettings
from tests.services.api_worlds import declare, services_on

MINUTE, HOUR = 60_000, 3_600_000
DAY = 24 * HOUR
MIDNIGHT = 1_791_313_200_000
"""Of Karachi."""
SITE = parse_site({"site": "one", "time_zone": "Asia/Karachi", "currency": "PKR",
                   "zones": {"plant": {"kind": "plant"}},
                   "meters": {"plant/grid": {"source": "grid"}}})
GRID = Series("one", Device("meter", "plant", "grid"), quantity("meter", "power"))
BATTERY = Series("one", Device("ups", "plant", "ups-1"), quantity("ups", "on_battery"))


def write(services: Services, series: Series, from_ms: int, to_ms: int,
          dark: tuple[int, int], values: tuple[float, float]) -> None:
    """A reading a minute in [from_ms, to_ms): (bright, dark)."""
    batch = ReadingBatch()
    for at_ms in range(from_ms, to_ms, MINUTE):
        batch.append(series, at_ms, values[dark[0] <= at_ms < dark[1]])
    services.writer.write(batch)


def run(services: Services, clock: list[int], from_ms: int, to_ms: int,
        progress: Mapping[str, Any]) -> Mapping[str, Any]:
    """Every five minutes, as it is scheduled."""
    for clock[0] in range(from_ms, to_ms, 5 * MINUTE):
        outcome = write_happenings(services, dict(progress))
        assert not outcome.failed, outcome
        progress = outcome.progress
    return progress


def told(services: Services) -> list[tuple[int, float]]:
    """Outages: from, to."""
    return [(point.time_ms, float(dict(point.fields)["end_ms"])) for point in
            services.reader.derived("events", (("site", "one"), ("kind", "outage")), 0, 2 ** 42)]


def on(folder: Path, clock: list[int]) -> Any:
    return services_on(StoreSettings(store_url=f"sqlite:///{folder}/readings.db"), folder,
                       clock=lambda: clock[0])


def test_an_outage_is_told_once_however_long_ago(tmp_path: Path) -> None:
    clock, start = [0], MIDNIGHT + 10 * HOUR
    end = start + 40 * MINUTE
    with on(tmp_path, clock) as services:
        declare(services, SITE)
        write(services, GRID, MIDNIGHT, MIDNIGHT + 3 * DAY, (start, end), (500.0, 0.0))
        progress = run(services, clock, start - HOUR, end + HOUR, {})
        assert told(services) == [(start, end)]
        run(services, clock, start + 2 * DAY - HOUR, end + 2 * DAY + HOUR, progress)
        assert told(services) == [(start, end)]


def test_an_outage_of_days_is_one_to_its_end(tmp_path: Path) -> None:
    clock, start = [0], MIDNIGHT + 10 * HOUR
    end = start + 3 * DAY
    with on(tmp_path, clock) as services:
        declare(services, SITE)
        write(services, GRID, MIDNIGHT, end + DAY, (start, end), (500.0, 0.0))
        progress: Mapping[str, Any] = {}
        for at_ms in range(start - HOUR, end + DAY, 6 * HOUR):
            progress = run(services, clock, at_ms, at_ms + MINUTE, progress)
        assert told(services) == [(start, end)]
        progress = run(services, clock, end + 3 * DAY, end + 3 * DAY + MINUTE, progress)
        assert set(progress["one"]) == {"until_ms"}, "looked back to for ever"


def test_one_feeders_end_beside_the_look_back_is_no_outage(tmp_path: Path) -> None:
    """The second feeder is read less often: its last reading still holds."""
    clock, cut = [0], MIDNIGHT + 10 * HOUR
    both = parse_site({"site": "one", "time_zone": "Asia/Karachi", "currency": "PKR",
                       "zones": {"plant": {"kind": "plant"}},
                       "meters": {"plant/grid": {"source": "grid"},
                                  "plant/grid-2": {"source": "grid"}}})
    second = Series("one", Device("meter", "plant", "grid-2"), quantity("meter", "power"))
    with on(tmp_path, clock) as services:
        declare(services, both)
        write(services, GRID, MIDNIGHT, MIDNIGHT + 3 * DAY, (cut, 2 ** 42), (500.0, 0.0))
        batch = ReadingBatch()
        for at_ms in range(MIDNIGHT, MIDNIGHT + 3 * DAY, 10 * MINUTE):
            batch.append(second, at_ms + 5 * MINUTE, 700.0)
        services.writer.write(batch)
        progress = run(services, clock, cut - HOUR, cut + HOUR, {})
        run(services, clock, cut + 2 * DAY - HOUR, cut + 2 * DAY + HOUR, progress)
        assert told(services) == []


def test_a_transfer_before_midnight_is_the_first_days_alone(tmp_path: Path) -> None:
    clock, night = [0], MIDNIGHT + DAY
    with on(tmp_path, clock) as services:
        declare(services, SITE)
        write(services, BATTERY, MIDNIGHT, MIDNIGHT + 4 * DAY,
              (night - 10 * MINUTE, night + 10 * MINUTE), (0.0, 1.0))
        progress: Mapping[str, Any] = {}
        for at_ms in range(night + HOUR, night + 3 * DAY, 6 * HOUR):
            progress = run(services, clock, at_ms, at_ms + MINUTE, progress)
        points = services.reader.derived("ups_day", (("site", "one"),), 0, 2 ** 42)
        days = {point.time_ms: dict(point.fields) for point in points}
    assert days[MIDNIGHT]["transfers"] == 1.0
    assert days[night] == {"transfers": 0.0, "battery_s": 600.0}

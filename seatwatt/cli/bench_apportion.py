"""`seatwatt bench apportion`: a synthetic month in memory through metering and billing."""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from datetime import time as clock
from functools import partial
from typing import Annotated
from zoneinfo import ZoneInfo

import numpy as np
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from seatwatt.billing.apportion import apportion
from seatwatt.cli._environment import environment_lines, peak_memory_mb
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leases import Lease, Shift, Tenant
from seatwatt.contract.meters import Node, SeatMeters, Share
from seatwatt.contract.site import Site, Zone
from seatwatt.metering import MeterEnergy, RegisterColumn, Registers, site_energy

SEATS_PER_HALL = 14
MARGIN_MINUTES = 60
ZONE = ZoneInfo("Asia/Karachi")
MONTH = date(2026, 10, 1), date(2026, 11, 1)

app = typer.Typer(add_completion=False)


@app.command()
def main(seats: Annotated[int, typer.Option(min=1, help="seats of a site")] = 350,
         sites: Annotated[str, typer.Option(help="how many sites one after another")] = "1,10,100",
         runs: Annotated[int, typer.Option(min=1, help="runs of each, the median counts")] = 5,
         ) -> None:
    """A month of registers read each minute, to energies, to tenants; nothing is read from disk.

    Sites share one set of registers, so that a hundred fit in memory. 100 sites take minutes.
    Example: seatwatt bench apportion --sites 1,10
    """
    counts = _counts(sites)
    console = Console()
    console.print(*environment_lines(), sep="\n")
    case = _Case.of(seats)
    console.print(f"{seats} seats and {len(case.site.nodes)} meters, {len(case.grid)} intervals, "
                  f"{case.readings:,} readings; {runs} runs, medians")
    table = Table("sites", "metering s", "apportion s", "s a site", "cpu s a site",
                  "seat-intervals/s", box=None)
    with Progress(console=console, transient=True) as progress:
        for count in counts:
            task = progress.add_task(f"{count} sites", total=count * runs)
            timed = [case.run(count, partial(progress.advance, task)) for _ in range(runs)]
            table.add_row(*_row(count, timed, seats * len(case.grid)))
    console.print(table, f"most memory held: {peak_memory_mb():,.0f} MB", sep="\n")


def _counts(text: str) -> list[int]:
    parts = text.split(",")
    if not all(part.isascii() and part.isdigit() and int(part) for part in parts):
        raise InputError("--sites", f"{text!r} is no list of counts", "such as 1,10,100")
    return [int(part) for part in parts]


@dataclass(frozen=True, slots=True)
class _Timed:
    """Seconds of one run: by the clock, and of this process alone (other work takes the rest)."""

    metering_s: float
    billing_s: float
    cpu_s: float


def _row(count: int, runs: list[_Timed], seat_intervals: int) -> tuple[str, ...]:
    metering, billing, cpu, whole = (statistics.median(seconds) for seconds in zip(*(
        (run.metering_s, run.billing_s, run.cpu_s, run.metering_s + run.billing_s)
        for run in runs), strict=True))
    return (str(count), f"{metering:.3f}", f"{billing:.3f}", f"{whole / count:.3f}",
            f"{cpu / count:.3f}", f"{seat_intervals * count / whole:,.0f}")


@dataclass(frozen=True, slots=True)
class _Case:
    """One site with its month of readings."""

    site: Site
    grid: IntervalGrid
    registers: Registers

    @property
    def readings(self) -> int:
        return sum(map(len, self.registers.values()))

    @classmethod
    def of(cls, seats: int) -> "_Case":
        site = site_with(seats)
        start_ms, end_ms = (local_midnight_ms(day, ZONE) for day in MONTH)
        grid = IntervalGrid.between(start_ms, end_ms, site.interval_s, ZONE)
        return cls(site, grid, dict(site_registers(site, grid)))

    def run(self, count: int, tick: Callable[[], None]) -> _Timed:
        """Metering and apportioning of so many sites, one after another."""
        metering_s, billing_s, cpu_start = 0.0, 0.0, time.process_time()
        for _ in range(count):
            start = time.perf_counter()
            energies: dict[Device, MeterEnergy] = site_energy(self.site, self.grid, self.registers)
            metered = time.perf_counter()
            apportion(self.site, self.grid, energies)
            metering_s += metered - start
            billing_s += time.perf_counter() - metered
            tick()
        return _Timed(metering_s, billing_s, time.process_time() - cpu_start)


def site_with(seats: int) -> Site:
    """Halls of 14 seats with a board each below grid, generator and solar; eight tenants, every
    second hall used by two of them in shifts."""
    halls = [Zone(name=f"hall-{i}", area_m2=60.0,
                  seats=tuple(f"{n:03d}" for n in range(1, min(SEATS_PER_HALL, seats - at) + 1)))
             for i, at in enumerate(range(0, seats, SEATS_PER_HALL))]
    sources = [Node(device=Device("meter", "plant", name), source=name, max_power_w=200_000)
               for name in ("grid", "generator", "solar")]
    boards = [Node(device=Device("meter", hall.name, "board"), max_power_w=50_000,
                   share=Share(rule="seats")) for hall in halls]
    plant = [Node(device=Device("meter", "plant", name), max_power_w=50_000)
             for name in ("lifts", "cooling")]
    tenants = tuple(Tenant(id=f"tenant-{i}") for i in range(8))
    return Site(id="bench", name="Bench", time_zone=ZONE, currency="PKR",
                zones=(*halls, Zone(name="plant", kind="plant")),
                nodes=(*sources, *boards, *plant), seat_meters=SeatMeters(max_power_w=2300),
                tenants=tenants, leases=tuple(_leases(halls, tenants)))


def _leases(halls: list[Zone], tenants: tuple[Tenant, ...]) -> list[Lease]:
    day, night = (_shift(*hours) for hours in ((8, 20), (20, 8)))
    leases = []
    for i, hall in enumerate(halls):
        shifts = (day, night) if i % 2 else (None,)
        for k, shift in enumerate(shifts):
            leases.append(Lease(tenant=tenants[(i + k) % 8].id, shift=shift, from_=MONTH[0],
                                seats=tuple((hall.name, seat) for seat in hall.seats)))
    return leases


def _shift(start: int, end: int) -> Shift:
    return Shift(days=tuple(range(7)), start=clock(start), end=clock(end))


def site_registers(site: Site, grid: IntervalGrid
                   ) -> Iterator[tuple[tuple[Device, str], RegisterColumn]]:
    """Each register once a minute at a second of its own, in steps of a tenth of a watt-hour.

    A source's steps are as large as those of all below it together.
    """
    random = np.random.default_rng(20261001)
    seats = [Device("seat", zone.name, name) for zone in site.zones for name in zone.seats]
    size_wh = {node.device: (len(seats) if node.source else SEATS_PER_HALL) * 3.0
               for node in site.nodes}
    minutes = (grid.end_ms - grid.start_ms) // 60_000 + 2 * MARGIN_MINUTES
    first_ms = grid.start_ms - MARGIN_MINUTES * 60_000

    def column(step_wh: float) -> RegisterColumn:
        times_ms = first_ms + random.integers(60_000) + np.arange(minutes) * 60_000
        values_wh = np.cumsum(random.random(minutes) * step_wh).astype(np.float64)
        return RegisterColumn(times_ms, np.round(values_wh, 1).astype(np.float64))

    for device, size in size_wh.items():
        yield (device, "energy_import"), column(size)
    for seat in seats:
        yield (seat, "energy"), column(2.0)

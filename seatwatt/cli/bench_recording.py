"""`seatwatt bench recording`: one reading a minute and seat, from a file to tenants."""

import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
import numpy as np
import typer
from numpy.typing import NDArray
from rich.console import Console
from rich.progress import track
from rich.table import Table

from seatwatt.cli._environment import environment_lines, peak_memory_mb
from seatwatt.cli.bench_apportion import MONTH, ZONE, site_registers, site_with
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.site import Site
from seatwatt.settlement.settle import settle
from seatwatt.store.recording import load_recordings

app = typer.Typer(add_completion=False)


@app.command()
def main(seats: Annotated[int, typer.Option(min=1, help="seats of the site")] = 350,
         days: Annotated[int, typer.Option(min=1, max=31, help="days recorded")] = 1,
         pack: Annotated[int, typer.Option(min=1, help="readings a message")] = 1,
         runs: Annotated[int, typer.Option(min=1, help="runs, the median counts")] = 3) -> None:
    """Write a recording of each seat's and meter's register once a minute, then read, meter and
    apportion it as `seatwatt apportion` does. Reading the file is nearly all of it.

    Example: seatwatt bench recording --days 1 --pack 300
    """
    console = Console()
    console.print(*environment_lines(), sep="\n")
    site = site_with(seats)
    grid = IntervalGrid.between(local_midnight_ms(MONTH[0], ZONE), local_midnight_ms(
        MONTH[0] + timedelta(days=days), ZONE), site.interval_s, ZONE)
    with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as folder:
        path = Path(folder) / "readings.ndjson"
        readings = _write(path, site, grid, pack)
        size_mb = path.stat().st_size / 1e6
        timed = [_run(path, site, grid) for _ in track(range(runs), "reading", console=console,
                                                       transient=True)]
    console.print(f"{seats} seats, {days} days, {readings:,} readings in messages of {pack}, "
                  f"{size_mb:,.0f} MB; {runs} runs, medians")
    console.print(_table(timed, readings, days))
    console.print(f"most memory held: {peak_memory_mb():,.0f} MB")


@dataclass(frozen=True, slots=True)
class _Timed:
    """Seconds of one run, and how much of the processor's time all of it took."""

    reading_s: float
    settling_s: float
    cpu_s: float


def _run(path: Path, site: Site, grid: IntervalGrid) -> _Timed:
    start, cpu = time.perf_counter(), time.process_time()
    recording = load_recordings([path], site.id)
    read = time.perf_counter()
    settle(site, recording, grid.start_ms, grid.end_ms)
    return _Timed(read - start, time.perf_counter() - read, time.process_time() - cpu)


def _table(timed: list[_Timed], readings: int, days: int) -> Table:
    reading, settling, cpu = (statistics.median(values) for values in zip(*(
        (run.reading_s, run.settling_s, run.cpu_s) for run in timed), strict=True))
    table = Table("reading s", "settling s", "readings/s", "cpu us a reading", "s for 31 days",
                  box=None)
    table.add_row(f"{reading:.2f}", f"{settling:.2f}", f"{readings / (reading + settling):,.0f}",
                  f"{cpu / readings * 1e6:.2f}", f"{(reading + settling) * 31 / days:.0f}")
    return table


def _write(path: Path, site: Site, grid: IntervalGrid, pack: int) -> int:
    """Every register's readings, minute by minute, as a gateway would send them; how many."""
    columns = dict(site_registers(site, grid))
    encode, count = msgspec.json.encode, 0
    with path.open("wb") as file:
        for minute in zip(*(_records(f"{device}/{quantity}", column.times_ms, column.values_wh)
                            for (device, quantity), column in columns.items()), strict=True):
            received_at = datetime.fromtimestamp(minute[-1]["bt"] + 60, UTC).isoformat()
            count += len(minute)
            for at in range(0, len(minute), pack):
                file.write(encode({"received_at": received_at,
                                   "topic": f"seatwatt/v1/{site.id}/pack/plant/gw-1",
                                   "payload": minute[at:at + pack]}) + b"\n")
    return count


def _records(name: str, times_ms: NDArray[np.int64], values_wh: NDArray[np.float64]
             ) -> Iterator[dict[str, Any]]:
    for at_ms, value in zip(times_ms.tolist(), values_wh.tolist(), strict=True):
        yield {"bt": at_ms / 1000, "n": name, "u": "Wh", "v": value}

"""`seatwatt bench run`: the run of a month from the store, and from days that are kept."""

import statistics
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from seatwatt.cli._bench_drafts import Case, Timed, drafted, fill
from seatwatt.cli._bench_servers import influxd
from seatwatt.cli._environment import environment_lines
from seatwatt.contract.errors import InputError

MONTHS_MAX = 12

app = typer.Typer(add_completion=False)


class Store(StrEnum):
    """Where the readings rest."""

    INFLUX = "influx"
    SQLITE = "sqlite"


@app.command()
def main(
    cases: Annotated[str, typer.Option(
        help="sites as SEATSxMONTHS; 10x1,100x1,350x1,35x3,35x12 shows how the cost grows")
                     ] = "350x1",
    store: Annotated[Store, typer.Option(help="where the readings rest")] = Store.INFLUX,
    runs: Annotated[int, typer.Option(min=1, help="drafts of each kind, the median counts")] = 3,
) -> None:
    """Fill a store of its own with a register reading a minute, seat and meter, and draft the run
    (a bill shared out, statements in a ledger on SQLite): `cold` with nothing kept, `kept` from
    days kept before, `compared` from kept days after each was compared with the store.

    Filling takes a minute or more for 350 seats. Example: seatwatt bench run --store sqlite
    """
    console = Console()
    console.print(*environment_lines(), sep="\n")
    table = Table("seats", "months", "readings", "cold s", "cpu", "MB", "kept s", "cpu", "MB",
                  "compared s", box=None)
    for seats, months in _cases(cases):
        with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as name, \
                _store(store, Path(name)) as url:
            case = Case(seats=seats, months=months, store_url=url,
                        ledger_url=f"sqlite:///{name}/ledger.db")
            table.add_row(*_row(console, case, runs))
    console.print(f"{store.value}; medians of {runs}", table, sep="\n")


def _row(console: Console, case: Case, runs: int) -> tuple[str, ...]:
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"filling {case.seats} seats, {case.months} months", total=None)
        count = fill(case, lambda readings: progress.advance(task, readings))
        progress.update(task, description="drafting")
        cold = [drafted(case, kept=False) for _ in range(runs)]
        kept = [drafted(case, kept=True) for _ in range(runs)]
        compared = [drafted(case, kept=True, compare=True) for _ in range(runs)]
    return (str(case.seats), str(case.months), f"{count:,}", *_shown(cold), *_shown(kept),
            _shown(compared)[0])


def _shown(drafts: list[Timed]) -> tuple[str, str, str]:
    return (f"{statistics.median(each.seconds for each in drafts):.2f}",
            f"{statistics.median(each.cpu_s for each in drafts):.2f}",
            f"{max(each.memory_mb for each in drafts):.0f}")


def _cases(text: str) -> list[tuple[int, int]]:
    try:
        cases = [(int(seats), int(months)) for seats, _, months in
                 (case.strip().partition("x") for case in text.split(","))]
    except ValueError:
        cases = []
    if not cases or any(seats < 1 or not 1 <= months <= MONTHS_MAX for seats, months in cases):
        raise InputError("--cases", f"{text!r} cannot be measured",
                         f"such as 350x1,35x12: seats, and 1 to {MONTHS_MAX} months")
    return cases


@contextmanager
def _store(store: Store, folder: Path) -> Iterator[str]:
    if store is Store.SQLITE:
        yield f"sqlite:///{folder}/readings.db"
        return
    with influxd(folder) as server:
        yield f"http://127.0.0.1:{server.port}/bench"

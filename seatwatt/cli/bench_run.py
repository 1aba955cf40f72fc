"""`seatwatt bench run`: the run of a month from the store, and from days that are kept."""

import statistics
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from seatwatt.cli._bench_drafts import Case, drafted, fill
from seatwatt.cli._bench_servers import cpu_s, influxd
from seatwatt.cli._environment import environment_lines
from seatwatt.contract.errors import InputError

MONTHS_MAX = 12
HEAD = ("seats", "months", "  readings",
        "cold s", "  cpu", "store", "  MB", "kept s", " cpu", "store", " MB",
        "compared s", " cpu", "store", " MB")
"""Seconds by the clock, processor seconds of the draft and of the store's server, memory."""

StoreCpu = Callable[[], float]

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
    days kept before, `compared` from kept days after each was compared with the store, as an
    approval does.

    Filling takes a minute or more for 350 seats. Example: seatwatt bench run --store sqlite
    """
    console = Console()
    console.print(*environment_lines(), f"{store.value}; medians of {runs}", _line(HEAD),
                  sep="\n", soft_wrap=True)
    for seats, months in _cases(cases):
        with tempfile.TemporaryDirectory(prefix="seatwatt-bench-") as name, \
                _store(store, Path(name)) as (url, store_cpu_s):
            case = Case(seats=seats, months=months, store_url=url,
                        ledger_url=f"sqlite:///{name}/ledger.db")
            # As soon as it is known: the larger cases take long.
            console.print(_line(_row(console, case, runs, store_cpu_s)), highlight=False,
                          soft_wrap=True)


def _line(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:>{len(title)}}" for cell, title in zip(cells, HEAD, strict=True))


def _row(console: Console, case: Case, runs: int, store_cpu_s: StoreCpu | None
         ) -> tuple[str, ...]:
    def drafts(kept: bool, compare: bool = False) -> tuple[str, ...]:
        before_s = store_cpu_s() if store_cpu_s else 0.0
        timed = [drafted(case, kept=kept, compare=compare) for _ in range(runs)]
        store = f"{(store_cpu_s() - before_s) / runs:.2f}" if store_cpu_s else "-"
        return (f"{statistics.median(each.seconds for each in timed):.2f}",
                f"{statistics.median(each.cpu_s for each in timed):.2f}", store,
                f"{max(each.memory_mb for each in timed):.0f}")

    with Progress(console=console, transient=True) as progress:
        task = progress.add_task(f"filling {case.seats} seats, {case.months} months", total=None)
        count = fill(case, lambda readings: progress.advance(task, readings))
        progress.update(task, description="drafting")
        shown = *drafts(kept=False), *drafts(kept=True), *drafts(kept=True, compare=True)
    return str(case.seats), str(case.months), f"{count:,}", *shown


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
def _store(store: Store, folder: Path) -> Iterator[tuple[str, StoreCpu | None]]:
    """Its address, and how to ask a server of its own for the processor time it has taken."""
    if store is Store.SQLITE:
        yield f"sqlite:///{folder}/readings.db", None
        return
    with influxd(folder) as server:
        yield f"http://127.0.0.1:{server.port}/bench", lambda: cpu_s(server.process)

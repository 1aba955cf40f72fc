"""`seatwatt apportion`: a period's energy shared out, from a site file and recordings."""

import csv
import json
import sys
from datetime import date, datetime
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from seatwatt.cli.apportion_bills import charged_of, load_papers, show_charges
from seatwatt.cli.apportion_inputs import check_exchanges, tell_unused
from seatwatt.cli.apportion_tables import show_explained, show_findings, show_parties
from seatwatt.cli.progress import Work
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import INTERVAL_LENGTHS_S, instant_ms
from seatwatt.contract.site import Site
from seatwatt.settlement.charges_document import with_charge_columns, with_charges
from seatwatt.settlement.charging import Charged
from seatwatt.settlement.document import csv_rows, document
from seatwatt.settlement.explained import explanation
from seatwatt.settlement.settle import Settlement, settle
from seatwatt.store.recording import Recording, load_recordings
from seatwatt.store.sitefiles import load_site, placed

EXAMPLE = ("seatwatt apportion --site site.yaml --readings october.ndjson.gz "
           "--from 2026-10-01 --to 2026-11-01")
WIDTH = 120
app = typer.Typer(rich_markup_mode="rich")


class Output(Enum):
    """How the result is written."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


@app.command(help="Share a period's energy out among the tenants, from files alone. "
                  f"Example: [bold]{EXAMPLE}[/bold]")
def apportion(
        site: Annotated[Path, typer.Option(help="the site file, YAML")],
        readings: Annotated[list[Path], typer.Option(
            help="a recording or CSV of readings, gzip or not; repeat for more")],
        from_: Annotated[str, typer.Option("--from", help="local date or instant, inclusive")],
        to: Annotated[str, typer.Option("--to", help="local date or instant, exclusive")],
        bill: Annotated[list[Path] | None, typer.Option(
            help="a supplier's bill, YAML; repeat for more")] = None,
        tariff: Annotated[list[Path] | None, typer.Option(
            help="prices for provisional charges where the supplier's bill is not given")] = None,
        occupancy: Annotated[Path | None, typer.Option(
            help="rates per seat and month, and waivers")] = None,
        as_json: Annotated[bool, typer.Option("--json", help="one JSON object")] = False,
        as_csv: Annotated[bool, typer.Option("--csv", help="one line a party")] = False,
        as_table: Annotated[bool, typer.Option("--table", help="tables for people (default)")
                            ] = False,
        interval: Annotated[str, typer.Option(help="another interval than the site's: 15min")] = "",
        explain: Annotated[str, typer.Option(metavar="PARTY", help="how this party's total arises")
                           ] = "") -> None:
    """Read, compute, show."""
    output = _output(as_json, as_csv, as_table)
    declared = load_site(site)
    papers = load_papers(declared, bill or [], tariff or [], occupancy)
    settlement, recording = _settle(site, declared, readings, from_, to, interval)
    charged = charged_of(settlement, recording, papers) if papers else None
    _show(settlement, charged, output, explain)


def _settle(site_file: Path, site: Site, readings: list[Path], from_: str, to: str, interval: str
            ) -> tuple[Settlement, Recording]:
    start_ms, end_ms = (_when_ms(name, text, site)
                        for name, text in (("--from", from_), ("--to", to)))
    if start_ms >= end_ms:
        raise InputError("--from", f"{from_} is not before --to {to}", "from before to")
    recording = _read(readings, site.id)
    try:
        settlement = settle(site, recording, start_ms, end_ms, _interval_s(interval))
    except InputError as error:
        raise error if interval else placed(site_file, error) from None
    check_exchanges(site_file, site, recording, settlement.grid)
    tell_unused(site, recording)
    return settlement, recording


def _read(files: list[Path], site_id: str) -> Recording:
    for file in files:
        if not file.is_file():
            raise InputError("--readings", f"{file} is not a file", "a recording or CSV")
    if not sys.stderr.isatty():
        return load_recordings(files, site_id)
    with Work("reading", sum(file.stat().st_size for file in files), "bytes") as work:
        return load_recordings(files, site_id, _Bytes(work).show)


class _Bytes:
    """Adds up what is read of each file in turn."""

    def __init__(self, work: Work) -> None:
        self._work, self._before, self._read, self._size = work, 0, 0, 0

    def show(self, read: int, size: int) -> None:
        """So much of the present file; less than last time means the next file."""
        if read < self._read:
            self._before += self._size
        self._read, self._size = read, size
        self._work.to(self._before + read)


def _show(settlement: Settlement, charged: Charged | None, output: Output, explain: str) -> None:
    explained = explanation(settlement, explain) if explain else None
    found = document(settlement)
    if charged is not None:
        found = with_charges(found, settlement, charged)
    if output is Output.JSON:
        found |= {"explain": explained} if explained else {}
        print(json.dumps(found, ensure_ascii=False, indent=1))
    elif output is Output.CSV:
        rows = csv_rows(settlement)
        rows = rows if charged is None else with_charge_columns(rows, charged)
        csv.writer(sys.stdout, lineterminator="\n").writerows(rows)
    else:
        # Off a terminal there is no width to fit into.
        console = Console(width=None if sys.stdout.isatty() else WIDTH)
        if explained:
            show_explained(console, explained)
        else:
            show_parties(console, found, settlement)
            if charged is not None:
                show_charges(console, found, charged)
            show_findings(console, found["findings"])


def _output(as_json: bool, as_csv: bool, as_table: bool) -> Output:
    if as_json + as_csv + as_table > 1:
        raise InputError("options", "several outputs are asked for", "--json, --csv or --table")
    return Output.JSON if as_json else Output.CSV if as_csv else Output.TABLE


def _when_ms(option: str, text: str, site: Site) -> int:
    when = _when(option, text)
    try:
        return instant_ms(when, site.time_zone)
    except InputError as error:
        raise InputError(option, error.problem, error.expected) from None


def _when(option: str, text: str) -> date | datetime:
    """A local date, or an instant with its offset."""
    try:
        return date.fromisoformat(text) if len(text) == 10 else _instant(text)
    except ValueError:
        raise InputError(option, f"{text!r} is not a time",
                         "2026-10-01, or 2026-10-01T08:00:00+05:00") from None


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    if instant.tzinfo is None:
        raise ValueError(text)
    return instant


def _interval_s(text: str) -> int | None:
    if not text:
        return None
    known = {f"{length_s // 60}min": length_s for length_s in INTERVAL_LENGTHS_S}
    if text not in known:
        raise InputError("--interval", f"{text!r} is not a length we know", ", ".join(known))
    return known[text]

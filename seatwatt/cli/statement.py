"""`seatwatt statement`: what tenants and accountants receive."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from seatwatt.cli.asking import ledger
from seatwatt.cli.progress import Work
from seatwatt.contract.errors import InputError
from seatwatt.ledger.runs import get_statement, list_statements, statements_of
from seatwatt.settlement.green_button import green_button
from seatwatt.settlement.statement_csv import pack, statements_csv
from seatwatt.settlement.statement_pdf import statement_pdf

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                  help="Statements of runs. Example: "
                  "[bold]seatwatt statement show 3 alpha --pdf alpha.pdf[/bold]")

RunArgument = Annotated[int, typer.Argument(metavar="RUN", help="the run's number")]


@app.command("list")
def list_(run: Annotated[int, typer.Argument(metavar="RUN", help="a run's number; 0: by party")]
          = 0,
          site: Annotated[str, typer.Option(help="with --party: the site")] = "",
          party: Annotated[str, typer.Option(help="all statements of this party")] = "") -> None:
    """List the statements of a run, or of a party. Example: seatwatt statement list 3"""
    if bool(run) == bool(site and party):
        raise InputError("statement list", "it is unclear which", "a run, or --site and --party")
    engine = ledger()
    found = list_statements(engine, run) if run else statements_of(engine, site, party)
    table = Table("run", "party", "number", "state", "totals", box=None)
    for each in found:
        document = json.loads(each.document)
        totals = ", ".join(f"{name} {total}" for name, total in document["totals"].items())
        table.add_row(str(each.run_id), each.party, document["number"] or "-", document["state"],
                      totals)
    Console().print(table)


@app.command()
def show(run: RunArgument, party: Annotated[str, typer.Argument(help="a tenant, or operator")],
         pdf: Annotated[Path | None, typer.Option(help="write one page as PDF")] = None,
         green: Annotated[Path | None, typer.Option(
             "--green-button", help="write the intervals as Green Button (ESPI)")] = None,
         as_csv: Annotated[bool, typer.Option("--csv", help="print the lines as CSV")] = False
         ) -> None:
    """Print a party's statement as JSON, or write it otherwise.

    Example: seatwatt statement show 3 alpha --pdf alpha.pdf --green-button alpha.xml
    """
    document = json.loads(get_statement(ledger(), run, party).document)
    if pdf is not None:
        _write(pdf, statement_pdf(document))
    if green is not None:
        _write(green, green_button(document))
    if as_csv:
        sys.stdout.write(statements_csv([document]))
    elif pdf is None and green is None:
        print(json.dumps(document, ensure_ascii=False, indent=1))


@app.command("pack")
def pack_(run: RunArgument,
          to: Annotated[Path, typer.Option(help="folder to write to")] = Path()) -> None:
    """Write a run's pack for the accountant: one CSV, one ZIP of PDFs.

    Example: seatwatt statement pack 3 --to october
    """
    found = [json.loads(each.document) for each in list_statements(ledger(), run)]
    if not found:
        raise InputError(f"run {run}", "it has no statements", "a run, as `run list` shows")
    site, period = found[0]["site"]["id"], found[0]["period"]
    name = f"{site}-{period['from']}-{period['to']}"
    _folder(to)
    _write(to / f"{name}.csv", statements_csv(found).encode())
    _write(to / f"{name}.zip", _packed(found))


def _packed(found: list[dict[str, Any]]) -> bytes:
    with Work("pages", len(found), "statements") as work:
        return pack(found, work.to)


def _folder(path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise InputError("--to", f"{path}: {error.strerror}", "a folder") from None


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise InputError(str(path), f"cannot be written: {error.strerror}") from None
    print(f"{path}: {len(content)} bytes")

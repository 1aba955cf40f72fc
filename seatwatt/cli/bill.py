"""`seatwatt bill`: suppliers' bills, tariffs and occupancy plans in the ledger."""

import json
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.table import Table
from sqlalchemy import Engine

from seatwatt.cli.asking import ledger, login, now_ms
from seatwatt.contract.errors import InputError
from seatwatt.ledger.papers import KINDS, get_paper, list_papers, withdraw_paper
from seatwatt.ledger.sites import load_site
from seatwatt.settlement.papers import check_document, declare_paper
from seatwatt.store.sitefiles import in_file, read_yaml

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                  help="Bills, tariffs and occupancy plans. Example: "
                  "[bold]seatwatt bill add pesco-2026-09.yaml --site workaround[/bold]")

SiteOption = Annotated[str, typer.Option("--site", help="the site they belong to")]
ByOption = Annotated[str, typer.Option("--by", help="who does it; your login by default")]
KindOption = Annotated[str, typer.Option("--kind", help="bill, tariff or occupancy")]


@app.command()
def add(files: Annotated[list[Path], typer.Argument(help="bill, tariff or occupancy files, YAML")],
        site: SiteOption, by: ByOption = "") -> None:
    """Keep files in the ledger; one of a known name becomes its next revision.

    Example: seatwatt bill add pesco-2026-09.yaml diesel-2026-09.yaml --site workaround
    """
    engine = ledger()
    load_site(engine, site)
    documents = [_checked(engine, site, file) for file in files]
    for document in documents:
        paper = declare_paper(engine, site, document, by or login(), now_ms())
        print(f"{paper.kind} {paper.name}: revision {paper.revision}")


def _checked(engine: Engine, site: str, file: Path) -> object:
    """The file's mapping; InputError with file and line, before any of the files is kept."""
    document, places = read_yaml(file)
    try:
        check_document(engine, site, document)
    except InputError as error:
        raise in_file(file, places, error) from None
    return document


@app.command("list")
def list_(site: SiteOption) -> None:
    """List what is in force. Example: seatwatt bill list --site workaround"""
    engine = ledger()
    load_site(engine, site)
    table = Table("kind", "name", "revision", "from", "to", "by", box=None)
    for kind in KINDS:
        for paper in list_papers(engine, site, kind):
            table.add_row(kind, paper.name, str(paper.revision), str(paper.from_ or ""),
                          str(paper.to or ""), paper.who)
    Console().print(table)


@app.command()
def show(name: str, site: SiteOption, kind: KindOption = "bill",
         as_json: Annotated[bool, typer.Option("--json", help="as JSON")] = False) -> None:
    """Print one as its file. Example: seatwatt bill show pesco-2026-09 --site workaround"""
    document = get_paper(ledger(), site, kind, name).document
    print(json.dumps(document, ensure_ascii=False, indent=1) if as_json else
          yaml.safe_dump(dict(document), sort_keys=False, allow_unicode=True), end="")


@app.command()
def withdraw(name: str, site: SiteOption, kind: KindOption = "bill", by: ByOption = "") -> None:
    """Take one back; what was issued with it is adjusted by the next run.

    Example: seatwatt bill withdraw pesco-2026-09 --site workaround
    """
    paper = withdraw_paper(ledger(), site, kind, name, by or login(), now_ms())
    print(f"{paper.kind} {paper.name}: withdrawn")

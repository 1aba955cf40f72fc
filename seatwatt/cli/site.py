"""`seatwatt site`: check a site file, apply it to the ledger, show what is declared."""

import time
from collections import Counter
from pathlib import Path
from typing import Annotated

import typer
import yaml
from rich.console import Console
from rich.table import Table

from seatwatt.cli.asking import ledger, login, now_ms
from seatwatt.contract.site import Site
from seatwatt.contract.sitedocument import site_document
from seatwatt.ledger.changes import Change
from seatwatt.ledger.sites import Saved, compare_site, list_sites, load_declared, save_site, trail
from seatwatt.store.sitefiles import load_site

app = typer.Typer(no_args_is_help=True, help="Declared sites. Example: "
                  "[bold]seatwatt site apply examples/workaround.yaml[/bold]",
                  rich_markup_mode="rich")

ROWS_MAX = 40
"""More changes of one kind than this are counted, not listed: nobody reads 350 new seats."""


@app.command()
def check(file: Annotated[Path, typer.Argument(help="site file (YAML)")]) -> None:
    """Read a site file, check every declaration in it and say in a line what it declares.

    Example: seatwatt site check examples/workaround.yaml
    """
    print(declares(load_site(file)))


@app.command()
def apply(file: Annotated[Path, typer.Argument(help="the site file, YAML")],
          by: Annotated[str, typer.Option(help="who changes it; your login by default")] = "",
          dry_run: Annotated[bool, typer.Option("--dry-run", help="only show it")] = False) -> None:
    """Declare a site and show what changes. Example: seatwatt site apply site.yaml --dry-run"""
    site = load_site(file)
    engine = ledger()
    if dry_run:
        _print_changes(compare_site(engine, site))
        print("nothing is written (--dry-run)")
        return
    saved = save_site(engine, site, by or login(), now_ms())
    _print_changes(saved.changes)
    print(_summary(site.id, saved))


@app.command()
def show(site_id: Annotated[str, typer.Argument(metavar="[SITE]", help="its id; none: list all")
                            ] = "",
         history: Annotated[bool, typer.Option("--history", help="who changed what and when")]
         = False) -> None:
    """Print a declared site as its site file. Example: seatwatt site show workaround > site.yaml"""
    engine = ledger()
    if not site_id:
        for head in list_sites(engine):
            print(f"{head.id}\trevision {head.revision}\t{head.name}")
        return
    declared = load_declared(engine, site_id)
    if not history:
        print(yaml.safe_dump(site_document(declared.site), sort_keys=False, allow_unicode=True),
              end="")
        return
    after = 0
    while entries := trail(engine, site_id, limit=500, after_id=after):
        for entry in entries:
            at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(entry.at_ms // 1000))
            change = entry.change
            print(f"{at}  {entry.who}  revision {entry.revision}  {change.action} {change.kind} "
                  f"{change.name}  {'; '.join(change.differences())}".rstrip())
        after = entries[-1].id


def declares(site: Site) -> str:
    """What a site declares, in one line."""
    seats = sum(len(zone.seats) for zone in site.zones)
    sources = [node.source for node in site.nodes if node.source]
    return (f"{site.id}: right; {len(site.zones)} zones, {seats} seats, {len(site.nodes)} meters "
            f"({', '.join(sources) or 'no source'}), {len(site.tenants)} tenants, "
            f"{len(site.leases)} leases, {len(site.bookings)} bookings, "
            f"{site.interval_s // 60} min intervals in {site.time_zone.key}")


def _summary(site_id: str, saved: Saved) -> str:
    if not saved.changes:
        return f"site {site_id}: nothing changed, revision {saved.revision}"
    return f"site {site_id}: {len(saved.changes)} changes, now revision {saved.revision}"


def _print_changes(changes: tuple[Change, ...]) -> None:
    if not changes:
        return
    table = Table("", "what", "name", "how", box=None)
    counts = Counter((change.action, change.kind) for change in changes)
    for (action, kind), count in counts.items():
        if count > ROWS_MAX:
            table.add_row(action, kind, f"{count} of them", "")
    for change in changes:
        if counts[change.action, change.kind] <= ROWS_MAX:
            table.add_row(change.action, change.kind, change.name,
                          "; ".join(change.differences()))
    Console().print(table)

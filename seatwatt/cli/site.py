"""`seatwatt site`: what a site file says, and whether it may be said."""

from pathlib import Path
from typing import Annotated

import typer

from seatwatt.contract.site import Site
from seatwatt.store.sitefiles import load_site

app = typer.Typer(no_args_is_help=True,
                  help="Site files. Example: seatwatt site check examples/workaround.yaml")


@app.callback()
def _commands() -> None:
    """Keeps `check` a subcommand although it is the only one."""


@app.command()
def check(file: Annotated[Path, typer.Argument(help="site file (YAML)")]) -> None:
    """Read a site file, check every declaration in it and say in a line what it declares.

    Example: seatwatt site check examples/workaround.yaml
    """
    print(summary(load_site(file)))


def summary(site: Site) -> str:
    """What a site declares, in one line."""
    seats = sum(len(zone.seats) for zone in site.zones)
    sources = [node.source for node in site.nodes if node.source]
    return (f"{site.id}: right; {len(site.zones)} zones, {seats} seats, {len(site.nodes)} meters "
            f"({', '.join(sources) or 'no source'}), {len(site.tenants)} tenants, "
            f"{len(site.leases)} leases, {len(site.bookings)} bookings, "
            f"{site.interval_s // 60} min intervals in {site.time_zone.key}")

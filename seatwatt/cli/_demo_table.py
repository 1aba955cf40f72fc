"""The demo's table: what each party carries of a month, and that it adds up to the supply."""

from rich.console import Console

from seatwatt.cli.apportion_tables import show_settlement
from seatwatt.settlement.settle import Settlement

WIDTH = 120


def print_month(settlement: Settlement) -> None:
    """Print direct, shared, unaccounted and total kWh of every party, and the balance."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    show_settlement(console, settlement)
    result = settlement.apportionment
    parties, supply = int(result.energy_milliwh.sum()), int(result.supply_milliwh.sum())
    sources = ", ".join(f"{source} {_kwh(int(row.sum()))}" for source, row in
                        zip(result.sources, result.supply_milliwh, strict=True))
    equal = "equal to" if parties == supply else "NOT equal to"
    console.print(f"All parties together carry {_kwh(parties)} kWh, {equal} the supply: {sources}.",
                  soft_wrap=True, highlight=False)


def _kwh(milliwh: int) -> str:
    return f"{milliwh / 1e6:,.6f}"

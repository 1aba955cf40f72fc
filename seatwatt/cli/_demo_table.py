"""The demo's table: what each party carries of a month, and that it adds up to the supply."""

from datetime import date

from rich.console import Console
from rich.table import Table

from seatwatt.contract.leasetimes import local_date
from seatwatt.settlement.settle import Settlement


def print_month(settlement: Settlement) -> None:
    """Print direct, shared, unaccounted and total kWh of every party, and the balance."""
    result, site = settlement.apportionment, settlement.site
    names = {tenant.id: tenant.name or tenant.id for tenant in site.tenants}
    columns = [array.sum(axis=0) for array in (
        result.direct_milliwh, result.shared_milliwh, result.unaccounted_milliwh,
        result.energy_milliwh)]
    table = Table(title=f"{site.name}: {_month(settlement)}", title_justify="left",
                  show_footer=True)
    table.add_column("tenant", footer="sum")
    for name, values in zip(("direct", "shared", "unaccounted", "total kWh"), columns,
                            strict=True):
        table.add_column(name, footer=kwh(int(values.sum())), justify="right")
    for party in result.involved():
        at = result.parties.index(party)
        table.add_row(names.get(party, party), *(kwh(int(values[at])) for values in columns))
    console = Console(width=None if Console().is_terminal else 100)
    console.print(table)
    parties, supply = int(columns[3].sum()), int(result.supply_milliwh.sum())
    sources = ", ".join(f"{source} {kwh(int(row.sum()))}" for source, row in
                        zip(result.sources, result.supply_milliwh, strict=True))
    equal = "equal to" if parties == supply else "NOT equal to"
    console.print(f"The sum of all parties, {kwh(parties)} kWh, is {equal} the supply: {sources}.",
                  soft_wrap=True)
    blocking = sum(finding.blocks for finding in result.findings)
    console.print(f"{len(result.findings)} findings, {blocking} of them block a statement.")


def kwh(milliwh: int) -> str:
    """Kilowatt-hours to the watt-hour: 12,345.678."""
    return f"{milliwh / 1e6:,.3f}"


def _month(settlement: Settlement) -> str:
    first: date = local_date(settlement.grid.start_ms, settlement.grid.zone)
    return first.strftime("%B %Y")

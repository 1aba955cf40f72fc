"""A settlement for people at a terminal; energies in kWh, nothing rounded away."""

from collections import Counter
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table

from seatwatt.settlement.document import document
from seatwatt.settlement.settle import Settlement

SMALLEST_WH = 0.001
ALIKE_MAX = 3
"""Findings of one rule and meter that a table shows before it counts them."""


def show_settlement(console: Console, settlement: Settlement) -> None:
    """Parties with their energies, the sum equal to the supply; then the findings."""
    found = document(settlement)
    show_parties(console, found, settlement)
    show_findings(console, found["findings"])


def show_parties(console: Console, found: dict[str, Any], settlement: Settlement) -> None:
    """Parties with their energies, the sum equal to the supply."""
    console.print(_parties(found, settlement))


def show_explained(console: Console, found: dict[str, Any]) -> None:
    """One party's seats, nodes and unaccounted energy: the lines add up to its total."""
    console.print(_seats(found))
    console.print(_nodes(found))
    for row in found["exchanges"]:
        _line(console, f"exchange {row['meter']} {row['at']}: the old meter ended at "
                       f"{kwh(row['final_wh'])}, the new one began at {kwh(row['initial_wh'])}")
    show_findings(console, found["findings"])


def show_findings(console: Console, findings: list[dict[str, Any]]) -> None:
    """What the rules found, a line each: all that block, of the others the first few of a kind."""
    told: Counter[tuple[str, str]] = Counter()
    for row in findings:
        if not row["blocks"]:
            told[row["rule"], row["meter"]] += 1
            if told[row["rule"], row["meter"]] > ALIKE_MAX:
                continue
        blocks = " BLOCKS ISSUING" if row["blocks"] else ""
        _line(console, f"{row['rule']} {row['meter']} {row['from']}: {row['detail']}{blocks}")
    for (rule, meter), count in told.items():
        if count > ALIKE_MAX:
            _line(console, f"{rule} {meter}: {count} findings in all; --json lists each")


def _line(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def kwh(value_wh: float) -> str:
    """Wh as kWh, exactly."""
    return f"{value_wh / 1000:,.6f}"


def _table(title: str, first: str, footer: str) -> Table:
    table = Table(title=title, title_justify="left", box=box.SIMPLE, show_footer=True)
    table.add_column(first, footer)
    return table


def _parties(found: dict[str, Any], settlement: Settlement) -> Table:
    title = f"{settlement.site.name}: {found['from']} to {found['to']}, kWh"
    table, result = _table(title, "party", "sum = supply"), settlement.apportionment
    table.columns[0].no_wrap = True
    columns = [("direct", "direct_wh", result.direct_milliwh),
               ("shared", "shared_wh", result.shared_milliwh),
               ("unaccounted", "unaccounted_wh", result.unaccounted_milliwh),
               ("total", "energy_wh", result.energy_milliwh)]
    if result.estimated_milliwh.any():  # without it the table fits eighty columns
        columns.append(("estimated", "estimated_wh", result.estimated_milliwh))
    for name, _, milliwh in columns:
        table.add_column(name, kwh(int(milliwh.sum()) / 1000), justify="right", no_wrap=True)
    for party, row in found["parties"].items():
        table.add_row(party, *(kwh(row[key]) for _, key, _ in columns))
    return table


def _seats(found: dict[str, Any]) -> Table:
    table = _table(f"{found['party']}: {found['from']} to {found['to']}, kWh", "seat", "direct")
    if not all(map(_continuous, found["seats"])):
        table.caption = ("* not closing less opening: the register was exchanged, or did not "
                         "simply rise, see below")
        table.caption_justify = "left"
    for name, footer in (("opening", ""), ("closing", ""), ("seat took", ""), ("held h", ""),
                         ("its part", kwh(found["direct_wh"])),
                         ("estimated", kwh(found["estimated_wh"]))):
        table.add_column(name, footer, justify="right", no_wrap=True)
    for line in found["seats"]:
        table.add_row(line["seat"], _register(line["opening"]), _register(line["closing"]),
                      kwh(line["seat_wh"]) + ("" if _continuous(line) else " *"),
                      f"{line['held_s'] / 3600:,.2f}",
                      kwh(line["energy_wh"]), kwh(line["estimated_wh"]))
    return table


def _continuous(line: dict[str, Any]) -> bool:
    """Whether a seat took what its register rose by, as far as both ends are known."""
    if line["opening"] is None or line["closing"] is None:
        return True
    rose_wh = float(line["closing"]["register_wh"] - line["opening"]["register_wh"])
    return abs(rose_wh - float(line["seat_wh"])) < SMALLEST_WH / 2


def _nodes(found: dict[str, Any]) -> Table:
    table = _table("", "shared, and unaccounted at the supply",
                   "shared\nunaccounted\ntotal = direct + shared + unaccounted")
    totals = "\n".join(kwh(found[name]) for name in ("shared_wh", "unaccounted_wh", "energy_wh"))
    table.add_column("its part", totals, justify="right", no_wrap=True)
    table.caption = ("Shared interval by interval: the weights are sums over the intervals, so a "
                     "part is about, not exactly, its percentage")
    table.caption_justify = "left"
    for line in (*found["nodes"], *found["unaccounted"]):
        table.add_row(_node_text(line), kwh(line["energy_wh"]))
    return table


def _node_text(line: dict[str, Any]) -> str:
    other = "" if line["rule"] == line["declared_rule"] else (
        f", where {line['declared_rule']} found no weight" if line["declared_rule"] != "bookings"
        else ", where nobody booked")
    registers = "" if line["opening"] is None and line["closing"] is None else (
        f" from {_register(line['opening'])} to {_register(line['closing'])},")
    residual = (f"of it {kwh(line['residual_wh'])} by no meter below it"
                if line["residual_wh"] >= 0 else
                f"the meters below it read {kwh(-line['residual_wh'])} more")
    return (f"{line['node']}:{registers} read {kwh(line['own_wh'])}\n  {residual}\n"
            f"  of that {kwh(line['part_wh'])} "
            + (f"the operator's{other}" if line["rule"] == "operator" else
               f"shared by {line['rule']}{other}\n  weight {_weight_text(line)}"))


def _weight_text(line: dict[str, Any]) -> str:
    """The party's weight among all: times in hours, energies in kWh, areas as a percentage."""
    weight, weights, unit = line["weight"], line["weights"], line["weight_unit"]
    percent = f"{100 * weight / weights:.2f} %"
    if line["rule"] == "area":
        return f"{percent} by area of seats held"
    if unit.startswith("ms of"):
        return f"{weight / 3.6e6:,.2f} of {weights / 3.6e6:,.2f} h{unit[2:]}, {percent}"
    if unit.startswith("mWh"):
        return f"{kwh(weight / 1000)} of {kwh(weights / 1000)} kWh{unit[3:]}, {percent}"
    return f"{weight:,} of {weights:,} {unit}, {percent}"


def _register(register: dict[str, Any] | None) -> str:
    if register is None:
        return "-"
    mark = "" if register["quality"] == "measured" else " e"
    return f"{kwh(register['register_wh'])}{mark}"

"""`seatwatt run`: a period of a site computed, reviewed, issued."""

import json
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from seatwatt.cli.asking import ledger, mark, period_of
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import to_ms
from seatwatt.ledger.hand_readings import HandReading, add_hand_reading
from seatwatt.ledger.runs import Run, get_run, list_runs, list_statements, reopen_run
from seatwatt.ledger.sites import load_site
from seatwatt.settings import StoreSettings
from seatwatt.settlement import runs
from seatwatt.store.open import open_reader

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                  help="Runs: draft, approve, issue. Example: "
                  "[bold]seatwatt run draft --site workaround --month 2026-10[/bold]")

OF_THE_WHOLE = ("B02", "B03", "B04")
"""Findings about the whole period that are shown one by one, up to SHOWN_MAX."""
SHOWN_MAX = 10

ByOption = Annotated[str, typer.Option("--by", help="who does it; your login by default")]
RunArgument = Annotated[int, typer.Argument(metavar="RUN", help="its number, as `list` shows it")]
SiteOption = Annotated[str, typer.Option("--site", help="the site")]
JsonOption = Annotated[bool, typer.Option("--json", help="the whole run as JSON")]


@app.command()
def draft(site: SiteOption,
          month: Annotated[str, typer.Option(help="a calendar month, such as 2026-10")] = "",
          from_: Annotated[str, typer.Option("--from", help="first local day")] = "",
          to: Annotated[str, typer.Option("--to", help="local day after the last")] = "",
          look_back: Annotated[int, typer.Option(
              min=0, help="issued runs that are looked at again for adjustments")] = runs.LOOK_BACK,
          compare: Annotated[bool, typer.Option(
              "--compare", help="compare every kept day with the store first, as is done each "
              "night and before an approval: for a store that another program corrected")] = False,
          by: ByOption = "", as_json: JsonOption = False) -> None:
    """Compute a period as things stand now and keep it as its draft.

    Example: seatwatt run draft --site workaround --month 2026-10
    """
    period = period_of(month, from_, to)
    reader = open_reader(StoreSettings.load())
    run = runs.draft(ledger(), reader, site, period, mark(by), look_back, compare)
    _show(run, as_json)


@app.command("list")
def list_(site: SiteOption) -> None:
    """List a site's runs, the newest first. Example: seatwatt run list --site workaround"""
    table = Table("run", "from", "to", "state", "draft", "digest", "totals", box=None)
    engine = ledger()
    load_site(engine, site)
    for run in list_runs(engine, site):
        table.add_row(str(run.id), str(run.from_), str(run.to), run.state, str(run.revision),
                      run.digest[:12], _sums(json.loads(run.document)["totals"].values()))
    Console().print(table)


@app.command()
def show(run: RunArgument, as_json: JsonOption = False) -> None:
    """Show a run: totals, and what must be settled. Example: seatwatt run show 3"""
    _show(get_run(ledger(), run), as_json)


@app.command()
def approve(run: RunArgument, by: ByOption = "",
            digest: Annotated[str, typer.Option(help="of the draft that was reviewed")] = ""
            ) -> None:
    """A draft is right: it follows late data no longer. Refused when readings changed in the store
    since it was drafted. Example: seatwatt run approve 3"""
    reader = open_reader(StoreSettings.load())
    done = runs.approve(ledger(), reader, run, mark(by), digest or None)
    print(f"run {done.id}: {done.state}")


@app.command()
def reopen(run: RunArgument) -> None:
    """An approved run is a draft again. Example: seatwatt run reopen 3"""
    done = reopen_run(ledger(), run)
    print(f"run {done.id}: {done.state}")


@app.command()
def issue(run: RunArgument, by: ByOption = "") -> None:
    """Number and freeze the statements of an approved run. Example: seatwatt run issue 3"""
    engine = ledger()
    done = runs.issue(engine, run, mark(by))
    numbers = [json.loads(each.document)["number"] for each in list_statements(engine, run)]
    print(f"run {done.id}: {done.state}, {len(numbers)} statements, {numbers[0]} to {numbers[-1]}")


@app.command()
def verify(run: RunArgument) -> None:
    """Compute a run again from its recorded inputs and compare byte for byte.

    Example: seatwatt run verify 3
    """
    engine = ledger()
    again = runs.reproduce(engine, run)
    differ = [each.party for each in list_statements(engine, run)
              if again[each.party] != each.document]
    if differ:
        raise InputError(f"run {run}", f"it comes out otherwise for {', '.join(differ)}",
                         "the version of Seatwatt that computed it")
    print(f"run {run}: {len(again)} statements come out the same, byte for byte")


@app.command()
def reading(site: SiteOption,
            device: Annotated[str, typer.Argument(help="kind/zone/device, or zone/device")],
            at: Annotated[str, typer.Argument(help="2026-10-01T00:00:00+05:00")],
            register_wh: Annotated[str, typer.Argument(help="what the register showed, in Wh")],
            reason: Annotated[str, typer.Option(help="why no device left a reading")],
            quantity: Annotated[str, typer.Option(help="another register than the import's")] = "",
            by: ByOption = "") -> None:
    """Record a reading taken or estimated by hand; the next draft uses it.

    Example: seatwatt run reading --site workaround seat/hall-a/017 2026-10-01T00:00:00+05:00
    412387.5 --reason "sensor died"
    """
    engine, done = ledger(), mark(by)
    named = Device.parse(device, kind="meter")
    _check_device(named, load_site(engine, site))
    add_hand_reading(engine, HandReading(
        site=site, device=named, taken_at_ms=_instant_ms(at), register_wh=_decimal(register_wh),
        quantity=quantity or ("energy" if named.kind == "seat" else "energy_import"),
        reason=reason, at_ms=done.at_ms, who=done.who))
    print(f"reading of {named} recorded; draft the period anew")


def _show(run: Run, as_json: bool) -> None:
    document = json.loads(run.document)
    if as_json:
        print(json.dumps({"run": run.id, "state": run.state, **document}, ensure_ascii=False,
                         indent=1))
        return
    console = Console()
    console.print(f"run {run.id}: {run.site} {run.from_} to {run.to}, {run.state}, draft "
                  f"{run.revision}, digest {run.digest[:12]}", highlight=False)
    table = Table("party", "kWh", "to pay", box=None)
    for party, total in document["totals"].items():
        energy = document["parties"].get(party, {}).get("energy_wh", 0.0)
        table.add_row(party, f"{energy / 1000:,.6f}", _sums([total]))
    table.add_row("sum", "", _sums(document["totals"].values()))
    console.print(table)
    for bill in document["bills"]:
        mark_ = " PROVISIONAL" if bill["provisional"] else ""
        console.print(f"bill {bill['bill']}: {bill['currency']} {bill['payable']}{mark_}",
                      highlight=False)
    if document["adjustments"]:
        console.print(f"{len(document['adjustments'])} adjustment lines of issued runs")
    for row in document["blocking"]:
        _tell(console, f"{_words(row)} BLOCKS ISSUING")
    others = [row for row in document["findings"] if not row["blocks"]]
    shown = [row for row in others if row["rule"] in OF_THE_WHOLE][:SHOWN_MAX]
    for row in shown:
        _tell(console, _words(row))
    if len(others) > len(shown):
        _tell(console, f"{len(others) - len(shown)} more findings, which block nothing: see --json")


def _words(row: dict[str, Any]) -> str:
    return f"{row['rule']} {row['meter']} {row['from']}: {row['detail']}"


def _tell(console: Console, text: str) -> None:
    console.print(text, markup=False, highlight=False, soft_wrap=True)


def _sums(totals: "Iterable[dict[str, str]]") -> str:
    sums: dict[str, Decimal] = {}
    for total in totals:
        for currency, amount in total.items():
            sums[currency] = sums.get(currency, Decimal(0)) + Decimal(amount)
    return ", ".join(f"{currency} {amount:,}" for currency, amount in sums.items())


def _check_device(device: Device, site: Any) -> None:
    seats = {Device("seat", zone.name, seat) for zone in site.zones for seat in zone.seats}
    if device not in seats and device not in {node.device for node in site.nodes if node.metered}:
        raise InputError("device", f"site {site.id} has no {device}", "a metered node or a seat")


def _instant_ms(text: str) -> int:
    try:
        return to_ms(datetime.fromisoformat(text))
    except ValueError:
        raise InputError("at", f"{text!r} is not a time", "2026-10-01T00:00:00+05:00") from None


def _decimal(text: str) -> Decimal:
    try:
        return Decimal(text)
    except InvalidOperation:
        raise InputError("register_wh", f"{text!r} is not a number", "such as 412387.5") from None

"""`seatwatt key`: make, list and revoke API keys at the ledger itself."""

import time
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from seatwatt.api.access import Role
from seatwatt.api.keys import make_key
from seatwatt.api.users import check_scope
from seatwatt.cli.asking import login
from seatwatt.ledger.deeds import Deed, note
from seatwatt.ledger.keys import list_keys, revoke_key
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.sites import load_site
from seatwatt.settings import LedgerSettings

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="API keys. Example: "
                  "[bold]seatwatt key add accountant --role billing[/bold]")

_DAY_MS = 86_400_000


@app.command()
def add(name: Annotated[str, typer.Argument(help="whose key it is")],
        role: Annotated[Role, typer.Option(help="what it may do")],
        site: Annotated[str, typer.Option(help="limit it to one site; a tenant's needs it")] = "",
        tenant: Annotated[str, typer.Option(help="for role tenant: which")] = "",
        days: Annotated[int, typer.Option(min=0, help="it expires after so many; 0: never")] = 0
        ) -> None:
    """Make a key and print its secret, this once.

    Example: seatwatt key add "Alpha Contact" --role tenant --site workaround --tenant alpha
    """
    engine = open_engine(LedgerSettings.load())
    tenants = [each.id for each in load_site(engine, site).tenants] if site else []
    check_scope(role, site or None, tenant or None, tenants)
    now_ms = _now_ms()
    made = make_key(engine, name=name, role=role, site=site or None, tenant=tenant or None,
                    created_by=login(), now_ms=now_ms,
                    expires_at_ms=now_ms + days * _DAY_MS if days else None)
    print(made.secret)


@app.command("list")
def list_() -> None:
    """List all keys, without their secrets. Example: seatwatt key list"""
    table = Table("id", "name", "role", "site", "tenant", "made (UTC)", "expires", "revoked",
                  box=None)
    for key in list_keys(open_engine(LedgerSettings.load())):
        table.add_row(key.id, key.name, key.role, key.site_id or "", key.tenant or "",
                      _day(key.created_at_ms), _day(key.expires_at_ms), _day(key.revoked_at_ms))
    Console().print(table)


@app.command()
def revoke(key_id: Annotated[str, typer.Argument(metavar="ID")]) -> None:
    """End a key for ever. Example: seatwatt key revoke 3f9a0c1b22d4"""
    engine, now_ms = open_engine(LedgerSettings.load()), _now_ms()
    key = revoke_key(engine, key_id, now_ms)
    note(engine, Deed(at_ms=now_ms, who=login(), action="revoked the key", subject=key.id,
                      site=key.site_id, detail=f"{key.name}, role {key.role}"))
    print(f"key {key.id} ({key.name}) opens nothing any more")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _day(at_ms: int | None) -> str:
    return "" if at_ms is None else datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d")

"""`seatwatt user`: let people log in to the console, or no longer."""

import sys
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from seatwatt.api import users
from seatwatt.api.access import Role
from seatwatt.api.passwords import one_time_password
from seatwatt.cli.asking import ledger, login, now_ms
from seatwatt.contract.errors import InputError
from seatwatt.ledger.deeds import list_deeds
from seatwatt.ledger.sites import load_site
from seatwatt.ledger.users import list_users

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich", help="People who log in to the "
                  "console. Example: [bold]seatwatt user add ayesha --role billing[/bold]")

Name = Annotated[str, typer.Argument(help="as typed at the log-in: a-z, 0-9, . _ @ -")]
Ask = Annotated[bool, typer.Option(
    "--ask", help="ask for the password (a line of standard input when that is no terminal) "
                  "instead of making one")]
Keep = Annotated[bool, typer.Option(
    "--keep", help="with --ask: the password is the user's own and need not be changed")]
By = Annotated[str, typer.Option(help="who says so, for the trail; your login by default")]


@app.command()
def add(name: Name, role: Annotated[Role, typer.Option(help="what it may do")],
        site: Annotated[str, typer.Option(help="limit it to one site; a tenant's needs it")] = "",
        tenant: Annotated[str, typer.Option(help="for role tenant: which")] = "",
        ask: Ask = False, keep: Keep = False, by: By = "") -> None:
    """Add a user and print a password, this once; it must be changed at the first log-in.

    Example: seatwatt user add ayesha --role tenant --site workaround --tenant bolan-care
    """
    engine = ledger()
    tenants = [each.id for each in load_site(engine, site).tenants] if site else []
    users.check_scope(role, site or None, tenant or None, tenants)
    password = _password(ask, keep)
    users.make_user(engine, name=name, role=role, site=site or None, tenant=tenant or None,
                    password=password, one_time=not keep, by=by or login(), now_ms=now_ms())
    _tell(password, ask)


@app.command("list")
def list_() -> None:
    """List all users. Example: seatwatt user list"""
    table = Table("name", "role", "site", "tenant", "added (UTC)", "by", "state", box=None)
    for user in list_users(ledger()):
        state = "disabled" if user.disabled_at_ms is not None else (
            "to change the password" if user.must_change else "")
        table.add_row(user.name, user.role, user.site_id or "", user.tenant or "",
                      _minute(user.created_at_ms), user.created_by, state)
    Console().print(table)


@app.command()
def disable(name: Name, by: By = "") -> None:
    """End a user's sessions and let it in no more. Example: seatwatt user disable ayesha"""
    user = users.disable(ledger(), name, by=by or login(), now_ms=now_ms())
    print(f"{user.name} is logged out and cannot log in")


@app.command()
def enable(name: Name, by: By = "") -> None:
    """Let a disabled user in again. Example: seatwatt user enable ayesha"""
    user = users.enable(ledger(), name, by=by or login(), now_ms=now_ms())
    print(f"{user.name} may log in")


@app.command()
def password(name: Name, ask: Ask = False, keep: Keep = False, by: By = "") -> None:
    """Give a user another password and print it, this once; its sessions end.

    Example: seatwatt user password ayesha
    """
    given = _password(ask, keep)
    users.give_password(ledger(), name, given, one_time=not keep, by=by or login(),
                        now_ms=now_ms())
    _tell(given, ask)


@app.command()
def trail(limit: Annotated[int, typer.Option(min=1, max=10_000, help="at most so many")] = 50
          ) -> None:
    """Show who logged in, and who changed users and keys, newest first.

    Example: seatwatt user trail --limit 20
    """
    table = Table("at (UTC)", "who", "what", "whom or what", "detail", box=None)
    for deed in list_deeds(ledger(), limit):
        table.add_row(_minute(deed.at_ms), deed.who, deed.action, deed.subject, deed.detail)
    Console().print(table)


def _password(ask: bool, keep: bool) -> str:
    if keep and not ask:
        raise InputError("--keep", "a password that is printed is not the user's own", "--ask")
    if not ask:
        return one_time_password()
    if sys.stdin.isatty():
        asked: str = typer.prompt("password", hide_input=True, confirmation_prompt=True, err=True)
        return asked
    return sys.stdin.readline().rstrip("\r\n")


def _tell(given: str, asked: bool) -> None:
    if not asked:
        print(given)


def _minute(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M")

"""`seatwatt provision`: certificates, passwords and access lists of the broker and its clients."""

import os
import pwd
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from seatwatt.provision import accounts
from seatwatt.provision.access import INGEST, OPERATOR, Account
from seatwatt.provision.access import gateway as gateway_account
from seatwatt.provision.broker import BrokerPlan
from seatwatt.provision.folder import ProvisionFolder

app = typer.Typer(no_args_is_help=True, rich_markup_mode="rich",
                  help="Who may talk to the broker. Example: "
                  "[bold]seatwatt provision broker --out secrets --host broker.local[/bold]")

SOON_DAYS = 30
_RELOAD = "tell a running broker: kill -HUP its process"

OutOption = Annotated[Path, typer.Option("--out", metavar="DIR",
                                         help="folder of authority, broker and all clients")]
AtOption = Annotated[str, typer.Option(help="where the client's folder will lie when it is used, "
                                            "if elsewhere")]
RotateOption = Annotated[bool, typer.Option("--rotate", help="make a new password and certificate")]


@app.command()
def broker(
        out: OutOption,
        host: Annotated[list[str] | None, typer.Option(
            help="name or address clients reach it by, repeatable; the first is what they are told"
        )] = None,
        port: Annotated[int | None, typer.Option(help="for gateways, TLS; 8883")] = None,
        bind: Annotated[str | None, typer.Option(help="address of that port; all")] = None,
        services_port: Annotated[int | None, typer.Option(
            help="for ingest and operators, TLS; 8884")] = None,
        services_bind: Annotated[str | None, typer.Option(
            help="address of that port; 127.0.0.1")] = None,
        plain_port: Annotated[int | None, typer.Option(
            help="one more for ingest and operators without TLS, on 127.0.0.1; 0: none")] = None,
        client_certificates: Annotated[bool | None, typer.Option(
            help="whether clients must show a certificate beside their password; they must")]
        = None,
        at: Annotated[str | None, typer.Option(
            help="where DIR/broker will lie when it is used, if elsewhere")] = None,
        data: Annotated[str | None, typer.Option(help="the broker's own data; in its folder")]
        = None,
        user: Annotated[str | None, typer.Option(
            help="who the broker runs as, when started by root; mosquitto, where there is one")]
        = None,
        rotate: Annotated[bool, typer.Option("--rotate", help="make a new server certificate")]
        = False) -> None:
    """Make a certificate authority, a server certificate and mosquitto's configuration.

    Run again it keeps what is there; options not given stay as they were. Example:
    seatwatt provision broker --out secrets --host broker.local --host 192.0.2.7
    """
    folder = ProvisionFolder(out)
    plan = folder.plan() or BrokerPlan(at=str(folder.broker), data=str(folder.broker / "data"),
                                       runs_as=_default_user())
    given: dict[str, Any] = {"hosts": tuple(host) if host else None, "port": port, "bind": bind,
             "services_port": services_port, "services_bind": services_bind, "at": at,
             "plain_port": plain_port, "client_certificates": client_certificates, "runs_as": user,
             "data": data if data or not at else f"{at}/data"}
    plan = replace(plan, **{name: value for name, value in given.items() if value is not None})
    made = accounts.provision_broker(folder, plan, _now(), rotate=rotate)
    _say("server certificate", made)
    print(f"keep {folder.ca} away from the broker: whoever has it can let anybody in\n"
          f"start: mosquitto -c {plan.at}/mosquitto.conf")


@app.command()
def gateway(site: str, zone: str, name: Annotated[str, typer.Argument(metavar="GATEWAY")],
            out: OutOption, at: AtOption = "", rotate: RotateOption = False) -> None:
    """Let one gateway of one site in. Example:
    seatwatt provision gateway peshawar plant gw-1 --out secrets
    """
    _client(out, gateway_account(site, zone, name), at, rotate)


@app.command()
def ingest(out: OutOption, at: AtOption = "", rotate: RotateOption = False) -> None:
    """Let ingest in: it reads every site and writes receipts. Example:
    seatwatt provision ingest --out secrets
    """
    _client(out, INGEST, at, rotate)


@app.command()
def operator(out: OutOption, at: AtOption = "", rotate: RotateOption = False) -> None:
    """Let people in, for `record`, `replay`, `simulate` and `quarantine replay`. Example:
    seatwatt provision operator --out secrets
    """
    _client(out, OPERATOR, at, rotate)


@app.command()
def revoke(account: str, out: OutOption) -> None:
    """Let an account in no more. Example:
    seatwatt provision revoke gateway.peshawar.plant.gw-1 --out secrets
    """
    accounts.revoke(ProvisionFolder(out), account)
    print(f"{account} is let in no more; {_RELOAD}")


@app.command("list")
def list_(out: OutOption) -> None:
    """List the accounts and when their certificates end. Example:
    seatwatt provision list --out secrets
    """
    table = Table("account", "certificate ends (UTC)", box=None)
    for name, expires in accounts.listed(ProvisionFolder(out)):
        table.add_row(name, f"{expires:%Y-%m-%d}" if expires else "not kept here")
    Console().print(table)


def _client(out: Path, who: Account, at: str, rotate: bool) -> None:
    made = accounts.provision_client(ProvisionFolder(out), who, _now(), at=at, rotate=rotate)
    _say(who.name, made)
    if made.password:
        print(f"password, shown this once: {made.password}\n"
              f"settings: {made.folder / 'client.env'}\n{_RELOAD}")


def _say(what: str, made: accounts.Made) -> None:
    done = "made" if made.is_new else "there already, kept (--rotate makes a new one)"
    print(f"{what}: {done}: {made.folder}")
    if made.expires:
        days = (made.expires - _now()).days
        soon = f": soon, in {max(days, 0)} days; --rotate" if days < SOON_DAYS else ""
        print(f"certificate ends {made.expires:%Y-%m-%d %H:%M} UTC{soon}")


def _default_user() -> str:
    """Started by root mosquitto drops to this user, and must still read its files."""
    if os.geteuid() == 0:
        with suppress(KeyError):
            return pwd.getpwnam("mosquitto").pw_name
    return ""


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251  # a root reads the clock

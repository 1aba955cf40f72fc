"""The console command `seatwatt`: composition roots, one file a command.

COMMANDS maps a name to the module that holds it, imported only when it is asked for. Each module
has an `app: typer.Typer`; one with a single command and no callback is that command itself.
"""

import importlib
import sys
from typing import NoReturn

import typer
from rich.console import Console
from rich.table import Table
from typer._click.exceptions import NoArgsIsHelpError, UsageError

from seatwatt import __version__
from seatwatt.contract.errors import SeatwattError

COMMANDS: dict[str, tuple[str, str]] = {
    "demo": ("seatwatt.cli.demo", "run everything in one process on embedded parts"),
    "apportion": ("seatwatt.cli.apportion", "share a period's energy out from files"),
    "bill": ("seatwatt.cli.bill", "keep suppliers' bills, tariffs and occupancy plans"),
    "run": ("seatwatt.cli.run", "draft, approve and issue a period"),
    "statement": ("seatwatt.cli.statement", "print, export and pack statements"),
    "site": ("seatwatt.cli.site", "apply, show or check a site file"),
    "gateway": ("seatwatt.cli.gateway", "read a site's devices and publish what they say"),
    "ingest": ("seatwatt.cli.ingest", "take readings from the broker into the store"),
    "api": ("seatwatt.cli.api", "serve the API and its scheduled jobs"),
    "key": ("seatwatt.cli.key", "make, list and revoke API keys"),
    "user": ("seatwatt.cli.user", "let people log in to the console, or no longer"),
    "simulate": ("seatwatt.cli.simulate", "publish a simulated site"),
    "import": ("seatwatt.cli.importer", "turn a public data set into a recording"),
    "record": ("seatwatt.cli.record", "write what the broker carries to a recording"),
    "replay": ("seatwatt.cli.replay", "publish a recording"),
    "event": ("seatwatt.cli.event", "mark maintenance on the dashboards"),
    "quarantine": ("seatwatt.cli.quarantine", "list, show or replay refused messages"),
    "provision": ("seatwatt.cli.provision", "make certificates and accounts of the broker"),
    "backup": ("seatwatt.cli.backup", "save ledger and embedded store while they are used"),
    "restore": ("seatwatt.cli.restore", "bring ledger and embedded store back from a backup"),
    "settings": ("seatwatt.cli.settings", "print every setting with its default and meaning"),
    "bench": ("seatwatt.cli.bench", "measure speed and print it with the environment"),
}


def main() -> None:
    """Run the command named first; a SeatwattError is one line on standard error, status 2."""
    arguments = sys.argv[1:]
    if not arguments or arguments[0] in ("--help", "-h"):
        _overview()
    elif arguments[0] == "--version":
        print(__version__)
    elif arguments[0] not in COMMANDS:
        _fail(f"{arguments[0]!r} is not a command; expected one of {', '.join(COMMANDS)}")
    else:
        _run(arguments[0], arguments[1:])


def _run(name: str, arguments: list[str]) -> None:
    try:
        app: typer.Typer = importlib.import_module(COMMANDS[name][0]).app
        sys.exit(app(arguments, prog_name=f"seatwatt {name}", standalone_mode=False))
    except SeatwattError as error:
        _fail(str(error))
    except NoArgsIsHelpError:
        sys.exit(2)  # the help is printed already
    except UsageError as error:
        _misused(error, name)
    except typer.Abort:
        _fail("nothing was typed; expected an answer")
    except KeyboardInterrupt:
        sys.exit(130)  # Ctrl-C while it was still starting; later on the command sees to it
    except BrokenPipeError:
        # The reader of our output went away (`| head`): nothing left to say.
        sys.stderr.close()


def _misused(error: UsageError, name: str) -> NoReturn:
    command = error.ctx.command_path if error.ctx else f"seatwatt {name}"
    problem = " ".join(error.format_message().split()).rstrip(".")
    _fail(f"{command.removeprefix('seatwatt ')}: {problem}; expected what "
          f"`{command} --help` shows")


def _fail(message: str) -> NoReturn:
    print(f"seatwatt: {message}", file=sys.stderr)
    sys.exit(2)


def _overview() -> None:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, (_, text) in COMMANDS.items():
        table.add_row(name, text)
    console = Console()
    console.print("seatwatt COMMAND [OPTIONS]: `seatwatt COMMAND --help` gives a working example\n")
    console.print(table)

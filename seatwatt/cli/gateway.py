"""`seatwatt gateway`: the service at a site, and a check of what it is told to read."""

import asyncio
import logging
import signal
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.core import TyperGroup

from seatwatt.gateway.check import CheckRow
from seatwatt.gateway.check import check as read_once
from seatwatt.gateway.config import Broker
from seatwatt.gateway.config_file import load_gateway
from seatwatt.gateway.opening import open_devices
from seatwatt.gateway.runtime import Clocks, Gateway
from seatwatt.settings import GatewaySettings

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class _RunUnlessTold(TyperGroup):
    """`seatwatt gateway CONFIG` is `seatwatt gateway run CONFIG`."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if args and not args[0].startswith("-") and args[0] not in self.commands:
            args = ["run", *args]
        return super().parse_args(ctx, args)


app = typer.Typer(cls=_RunUnlessTold, add_completion=False, no_args_is_help=True)
_Config = Annotated[Path, typer.Argument(metavar="CONFIG", help="the devices (YAML)")]


@app.callback()
def gateway() -> None:
    """Read a site's devices and publish what they say; without a subcommand: run.

    Broker and spool come from the environment (SEATWATT_...), the devices from a YAML file.

    Example: seatwatt gateway check gateway.yaml && seatwatt gateway gateway.yaml
    """


@app.command()
def run(config: _Config) -> None:
    """Read and publish until SIGTERM or Ctrl-C. A broker or device that is not there yet is
    waited for.

    Example: SEATWATT_MQTT_HOST=broker.example seatwatt gateway run gateway.yaml
    """
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format="%(asctime)s %(levelname)s %(message)s")
    # A device that is away is told once, by us, with its name.
    for name in ("pymodbus", "pysnmp", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    asyncio.run(_run(config))


@app.command()
def check(config: _Config,
          listen_s: Annotated[float, typer.Option(
              min=0, help="seconds to listen to devices that speak by themselves")] = 15.0) -> None:
    """Read every device once and print what it says; status 1 when one says nothing or nonsense.

    Example: seatwatt gateway check gateway.yaml
    """
    for name in ("pymodbus", "pysnmp", "asyncio"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    told, settings = load_gateway(config), GatewaySettings.load()
    rows = asyncio.run(read_once(told, _broker(settings), _wall_ms, listen_s))
    _print(rows)
    if any(row.problem for row in rows):
        raise typer.Exit(1)


async def _run(config: Path) -> None:
    told, settings = load_gateway(config), GatewaySettings.load()
    clocks = Clocks(_wall_ms, _steady_ms, _boot())
    parts = Gateway(settings, told.site, told.own, clocks)
    opened = open_devices(told, _broker(settings), clocks.wall, parts.sink, parts.report)
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    await parts.run(opened, stop, told.problems)


def _broker(settings: GatewaySettings) -> Broker:
    return Broker(host=settings.mqtt_host, port=settings.mqtt_port, user=settings.mqtt_user,
                  password=settings.mqtt_password.get_secret_value(),
                  ca_file=settings.mqtt_ca_file, cert_file=settings.mqtt_cert_file,
                  key_file=settings.mqtt_key_file)


def _wall_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _steady_ms() -> int:
    """Milliseconds since the machine's start, those it slept through too where that is known."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME) // 1_000_000
    return time.monotonic_ns() // 1_000_000


def _boot() -> str:
    """Names this start of the machine; where nothing does, no other start is ever the same."""
    if _BOOT_ID.exists():
        return _BOOT_ID.read_text(encoding="ascii").strip()
    return str(time.time_ns())


def _print(rows: list[CheckRow]) -> None:
    table = Table("device", "quantity", "value", "unit", "problem", box=None)
    for row in rows:
        table.add_row(str(row.device), row.quantity, row.value, row.unit, row.problem)
    Console(width=None if sys.stdout.isatty() else 200).print(table)

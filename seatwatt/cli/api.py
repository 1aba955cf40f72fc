"""`seatwatt api`: serve the API and its scheduled jobs."""

import gc
import logging
import time
from collections.abc import Sequence
from typing import Annotated

import typer

from seatwatt.api.app import create_app
from seatwatt.api.compose import open_keys, open_services
from seatwatt.api.server import address, listen, serve
from seatwatt.cli.publishing import Publisher
from seatwatt.settings import ApiSettings, BrokerSettings, LedgerSettings, StoreSettings

app = typer.Typer(rich_markup_mode="rich")


@app.command()
def api(
    host: Annotated[str, typer.Option(help="address to listen on (SEATWATT_API_HOST)")] = "",
    port: Annotated[int | None, typer.Option(
        min=0, max=65535, help="port, 0: any free one (SEATWATT_API_PORT)")] = None,
    access: Annotated[str, typer.Option(help="keys or open (SEATWATT_API_ACCESS)")] = "",
    jobs: Annotated[bool | None, typer.Option(
        help="take part in the scheduled jobs (SEATWATT_API_JOBS)")] = None,
) -> None:
    """Serve the API and its scheduled jobs over the store and ledger of the environment.

    Example: seatwatt api --port 8000
    """
    logging.basicConfig(level=logging.INFO,
                        format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    for chatty in ("alembic", "apscheduler"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    given = {"api_host": host or None, "api_port": port, "api_access": access or None,
             "api_jobs": jobs}
    settings = ApiSettings.load(**{name: value for name, value in given.items()
                                   if value is not None})
    listener = listen(settings)
    with open_services(settings, StoreSettings.load(), LedgerSettings.load(), _now_ms,
                       _publish, aside=True) as services:
        keys = open_keys(services, print)
        print(f"API: {address(listener)}  documentation: {address(listener)}/docs  "
              f"console: {address(listener)}/console", flush=True)
        made = create_app(services, keys)
        # What is there now stays: the collector would go through it again and again, and nobody is
        # answered for the tenth of a second that this takes.
        gc.collect()
        gc.freeze()
        serve(made, listener)


def _publish(messages: Sequence[tuple[str, bytes]]) -> None:
    with Publisher(BrokerSettings.load()) as publisher:
        publisher.publish(messages)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000

"""`seatwatt demo`: broker, ingest, store, ledger, API and a simulated site in one process."""

import logging
import signal
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated, Any

import typer

from seatwatt.api.access import OpenAccess
from seatwatt.api.app import create_app
from seatwatt.api.compose import open_services
from seatwatt.api.server import listen, running
from seatwatt.cli._demo_state import DemoState, month_before, open_state
from seatwatt.cli._demo_table import print_month
from seatwatt.cli.progress import Work
from seatwatt.contract.errors import SeatwattError
from seatwatt.contract.senml import decode
from seatwatt.contract.site import Site
from seatwatt.ingest.service import Ingest
from seatwatt.ingest.watch import Watch
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.ledger.sites import save_site
from seatwatt.settings import (
    ApiSettings,
    BrokerSettings,
    IngestSettings,
    LedgerSettings,
    StoreSettings,
)
from seatwatt.settlement.settle import settle
from seatwatt.simulators.backfill import Backfill
from seatwatt.simulators.broker import EmbeddedBroker
from seatwatt.simulators.messages import messages
from seatwatt.simulators.publisher import Publisher
from seatwatt.simulators.sampling import Pace, Sampler
from seatwatt.simulators.world import World
from seatwatt.store.open import open_reader, open_writer

app = typer.Typer(add_completion=False)

HISTORY = Pace(seat_s=900, node_s=900, state_s=3600)
LIVE = Pace(seat_s=60, node_s=10, state_s=600, seat_power=True)
LIVE_EVERY_S = 10.0
SWITCH_S = 0.0005
"""Broker, ingest and publisher hand messages to one another all the time: Python's usual five
milliseconds between threads would be most of the way."""


@app.command()
def demo(site: Annotated[str, typer.Option(help="workaround, e-rozgar or a site FILE")
                         ] = "workaround",
         once: Annotated[bool, typer.Option("--once", help="end after the table")] = False,
         fresh: Annotated[bool, typer.Option("--fresh", help="forget an earlier run")] = False,
         port: Annotated[int, typer.Option(min=0, max=65535, help="of the API; 0: a free one")
                         ] = 8000,
         mqtt_port: Annotated[int, typer.Option(min=0, max=65535,
                                                help="of the broker; 0: a free one")] = 0,
         state: Annotated[Path | None, typer.Option(
             help="folder of store and ledger; var/demo/<site> by default")] = None,
         seed: Annotated[int, typer.Option(help="of the simulated world")] = 1) -> None:
    """Run everything in one process: broker, ingest, store, ledger, API and a simulated site.

    The first run publishes the last whole month and the running one, later runs only what is
    missing. Ctrl-C ends it.

    Example: seatwatt demo --site e-rozgar --once
    """
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    sys.setswitchinterval(SWITCH_S)
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr,
                        format="%(levelname)s %(message)s")
    try:
        with open_state(site, state, fresh, seed, now_ms()) as opened:
            _run(opened, once, port, mqtt_port)
    except KeyboardInterrupt:
        print("\nstopped", flush=True)


def now_ms() -> int:
    """UTC milliseconds since 1970."""
    return time.time_ns() // 1_000_000


def _run(state: DemoState, once: bool, port: int, mqtt_port: int) -> None:
    store, ledger = _settings(state)
    # The port is taken before the work, so that a port in use is known at once.
    listener = None if once else listen(ApiSettings.load(api_port=port, api_access="open"))
    with ExitStack() as stack:
        if listener is not None:
            stack.callback(listener.close)
        broker = stack.enter_context(EmbeddedBroker(mqtt_port))
        engine = open_engine(ledger)
        stack.callback(engine.dispose)
        save_site(engine, state.site, "demo", now_ms())
        ingest = stack.enter_context(_ingesting(state, broker.port, store, engine))
        publisher = stack.enter_context(Publisher(BrokerSettings.load(**_here(broker.port))))
        sampler = Sampler(World(state.site, state.seed, state.since))
        until_ms = _history(state, sampler, publisher, ingest, store)
        _month(state, store)
        if listener is None:
            return
        api = ApiSettings.load(api_port=port, api_access="open")
        services = stack.enter_context(open_services(api, store, ledger, now_ms))
        address = stack.enter_context(running(create_app(services, OpenAccess()), listener))
        _say_where(state, address, broker.port)
        _live(state.site, sampler, publisher, until_ms)


def _settings(state: DemoState) -> tuple[StoreSettings, LedgerSettings]:
    return (StoreSettings.load(store_url=f"sqlite:///{state.folder / 'readings.db'}"),
            LedgerSettings.load(ledger_url=f"sqlite:///{state.folder / 'ledger.db'}"))


def _here(mqtt_port: int) -> dict[str, Any]:
    """The embedded broker, whatever the environment says of another one."""
    return {"mqtt_host": "127.0.0.1", "mqtt_port": mqtt_port, "mqtt_user": "", "mqtt_ca_file": ""}


@contextmanager
def _ingesting(state: DemoState, mqtt_port: int, store: StoreSettings, engine: Any
               ) -> Iterator[Ingest]:
    """Ingest in this process, subscribed before anything is published."""
    settings = IngestSettings.load(**_here(mqtt_port), ingest_state=state.folder / "ingest",
                                   ingest_workers=1, ingest_filters="seatwatt/#",
                                   ingest_linger_s=0.05, ingest_batch_readings=10_000)
    writer = open_writer(store)
    ingest = Ingest(settings, writer, Quarantine(engine), decode, now_ms)
    watch = Watch(ingest, now_ms)
    ingest.start()
    watch.start()
    try:
        since_s = time.monotonic()
        while not ingest.link.ready:
            if ingest.failed or time.monotonic() - since_s > 20.0:
                raise SeatwattError(f"ingest did not start: {ingest.failed or 'no broker'}")
            time.sleep(0.01)
        yield ingest
    finally:
        watch.stop()
        ingest.stop()
        writer.close()


def _history(state: DemoState, sampler: Sampler, publisher: Publisher, ingest: Ingest,
             store: StoreSettings) -> int:
    """Publish what is missing up to now; returns up to when."""
    start_ms = _resume_ms(state, store)
    until_ms = now_ms() // 1000 * 1000

    def stored() -> int:
        account = ingest.account
        return account.stored + account.journalled

    fill = Backfill(sampler, publisher, stored, state.site.id, HISTORY)
    hours = (until_ms - start_ms) // 3_600_000
    with Work(f"history of {state.site.name}, over MQTT", hours, "hours") as work:
        readings = fill.run(start_ms, until_ms, lambda done: work.to(done // 3_600_000))
        if readings:
            print(f"{readings:,} readings published and stored in {work.elapsed_s:.1f} s "
                  f"({readings / max(work.elapsed_s, 0.001):,.0f} a second)", flush=True)
    if refused := ingest.account.quarantined:
        raise SeatwattError(f"{refused} messages were refused: seatwatt quarantine list says why")
    state.whole(until_ms)
    return until_ms


def _resume_ms(state: DemoState, store: StoreSettings) -> int:
    """What a run that was stopped or live may have left out is published again: that is harmless.
    So is a store that somebody removed."""
    reader = open_reader(store)
    try:
        newest = max((last.taken_at_ms for last in reader.last(state.site.id, ["meter"])),
                     default=0)
    finally:
        reader.close()
    return max(state.first_ms, min(newest, state.whole_until_ms))


def _month(state: DemoState, store: StoreSettings) -> None:
    start_ms, end_ms = month_before(now_ms(), state.site.time_zone)
    reader = open_reader(store)
    try:
        settlement = settle(state.site, reader, start_ms, end_ms)
    finally:
        reader.close()
    print_month(settlement)


def _say_where(state: DemoState, address: str, mqtt_port: int) -> None:
    print(f"\nconsole  {address}/console\n"
          f"API      {address}/docs\n"
          f"sites    {address}/v1/sites\n"
          f"MQTT     127.0.0.1:{mqtt_port}, topic seatwatt/v1/{state.site.id}/#\n"
          f"files    {state.folder}\n\n"
          "publishing live; Ctrl-C ends it", flush=True)


def _live(site: Site, sampler: Sampler, publisher: Publisher, until_ms: int) -> None:
    """Publish what the devices read from now on, each on its own topic."""
    while True:
        now = now_ms()
        for _, topic, payload in messages(sampler.readings(until_ms, now, LIVE), site.id, 0):
            publisher.publish(topic, payload)
        publisher.drain()
        until_ms = now
        time.sleep(LIVE_EVERY_S)

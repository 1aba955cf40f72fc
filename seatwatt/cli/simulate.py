"""`seatwatt simulate`: a simulated site, to the broker or into a recording."""

import json
import signal
import sys
import time
from collections.abc import Iterator
from datetime import date, datetime
from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo

import typer

from seatwatt.cli._broker import HostOption, PortOption, broker_settings
from seatwatt.cli._simulated_devices import place, serve_devices
from seatwatt.cli.importer import write
from seatwatt.cli.progress import Work
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import instant_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.quantities import Nature
from seatwatt.contract.site import Site
from seatwatt.simulators import faults
from seatwatt.simulators.messages import Outgoing, messages
from seatwatt.simulators.publisher import Publisher
from seatwatt.simulators.sampling import Pace, Sampler
from seatwatt.simulators.world import World
from seatwatt.store.recording import Message
from seatwatt.store.sitefiles import load_site

SINCE_DAYS = 3660
"""Ten years: more registers would take hours to count."""
app = typer.Typer(add_completion=False)

STRETCH_MS = 86_400_000
LIVE_EVERY_S = 10.0


@app.command()
def simulate(
        site: Annotated[Path, typer.Option(help="site file")],
        from_: Annotated[str, typer.Option("--from", help="local date or instant")] = "",
        to: Annotated[str, typer.Option("--to", help="local date or instant, not included")] = "",
        live: Annotated[bool, typer.Option("--live", help="publish from now on, until Ctrl-C")]
        = False,
        devices: Annotated[bool, typer.Option("--devices", help="serve the devices over Modbus, "
                                              "NUT, SNMP and MQTT, until Ctrl-C")] = False,
        out: Annotated[Path | None, typer.Option(help="write a recording, publish nothing; with "
                                                 "--devices: the gateway's configuration")]
        = None,
        seed: Annotated[int, typer.Option(help="of the simulated world")] = 1,
        since: Annotated[str, typer.Option(help="date from which registers count")] = "",
        every: Annotated[int, typer.Option(min=0, max=3600, help="seconds between readings; 0: "
                                           "300, of devices 10")] = 0,
        pack: Annotated[int, typer.Option(min=0, max=3000,
                                          help="readings a message; 0: a message a device")] = 0,
        at: Annotated[str, typer.Option(metavar="HOST:PORT", help="with --devices: where a gateway "
                                        "elsewhere finds them; they and a broker of their own "
                                        "listen on all addresses, on ports from this one on")]
        = "",
        fault: Annotated[int, typer.Option("--faults", min=0, help="so many meters get a fault; "
                                           "what was done is printed as JSON lines")] = 0,
        host: HostOption = "", port: PortOption = 0) -> None:
    """Simulate a site: seats, boards, mains with load-shedding, UPSs, rooms; the same seed and
    `--since` give the same readings.

    Example: seatwatt simulate --site examples/workaround.yaml --from 2026-10-01 --to 2026-10-08
    --out week.ndjson.gz
    """
    model = load_site(site)
    every = every or (10 if devices else 300)
    if (live, devices, bool(from_ or to)).count(True) != 1:
        raise InputError("simulate", "it is unclear what to simulate",
                         "--from and --to, or --live, or --devices")
    if devices:
        serve_devices(_world_now(model, seed, since), place(at, broker_settings(host, port)),
                      out or Path("gateway.yaml"), every)
        return
    pace = Pace(seat_s=every, node_s=every, state_s=max(every, 900), seat_power=True)
    if live:
        if out or fault:
            raise InputError("--live", "it publishes, without faults", "no --out, no --faults")
        with Publisher(broker_settings(host, port)) as publisher:
            _live(Sampler(_world_now(model, seed, since)), publisher, pace, pack)
        return
    start_ms, end_ms = _period(from_, to, model.time_zone)
    first = local_date(start_ms, model.time_zone)
    world = World(model, seed, _since(since, first, first))
    made = _made(Sampler(world), start_ms, end_ms, pace, pack, (seed, fault, every))
    days = -(-(end_ms - start_ms) // STRETCH_MS)
    with Work(f"simulating {model.id}", days, "days") as work:
        if out is not None:
            count = write(out, (Message(*one) for one in _counted(made, start_ms, work)))
            print(f"{out}: {count:,} messages")
            return
        with Publisher(broker_settings(host, port)) as publisher:
            for _, topic, payload in _counted(made, start_ms, work):
                publisher.publish(topic, payload)
            publisher.drain()
            print(f"{publisher.sent:,} messages published and acknowledged")


def _world_now(model: Site, seed: int, since: str) -> World:
    """A world that has counted since the year began, or since that day."""
    today = local_date(time.time_ns() // 1_000_000, model.time_zone)
    return World(model, seed, _since(since, today, today.replace(month=1, day=1)))


def _since(text: str, first: date, otherwise: date) -> date:
    """The day from which registers count; each day up to the first simulated one takes time."""
    try:
        since = date.fromisoformat(text) if text else otherwise
    except ValueError:
        raise InputError("--since", f"{text!r} is no date", "such as 2026-10-01") from None
    if (first - since).days > SINCE_DAYS:
        raise InputError("--since", f"{text} is too long before {first}",
                         f"at most {SINCE_DAYS} days")
    return since


def _period(from_: str, to: str, zone: ZoneInfo) -> tuple[int, int]:
    start_ms, end_ms = _instant("--from", from_, zone), _instant("--to", to, zone)
    if start_ms >= end_ms:
        raise InputError("--from", f"{from_} is not before {to}", "from before to")
    return start_ms, end_ms


def _instant(where: str, text: str, zone: ZoneInfo) -> int:
    try:
        when = date.fromisoformat(text) if len(text) == 10 else datetime.fromisoformat(text)
        return instant_ms(when, zone)
    except (ValueError, InputError):
        raise InputError(where, f"{text!r} is no time",
                         "a date, or an instant with its offset") from None


def _made(sampler: Sampler, start_ms: int, end_ms: int, pace: Pace, pack: int,
          spoilt: tuple[int, int, int]) -> Iterator[Outgoing]:
    """Messages in the order of arrival, a day at a time; with faults, all at once."""
    seed, count, every = spoilt
    site = sampler.site
    if not count:
        for at_ms in range(start_ms, end_ms, STRETCH_MS):
            batch = sampler.readings(at_ms, min(at_ms + STRETCH_MS, end_ms), pace)
            yield from messages(batch, site.id, pack)
        return
    batch = sampler.readings(start_ms, end_ms, pace)
    devices = sorted({s.device for s in batch.series if s.quantity.nature is Nature.REGISTER})
    plan = faults.plan(devices, start_ms, end_ms, every, seed, count)
    delivery = faults.deliver(batch, plan)
    for one in plan:
        print(json.dumps({"fault": one.kind, "device": str(one.device), "from_ms": one.from_ms,
                          "to_ms": one.to_ms, "amount": one.amount}))
    for exchange in delivery.exchanges:
        print(json.dumps({"exchange": str(exchange.meter), "at_ms": exchange.at_ms,
                          "final_wh": exchange.final_wh, "initial_wh": exchange.initial_wh}))
    yield from delivered(delivery, site.id, pack)


def delivered(delivery: faults.Delivery, site: str, pack: int) -> Iterator[Outgoing]:
    """Messages in the order of arrival, stamped with their arrival."""
    batch, size = delivery.batch, pack or 1
    for start in range(0, len(batch), size):
        stop = min(start + size, len(batch))
        for _, topic, payload in messages(batch.part(start, stop), site, pack):
            yield delivery.received_at_ms[stop - 1], topic, payload


def _counted(made: Iterator[Outgoing], start_ms: int, work: Work) -> Iterator[Outgoing]:
    for one in made:
        yield one
        work.to((one[0] - start_ms) // STRETCH_MS + 1)


def _live(sampler: Sampler, publisher: Publisher, pace: Pace, pack: int) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    print(f"publishing {sampler.site.id} live; Ctrl-C ends it", flush=True)
    until_ms = time.time_ns() // 1_000_000
    try:
        while True:
            time.sleep(LIVE_EVERY_S)
            now_ms = time.time_ns() // 1_000_000
            for _, topic, payload in messages(sampler.readings(until_ms, now_ms, pace),
                                              sampler.site.id, pack):
                publisher.publish(topic, payload)
            publisher.drain()
            until_ms = now_ms
    except KeyboardInterrupt:
        print(f"\n{publisher.sent:,} messages published", file=sys.stderr)



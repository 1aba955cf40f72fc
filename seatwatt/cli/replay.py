"""`seatwatt replay`: publish a recording as it came, faster, or as fast as it goes."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated

import typer

from seatwatt.cli._broker import HostOption, PortOption, broker_settings
from seatwatt.cli.progress import Work
from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.contract.topics import Topic
from seatwatt.simulators.publisher import Publisher
from seatwatt.store.recording import Message, read_messages

app = typer.Typer(add_completion=False)


@app.command()
def replay(files: Annotated[list[Path], typer.Argument(help="recordings, or CSVs with --site")],
           speed: Annotated[str, typer.Option(help="times real time, or max")] = "1",
           site: Annotated[str, typer.Option(help="publish as this site")] = "",
           host: HostOption = "", port: PortOption = 0) -> None:
    """Publish recordings in order at QoS 1 and wait until the broker has taken every message.

    Example: seatwatt replay june.ndjson.gz --speed max
    """
    factor = _factor(speed)
    if site:
        check_identifier("--site", site)
    for file in files:  # a file that is none is told before a broker that is none
        next(_messages([file], site), None)
    started_s = time.monotonic()
    with (Publisher(broker_settings(host, port)) as publisher,
          Work("replaying", 0, "messages") as work):
        for message in paced(_messages(files, site), factor, time.monotonic, time.sleep):
            publisher.publish(message.topic, message.payload)
            work.to(publisher.sent)
        publisher.drain()
        took_s = time.monotonic() - started_s
        print(f"{publisher.sent:,} messages published and acknowledged in {took_s:.1f} s "
              f"({publisher.sent / max(took_s, 0.001):,.0f} a second)")


def _factor(speed: str) -> float | None:
    """Times real time; None is as fast as it goes."""
    if speed == "max":
        return None
    try:
        factor = float(speed)
    except ValueError:
        factor = 0.0
    if not 0 < factor < float("inf"):
        raise InputError("--speed", f"{speed!r} is no speed", "a number above 0, or max")
    return factor


def _messages(files: list[Path], site: str) -> Iterator[Message]:
    for file in files:
        for message in read_messages(file, site or None):
            if not site:
                yield message
                continue
            try:
                topic = Topic.parse(message.topic)
            except InputError:
                yield message  # refused by whoever reads it, as it was when recorded
                continue
            moved = Topic(site, topic.kind, topic.zone, topic.device)
            yield Message(message.received_at_ms, str(moved), message.payload)


def paced(messages: Iterator[Message], factor: float | None, monotonic: Callable[[], float],
          sleep: Callable[[float], None]) -> Iterator[Message]:
    """Each message when its time has come: `factor` times faster than it was received."""
    first_ms: int | None = None
    began_s = monotonic()
    for message in messages:
        first_ms = message.received_at_ms if first_ms is None else first_ms
        if factor is not None:
            due_s = began_s + (message.received_at_ms - first_ms) / 1000 / factor
            if (wait_s := due_s - monotonic()) > 0:
                sleep(wait_s)
        yield message

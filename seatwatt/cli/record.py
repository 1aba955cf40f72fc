"""`seatwatt record`: write what the broker carries to a recording."""

import queue
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any

import paho.mqtt.client as mqtt
import typer

from seatwatt.cli._broker import HostOption, PortOption, broker_settings
from seatwatt.cli.importer import write
from seatwatt.cli.progress import Work
from seatwatt.contract.errors import InputError
from seatwatt.simulators.publisher import BrokerError, client_for, connect
from seatwatt.store.recording import Message

app = typer.Typer(add_completion=False)

QUEUE_MESSAGES = 100_000
_LOOK_EVERY_S = 0.2


@app.command()
def record(out: Annotated[Path, typer.Option(help="the recording; .gz: compressed")],
           topic: Annotated[str, typer.Option(help="MQTT topic filter")] = "seatwatt/v1/#",
           seconds: Annotated[float, typer.Option(min=0, help="end after so long; 0: Ctrl-C")] = 0,
           count: Annotated[int, typer.Option(min=0, help="end after so many; 0: Ctrl-C")] = 0,
           host: HostOption = "", port: PortOption = 0) -> None:
    """Subscribe and write every message with the time of its arrival, until Ctrl-C.

    Example: seatwatt record --out hour.ndjson.gz --seconds 3600
    """
    # Explicitly: in the background of a script a shell lets its children ignore Ctrl-C.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)
    if not is_filter(topic):
        raise InputError("--topic", f"{topic!r} is no topic filter", "such as seatwatt/v1/#")
    settings = broker_settings(host, port)
    where = f"MQTT broker {settings.mqtt_host}:{settings.mqtt_port}"
    arrived: queue.Queue[Message | str] = queue.Queue(QUEUE_MESSAGES)
    client = client_for(settings)
    _listen(client, topic, arrived)
    connect(client, (settings.mqtt_host, settings.mqtt_port), where)
    client.loop_start()
    try:
        with Work("recording", count, "messages") as work:
            written = write(out, _until(arrived, where, seconds, count, work))
    finally:
        client.disconnect()
        client.loop_stop()
    print(f"{out}: {written:,} messages")


def is_filter(topic: str) -> bool:
    """Whether a broker takes it: + and # fill a level, # the last one."""
    levels = topic.split("/")
    return bool(topic) and "\0" not in topic and all(
        level == "+" or (level == "#" and at == len(levels) - 1)
        or not set(level) & {"+", "#"} for at, level in enumerate(levels))


def _listen(client: mqtt.Client, topic: str, arrived: "queue.Queue[Message | str]") -> None:
    """Messages into the queue, and as a text what ends the recording."""

    def on_connect(_c: Any, _u: Any, _flags: Any, reason: Any, _p: Any) -> None:
        if reason.is_failure:
            arrived.put(str(reason))
        else:
            client.subscribe(topic, 1)

    def on_message(_c: Any, _u: Any, message: mqtt.MQTTMessage) -> None:
        arrived.put(Message(time.time_ns() // 1_000_000, message.topic,
                            bytes(message.payload)))

    client.on_connect, client.on_message = on_connect, on_message


def _until(arrived: "queue.Queue[Message | str]", where: str, seconds: float, count: int,
           work: Work) -> Iterator[Message]:
    ends_s = time.monotonic() + seconds if seconds else float("inf")
    written = 0
    try:
        while time.monotonic() < ends_s and not (count and written >= count):
            try:
                message = arrived.get(timeout=min(_LOOK_EVERY_S, max(ends_s - time.monotonic(), 0)))
            except queue.Empty:
                continue
            if isinstance(message, str):
                raise BrokerError(f"{where}: {message}")
            yield message
            written += 1
            work.to(written)
    except KeyboardInterrupt:
        return  # the way a recording without an end is ended

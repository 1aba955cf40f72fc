"""`seatwatt simulate --devices`: a world behind real servers, and the gateway's configuration."""

import asyncio
import itertools
import signal
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from seatwatt.contract.errors import InputError, SettingsError
from seatwatt.settings import BrokerSettings
from seatwatt.simulators.broker import EmbeddedBroker
from seatwatt.simulators.devices.serving import LOOPBACK, Site, free_port
from seatwatt.simulators.devices.truth import Truth
from seatwatt.simulators.publisher import Publisher
from seatwatt.simulators.world import World


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a gateway finds the devices, and the broker of those that speak MQTT.

    `first_port` 0: on this machine alone, on free ports, with `broker`. Otherwise ports are the
    same at every start, and the first is that of a broker which the devices bring.
    """

    host: str
    first_port: int
    broker: BrokerSettings


def place(at: str, broker: BrokerSettings) -> Place:
    """From `HOST:PORT`, or for nothing this machine. InputError when it is neither."""
    if not at:
        return Place(host=LOOPBACK, first_port=0, broker=broker)
    host, colon, port = at.rpartition(":")
    if not (host and colon and port.isascii() and port.isdigit() and 0 < int(port) < 65000):
        raise InputError("--at", f"{at!r} is no address", "HOST:PORT, such as devices:20000")
    own = BrokerSettings.load(mqtt_host=LOOPBACK, mqtt_port=int(port), mqtt_user="",
                              mqtt_ca_file="", mqtt_cert_file="", mqtt_key_file="")
    return Place(host=host, first_port=int(port), broker=own)


def serve_devices(world: World, where: Place, config: Path, every_s: int) -> None:
    """Serve until Ctrl-C; `config` is written as soon as everything listens. The gateway stands
    in the zone of the site's first source, or in its first zone."""
    sources = world.layout.sources
    zone = sources[0].device.zone if sources else world.site.zones[0].name
    # One of an earlier start would be taken for a sign that everything listens.
    config.unlink(missing_ok=True)
    with (tempfile.TemporaryDirectory(prefix="seatwatt-devices-") as folder,
          _broker(where) as heard_at, Publisher(where.broker) as publisher):
        truth = Truth(world, lambda: time.time_ns() // 1_000_000)
        site = Site(truth=truth, folder=Path(folder), publisher=publisher,
                    seats_every_s=every_s, host=where.host, ports=_ports(where))
        asyncio.run(_serve(site, zone, heard_at, config))


@contextmanager
def _broker(where: Place) -> Iterator[tuple[str, int]]:
    """The address at which the gateway hears the devices that speak MQTT."""
    if where.first_port:
        with EmbeddedBroker(where.first_port, "0.0.0.0"):
            yield where.host, where.first_port
    else:
        yield where.broker.mqtt_host, where.broker.mqtt_port


def _ports(where: Place) -> Callable[[], int]:
    return itertools.count(where.first_port + 1).__next__ if where.first_port else free_port


async def _serve(site: Site, zone: str, broker: tuple[str, int], config: Path) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        with suppress(asyncio.CancelledError):
            await site.start()
            config.write_text(site.config(zone, broker))
            print(f"{len(site.parts)} simulated devices listen; the gateway's configuration is "
                  f"{config}; Ctrl-C ends them", flush=True)
            await site.run()
    except OSError as error:
        raise SettingsError(f"simulated devices: {error}") from None
    finally:
        await site.stop()

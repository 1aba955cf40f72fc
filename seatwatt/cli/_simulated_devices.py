"""`seatwatt simulate --devices`: a world behind real servers, and the gateway's configuration."""

import asyncio
import signal
import tempfile
import time
from contextlib import suppress
from pathlib import Path

from seatwatt.contract.errors import SettingsError
from seatwatt.settings import BrokerSettings
from seatwatt.simulators.devices.serving import Site
from seatwatt.simulators.devices.truth import Truth
from seatwatt.simulators.publisher import Publisher
from seatwatt.simulators.world import World


def serve_devices(world: World, broker: BrokerSettings, config: Path, every_s: int) -> None:
    """Serve until Ctrl-C; `config` is written as soon as everything listens. The gateway stands
    in the zone of the site's first source, or in its first zone."""
    sources = world.layout.sources
    zone = sources[0].device.zone if sources else world.site.zones[0].name
    with (tempfile.TemporaryDirectory(prefix="seatwatt-devices-") as folder,
          Publisher(broker) as publisher):
        truth = Truth(world, lambda: time.time_ns() // 1_000_000)
        site = Site(truth=truth, folder=Path(folder), publisher=publisher,
                    seats_every_s=every_s)
        asyncio.run(_serve(site, zone, (broker.mqtt_host, broker.mqtt_port), config))


async def _serve(site: Site, zone: str, broker: tuple[str, int], config: Path) -> None:
    task = asyncio.current_task()
    assert task is not None
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    try:
        await site.start()
        config.write_text(site.config(zone, broker))
        print(f"{len(site.parts)} simulated devices listen; the gateway's configuration is "
              f"{config}; Ctrl-C ends them", flush=True)
        with suppress(asyncio.CancelledError):
            await site.run()
    except OSError as error:
        raise SettingsError(f"simulated devices: {error}") from None
    finally:
        await site.stop()

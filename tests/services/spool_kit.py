"""A gateway as a process of its own, over a driver whose registers are known at every instant.

`python -m tests.services.spool_kit FOLDER` runs it; the tests start, kill and ask it.
"""

import asyncio
import json
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import quantity
from seatwatt.gateway.ports import Opened, Sample
from seatwatt.gateway.runtime import Clocks, Gateway
from seatwatt.settings import GatewaySettings
from tests.shared import ROOT

OWN = Device("gateway", "hall-a", "gw")
SITE = "hall"
SEATS = 350


def clocks() -> Clocks:
    """The machine's own."""
    return Clocks(lambda: time.time_ns() // 1_000_000, lambda: time.monotonic_ns() // 1_000_000,
                  "boot-1")


def register_wh(seat: int, at_ms: int) -> float:
    """What the seat's meter shows at a whole second."""
    return float(at_ms // 1000 % 1_000_000 + seat * 1_000_000)


class NumberedRegisters:
    """Reads all seats' registers every second, and writes down what it took with an fsync."""

    every_s = 1

    def __init__(self, folder: Path) -> None:
        self.devices = [Device("seat", "hall-a", f"{n:03d}") for n in range(SEATS)]
        self._enough = folder / "enough"
        self._log = (folder / "taken.log").open("a")

    async def poll(self, at_ms: int) -> Sequence[Sample]:
        if self._enough.exists():
            return []
        self._log.write(f"{at_ms}\n")
        self._log.flush()
        os.fsync(self._log.fileno())
        energy = quantity("seat", "energy")
        return [Sample(device, energy, at_ms, register_wh(seat, at_ms))
                for seat, device in enumerate(self.devices)]

    async def close(self) -> None:
        self._log.close()


async def _main(folder: Path) -> None:
    gateway = Gateway(GatewaySettings.load(), SITE, OWN, clocks())
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    opened = Opened([NumberedRegisters(folder)], [], gateway.sink)
    telling = asyncio.create_task(_tell(gateway, folder / "counts.json"))
    try:
        await gateway.run(opened, stop)
    finally:
        telling.cancel()


async def _tell(gateway: Gateway, where: Path) -> None:
    """What it counts, for the test to read: its spool is locked for others."""
    while True:
        text = json.dumps({"packs": gateway.spool.packs, **gateway.spool.tally,
                           "made": gateway.spool.last,
                           "connected": int(gateway.publisher.connected)})
        where.with_suffix(".new").write_text(text)
        where.with_suffix(".new").replace(where)
        await asyncio.sleep(0.2)


@dataclass
class GatewayProcess:
    """That gateway, with its state in a folder of the test."""

    folder: Path
    mqtt_port: int
    extra: dict[str, str] = field(default_factory=dict)
    file_bytes_max: int = resource.RLIM_INFINITY
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> "GatewayProcess":
        """Start it; it connects in its own time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        env = {"SEATWATT_MQTT_PORT": str(self.mqtt_port),
               "SEATWATT_GATEWAY_SPOOL": str(self.folder / "spool.db"),
               "SEATWATT_GATEWAY_RECEIPT_S": "3", "SEATWATT_GATEWAY_BACKLOG_DELAY_S": "0.2",
               "SEATWATT_GATEWAY_DISK_RESERVE_BYTES": "0", **self.extra}
        with (self.folder / "gateway.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.services.spool_kit", str(self.folder)],
                stdout=log, stderr=log, cwd=ROOT, env={**os.environ, **env})
        resource.prlimit(self.process.pid, resource.RLIMIT_FSIZE,
                         (self.file_bytes_max, resource.RLIM_INFINITY))
        return self

    def end(self, how: signal.Signals = signal.SIGTERM) -> int:
        """Send a signal and wait; the exit status."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(40)

    def enough(self) -> None:
        """No more readings from now on."""
        (self.folder / "enough").touch()

    def taken(self) -> list[int]:
        """When registers were read, all seats at once."""
        text = (self.folder / "taken.log").read_text()
        return [int(line) for line in text.splitlines() if len(line) == 13]

    def counts(self) -> dict[str, int]:
        """What it counted last."""
        path = self.folder / "counts.json"
        found: dict[str, int] = json.loads(path.read_text()) if path.exists() else {}
        return found

    def log(self) -> str:
        """What it printed."""
        return (self.folder / "gateway.log").read_text()


if __name__ == "__main__":
    import logging

    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    asyncio.run(_main(Path(sys.argv[1])))

"""Simulated UPSs behind a real `upsd`: Debian's nut-server with a `dummy-ups` driver each, which
reads a file anew whenever it changes."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from seatwatt.simulators.devices.processes import Process, program
from seatwatt.simulators.devices.truth import BATTERY_V, MAINS_HZ, MAINS_V, UpsNow

PACKAGE = "nut-server"


def variables(now: UpsNow) -> dict[str, str]:
    """What an on-line UPS with a 48 V battery tells."""
    low = now.charge_pct < 20 and "OB" in now.status.split()
    return {
        "device.type": "ups", "device.mfr": "Seatwatt", "device.model": "Simulated",
        "ups.status": now.status + (" LB" if low else ""),
        "ups.load": f"{now.load_pct:.1f}", "ups.realpower": f"{now.power_w:.0f}",
        "battery.charge": f"{now.charge_pct:.1f}", "battery.runtime": str(now.runtime_s),
        "battery.voltage": f"{BATTERY_V * (0.85 + now.charge_pct / 700):.1f}",
        "battery.voltage.nominal": "48", "input.voltage": f"{now.input_v:.1f}",
        "input.frequency": f"{MAINS_HZ:.1f}" if now.input_v else "0.0",
        "input.voltage.nominal": f"{MAINS_V:.0f}", "output.voltage": f"{MAINS_V:.1f}",
        "ups.temperature": "31.5"}


@dataclass(slots=True, kw_only=True)
class NutServer:
    """`upsd` with the UPSs of `tell`; user and password allow a login."""

    folder: Path
    port: int
    upses: tuple[str, ...]
    user: str = "monitor"
    password: str = "reads-only"
    listen: str = "127.0.0.1"
    extra: str = ""
    """Further lines of upsd.conf."""
    _processes: list[Process] = field(default_factory=list)

    def tell(self, ups: str, values: Mapping[str, str]) -> None:
        """What the UPS says from now on (its driver looks at the file every two seconds)."""
        text = "".join(f"{name}: {value}\n" for name, value in values.items())
        fresh = self.folder / f"{ups}.new"
        fresh.write_text(text)
        fresh.replace(self.folder / f"{ups}.dev")

    def start(self) -> None:
        """Start drivers and server. Every UPS must have been told something."""
        self._configure()
        env = {"NUT_CONFPATH": str(self.folder), "NUT_STATEPATH": str(self.folder),
               "NUT_ALTPIDPATH": str(self.folder), "NUT_QUIET_INIT_UPSNOTIFY": "true"}
        become = ["-u", "root"] if os.geteuid() == 0 else []
        driver, server = program("dummy-ups", PACKAGE), program("upsd", PACKAGE)
        self._processes = [Process([driver, "-F", *become, "-a", ups], self.folder, env)
                           for ups in self.upses]
        self._processes.append(Process([server, "-F", *become], self.folder, env))
        for process in self._processes:
            process.start()

    def _configure(self) -> None:
        sections = "".join(f"[{ups}]\n  driver = dummy-ups\n  port = {ups}.dev\n"
                           "  mode = dummy-once\n" for ups in self.upses)
        self._write("ups.conf", f"maxretry = 3\npollinterval = 1\n{sections}")
        self._write("upsd.conf", f"LISTEN {self.listen} {self.port}\nMAXAGE 15\n"
                                 f"STATEPATH {self.folder}\n{self.extra}\n")
        self._write("upsd.users", f"[{self.user}]\n  password = {self.password}\n"
                                  "  upsmon secondary\n")
        self._write("nut.conf", "MODE=netserver\n")

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.write_text(text)
        path.chmod(0o640)

    def stop_driver(self, ups: str) -> None:
        """The UPS's driver dies; upsd calls its data stale before long."""
        self._processes[self.upses.index(ups)].stop()

    def stop(self) -> None:
        """End server and drivers."""
        for process in reversed(self._processes):
            process.stop()
        self._processes = []

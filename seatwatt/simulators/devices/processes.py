"""Programs of the system that serve simulated devices: started in the foreground, ended by their
own process id."""

import os
import shutil
import signal
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from seatwatt.contract.errors import SettingsError

PLACES = "/lib/nut:/usr/lib/nut:/usr/sbin:/usr/local/sbin:/sbin"
"""Debian's /usr/sbin/upsd only asks whether NUT is enabled on this machine; the server itself
lies in /lib/nut."""
STOP_S = 5.0


def program(name: str, package: str) -> str:
    """Where the program is; SettingsError tells which Debian package holds it."""
    found = shutil.which(name, path=PLACES) or shutil.which(name)
    if found is None:
        raise SettingsError(f"{name} is not installed; simulated devices need the package "
                            f"{package}")
    return found


@dataclass(slots=True)
class Process:
    """One program with its log."""

    command: Sequence[str]
    folder: Path
    env: dict[str, str] = field(default_factory=dict)
    _process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it; its output goes to a log in its folder."""
        name = Path(self.command[0]).name
        with (self.folder / f"{name}.log").open("ab") as log:
            self._process = subprocess.Popen(self.command, cwd=self.folder, stdout=log, stderr=log,
                                             stdin=subprocess.DEVNULL,
                                             env={**os.environ, **self.env})

    def signal(self, number: signal.Signals) -> None:
        """Send it a signal."""
        if self._process is not None:
            self._process.send_signal(number)

    @property
    def alive(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._process is None:
            return
        self._process.terminate()
        try:
            self._process.wait(STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process = None

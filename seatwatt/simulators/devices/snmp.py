"""A simulated UPS behind a real SNMP agent: Debian's snmpd, for v2c and v3."""

import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from seatwatt.simulators.devices.processes import Process, program
from seatwatt.simulators.devices.truth import BATTERY_V, MAINS_HZ, MAINS_V, UpsNow

BASE = ".1.3.6.1.2.1.33.1"
PACKAGE = "snmpd"
ON_BATTERY_ALARM = 2
Object = tuple[str, int | str]


def objects(now: UpsNow) -> dict[str, Object]:
    """The UPS-MIB of a UPS with one phase: OID -> type and value."""
    dark = "OB" in now.status.split()
    low = dark and now.charge_pct < 20
    rows: dict[str, Object] = {
        "1.1.0": ("string", "Seatwatt"), "1.2.0": ("string", "Simulated"),
        "2.1.0": ("integer", 3 if low else 2), "2.2.0": ("integer", 60 if dark else 0),
        "2.3.0": ("integer", now.runtime_s // 60), "2.4.0": ("integer", round(now.charge_pct)),
        "2.5.0": ("integer", round(10 * BATTERY_V * (0.85 + now.charge_pct / 700))),
        "2.7.0": ("integer", 31), "3.2.0": ("integer", 1),
        "3.3.1.2.1": ("integer", round(10 * MAINS_HZ) if now.input_v else 0),
        "3.3.1.3.1": ("integer", round(now.input_v)), "4.1.0": ("integer", 5 if dark else 3),
        "4.2.0": ("integer", round(10 * MAINS_HZ)), "4.3.0": ("integer", 1),
        "4.4.1.2.1": ("integer", round(MAINS_V)), "4.4.1.4.1": ("integer", round(now.power_w)),
        "4.4.1.5.1": ("integer", round(now.load_pct)), "6.1.0": ("gauge", int(dark))}
    if dark:
        rows["6.2.1.2.1"] = ("objectid", f"{BASE}.6.3.{ON_BATTERY_ALARM}")
    return {f"{BASE}.{oid}": row for oid, row in rows.items()}


@dataclass(slots=True, kw_only=True)
class SnmpAgent:
    """snmpd. v2c: `community`; v3: `user` with SHA-256 and AES. Who may ask by v2c is who reaches
    `listen`: this machine, or everybody."""

    folder: Path
    port: int
    community: str = "watch-only"
    user: str = "monitor"
    auth_password: str = "auth-pass-phrase"
    privacy_password: str = "privacy-pass-phrase"
    listen: str = "127.0.0.1"
    _process: Process | None = None

    def tell(self, values: Mapping[str, Object]) -> None:
        """What the agent answers from now on."""
        fresh = self.folder / "objects.new"
        fresh.write_text(json.dumps(values))
        fresh.replace(self.folder / "objects.json")

    def start(self) -> None:
        """Start the agent; it must have been told something."""
        asking = "127.0.0.1" if self.listen == "127.0.0.1" else "default"
        script = f"{sys.executable} -m {__package__}.snmp_answers"
        (self.folder / "snmpd.conf").write_text(
            f"agentAddress udp:{self.listen}:{self.port}\n"
            f"rocommunity {self.community} {asking}\n"
            f"createUser {self.user} SHA-256 \"{self.auth_password}\" AES "
            f"\"{self.privacy_password}\"\n"
            f"rouser {self.user} priv\n"
            f"pass_persist {BASE} {script} {self.folder / 'objects.json'}\n")
        state = str(self.folder)
        self._process = Process(
            [program("snmpd", PACKAGE), "-f", "-Lo", "-C", "-c", str(self.folder / "snmpd.conf"),
             "-p", str(self.folder / "snmpd.pid"), "-I", "-smux,mteTrigger,mteTriggerConf"],
            self.folder, {"SNMP_PERSISTENT_DIR": state, "SNMPCONFPATH": state,
                          "PYTHONPATH": str(Path(__file__).parents[3])})
        self._process.start()

    def stop(self) -> None:
        """End it."""
        if self._process is not None:
            self._process.stop()
            self._process = None

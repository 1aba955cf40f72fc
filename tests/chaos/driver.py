"""One fault after the other under a steady load, and a table of what each did."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.chaos.plan import Fault, Scene, faults, start
from tests.chaos.proxy import Proxy
from tests.chaos.sender import Sender
from tests.chaos.verdict import Verdict, judge, quarantined_packs, stored_values
from tests.servers import influxd, mosquitto
from tests.services.disk_kit import SmallDisk, mounted, unmount
from tests.services.ingest_kit import IngestProcess

MEMORY_MAX_MB = 150.0
JOURNAL_BYTES = 100_000
DISK_KIB = 64 << 10
_RECOVERY_MAX_S = 90.0
_USUAL_S = 300.0
_SETTLE_S = 1.0


class ShiftedIngest(IngestProcess):
    """An ingest process whose clock the plan can step."""

    def start(self, *_arguments: str) -> "ShiftedIngest":
        """Start it; it connects in its own time."""
        self.folder.mkdir(parents=True, exist_ok=True)
        with (self.folder / "ingest.log").open("ab") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "tests.chaos.shifted"],
                                            stdout=log, stderr=log,
                                            env={**os.environ, **self.env})
        return self


@dataclass
class Row:
    """One fault and what it did; times in seconds from the start."""

    name: str
    began_s: float
    ended_s: float
    recovery_s: float
    packs: tuple[int, int]
    """Packs sent from its beginning until the next one's."""
    verdict: Verdict = field(default_factory=Verdict)


@dataclass
class Report:
    """The table and the sums under it."""

    rows: list[Row]
    total: Verdict
    peak_rss_mb: float
    noise: int
    balanced: bool

    @property
    def nothing_lost(self) -> bool:
        """Whether every promise was kept."""
        return (self.total.lost == 0 and self.total.without_receipt == 0 and self.balanced
                and self.total.sent_sum == self.total.found_sum
                and self.peak_rss_mb < MEMORY_MAX_MB)


def drive(folder: Path, seconds: float, seed: int, rate: float,
          tell: Callable[[str], None]) -> Report:
    """Set the scene, play all faults in a random order of this seed, judge."""
    broker, influx = mosquitto(folder / "mosquitto"), influxd(folder / "influxd")
    broker.start()
    influx.start()
    to_broker, to_influx = Proxy(broker.port), Proxy(influx.port)
    ingest = ShiftedIngest(folder / "ingest", to_broker.port,
                           f"http://127.0.0.1:{to_influx.port}/seatwatt",
                           {"SEATWATT_INGEST_JOURNAL_BYTES": str(JOURNAL_BYTES),
                            "SEATWATT_INGEST_KEEPALIVE_S": "5",
                            "SEATWATT_STORE_TIMEOUT_S": "3",
                            "SEATWATT_INGEST_TAKEOVERS": "100"})
    scene = Scene(broker, influx, ingest, to_broker, to_influx, Sender(broker.port, rate, seed),
                  _disk(folder, ingest, tell))
    try:
        start(scene)
        ingest.connected()
        plan = faults(max(0.2, seconds / _USUAL_S), scene.disk is not None)
        Random(seed).shuffle(plan)
        rows = [_play(fault, scene, time.monotonic() - _begin(scene), tell) for fault in plan]
        return _judged(scene, rows, tell)
    finally:
        scene.sender.close()
        for server in (broker, influx):
            server.thaw() if server.process is not None else None
            server.stop()
        if ingest.process is not None and ingest.process.poll() is None:
            ingest.end()
        to_broker.close()
        to_influx.close()
        if scene.disk is not None:
            unmount(scene.disk)


def _disk(folder: Path, ingest: IngestProcess, tell: Callable[[str], None]) -> SmallDisk | None:
    """A small one for ingest's journal and quarantine, that can be filled."""
    try:
        disk = mounted(folder / "disk", DISK_KIB)
    except PermissionError as error:
        tell(f"no disk is filled: {error}")
        return None
    ingest.extra |= {"SEATWATT_INGEST_STATE": str(disk.path),
                     "SEATWATT_LEDGER_URL": f"sqlite:///{disk.path}/ledger.db"}
    return disk


def _begin(scene: Scene) -> float:
    return scene.sender.packs[0].first_sent_s if scene.sender.packs else time.monotonic()


def _play(fault: Fault, scene: Scene, began_s: float, tell: Callable[[str], None]) -> Row:
    first = len(scene.sender.packs)
    fault.begin(scene)
    time.sleep(fault.hold_s)
    fault.end(scene)
    ended = time.monotonic()
    while not _recovered(scene, ended) and time.monotonic() - ended < _RECOVERY_MAX_S:
        time.sleep(0.1)
    recovery_s = time.monotonic() - ended
    scene.see_memory()
    time.sleep(_SETTLE_S)
    row = Row(fault.name, began_s, ended - _begin(scene), recovery_s,
              (first, len(scene.sender.packs)))
    tell(f"{row.name}: {row.began_s:.0f} to {row.ended_s:.0f} s, recovered in {recovery_s:.1f} s")
    return row


def _recovered(scene: Scene, since_s: float) -> bool:
    """Whether all that was sent before has its receipt and nothing waits in the journal."""
    return scene.sender.open_before(since_s) == 0 and scene.ingest.metric("journalled") == 0


def _judged(scene: Scene, rows: list[Row], tell: Callable[[str], None]) -> Report:
    scene.sender.stop_sending()
    deadline = time.monotonic() + _RECOVERY_MAX_S
    while ((scene.sender.open or scene.ingest.metric("journalled")
            or scene.ingest.metric("in_flight")) and time.monotonic() < deadline):
        time.sleep(0.2)
    balanced = scene.ingest.metric("balanced") == 1.0
    scene.see_memory()
    stored, quarantined = stored_values(scene.influx), quarantined_packs(scene.ingest)
    for row in rows:
        row.verdict = judge(scene.sender.packs[slice(*row.packs)], stored, quarantined)
    report = Report(rows, judge(scene.sender.packs, stored, quarantined), scene.peak_rss_mb,
                    scene.sender.noise, balanced)
    for line in table(report):
        tell(line)
    return report


def table(report: Report) -> list[str]:
    """The report, a line a fault."""
    head = (f"{'fault':33} {'from s':>7} {'to s':>7} {'sent':>8} {'stored':>8} {'quarant.':>8} "
            f"{'lost':>5} {'recovery s':>10}")
    lines = [head, "-" * len(head)]
    for row in report.rows:
        v = row.verdict
        lines.append(f"{row.name:33} {row.began_s:7.1f} {row.ended_s:7.1f} {v.sent:8,} "
                     f"{v.stored:8,} {v.quarantined:8,} {v.lost:5,} {row.recovery_s:10.1f}")
    v = report.total
    return [*lines, "-" * len(head),
            f"{'all':49} {v.sent:8,} {v.stored:8,} {v.quarantined:8,} {v.lost:5,}",
            f"values sent {v.sent_sum:,}, found {v.found_sum:,}; {report.noise:,} malformed "
            f"messages beside them; without receipt {v.without_receipt:,}",
            f"ingest: account balanced: {'yes' if report.balanced else 'no'}; peak memory "
            f"{report.peak_rss_mb:.0f} MB (bound {MEMORY_MAX_MB:.0f})",
            "nothing was lost" if report.nothing_lost else "A PROMISE WAS BROKEN"]

"""Gateway, broker and ingest killed with -9 in turn, at random instants, over real servers.

SEATWATT_CHAOS_S sets how long (45 s by default), SEATWATT_CHAOS_SEED the instants.
"""

import os
import random
import signal
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import Server
from tests.services.ingest_kit import IngestProcess, influx_url, query, until
from tests.services.spool_kit import SEATS, GatewayProcess, register_wh

LASTS_S = float(os.environ.get("SEATWATT_CHAOS_S", "45"))
SEED = int(os.environ.get("SEATWATT_CHAOS_SEED", "20261122"))
_MARGIN_MS = 1000
"""What was taken within a second before the gateway was killed may be lost."""


@dataclass
class Kill:
    """One kill."""

    victim: str
    at_ms: int


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _kill_in_turn(gateway: GatewayProcess, broker: Server, ingest: IngestProcess) -> list[Kill]:
    chance = random.Random(SEED)
    kills: list[Kill] = []
    ends_s = time.monotonic() + LASTS_S
    while time.monotonic() < ends_s:
        for victim in ("gateway", "broker", "ingest"):
            time.sleep(chance.uniform(1.0, 5.0))
            if victim == "gateway":
                gateway.end(signal.SIGKILL)
            elif victim == "broker":
                broker.kill()
            else:
                ingest.end(signal.SIGKILL)
            kills.append(Kill(victim, _now_ms()))
            time.sleep(chance.uniform(0.1, 1.5))
            {"gateway": gateway.start, "broker": broker.start, "ingest": ingest.start}[victim]()
    return kills


def _stored(influx: Server) -> dict[tuple[int, int], float]:
    """(seat, taken at) -> register."""
    rows = query(influx, 'SELECT energy_wh, device FROM seat')
    return {(int(row[2]), int(row[0])): row[1] for row in rows}


@pytest.mark.timeout(LASTS_S + 240)
def test_every_register_reading_taken_is_stored_once(
        broker: Server, influx: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    ingest = IngestProcess(tmp_path / "ingest", broker.port, influx_url(influx)).start().connected()
    gateway = GatewayProcess(tmp_path / "gateway", broker.port).start()
    try:
        kills = _kill_in_turn(gateway, broker, ingest)
        time.sleep(1.5)
        gateway.enough()
        time.sleep(1.5)
        until(lambda: gateway.counts()["packs"] <= 1, "the spool empties", 120)
        until(lambda: ingest.metric("journalled") <= 0, "the journal empties")
    finally:
        gateway.end()
        ingest.end()
    taken = {(seat, at_ms) for at_ms in gateway.taken() for seat in range(SEATS)}
    stored = _stored(influx)
    missing = sorted({at_ms for _, at_ms in taken - stored.keys()})
    counts = gateway.counts()
    _print(capsys, kills, len(taken), counts, stored)
    killed_ms = [kill.at_ms for kill in kills if kill.victim == "gateway"]
    assert [at_ms for at_ms in missing
            if not any(0 <= kill_ms - at_ms <= _MARGIN_MS for kill_ms in killed_ms)] == []
    assert stored.keys() - taken == set()
    assert all(register_wh(*key) == value for key, value in stored.items())
    assert _resent(counts) > 0
    assert {kill.victim for kill in kills} == {"gateway", "broker", "ingest"}


def _resent(counts: dict[str, int]) -> int:
    """Packs sent more often than once; by a gateway that was killed, too."""
    return counts["sent_packs"] - counts["made"]


def _print(capsys: pytest.CaptureFixture[str], kills: list[Kill], taken: int,
           counts: dict[str, int], stored: dict[tuple[int, int], float]) -> None:
    victims = [kill.victim for kill in kills]
    with capsys.disabled():
        print(f"\nkilled -9: gateway {victims.count('gateway')}, broker "
              f"{victims.count('broker')}, ingest {victims.count('ingest')} times "
              f"(seed {SEED})\n"
              f"taken    {taken:9,} register readings\n"
              f"spooled  {counts['spooled_readings']:9,}\n"
              f"resent   {_resent(counts):9,} packs of {counts['made']:,}\n"
              f"stored   {len(stored):9,}, none twice; {taken - len(stored):,} lost, taken within "
              f"{_MARGIN_MS / 1000:.0f} s before the gateway was killed")

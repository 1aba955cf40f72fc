"""What became of every reading: asked of the store and the quarantine, not of ingest."""

import json
from dataclasses import dataclass

from tests.chaos.sender import SEATS, SITE, Pack
from tests.servers import Server
from tests.services.ingest_kit import IngestProcess, query


@dataclass
class Verdict:
    """Counts of readings of some packs."""

    sent: int = 0
    stored: int = 0
    quarantined: int = 0
    lost: int = 0
    """Receipted, and neither stored nor in a quarantined message."""
    without_receipt: int = 0
    sent_sum: int = 0
    found_sum: int = 0
    """Of the values of sent readings, and of those found in store or quarantine."""


def stored_values(influx: Server) -> set[int]:
    """Every value in the store."""
    rows = query(influx, f"SELECT energy_wh FROM seat WHERE site = '{SITE}'")
    return {int(row[1]) for row in rows}


def quarantined_packs(ingest: IngestProcess) -> set[int]:
    """Numbers of packs of which something lies in the quarantine."""
    found = set()
    for kept in ingest.quarantined():
        if "/pack/" in kept.message.topic:
            ids = [record["vs"] for record in json.loads(kept.message.payload) if "vs" in record]
            found.add(int(ids[0].partition("-")[2]))
    return found


def judge(packs: list[Pack], stored: set[int], quarantined: set[int]) -> Verdict:
    """The verdict on these packs."""
    verdict = Verdict()
    for pack in packs:
        for value in range(pack.number * SEATS, (pack.number + 1) * SEATS):
            verdict.sent += 1
            verdict.sent_sum += value
            if value in stored:
                verdict.stored += 1
            elif pack.number in quarantined:
                verdict.quarantined += 1
            elif pack.receipted:
                verdict.lost += 1
                continue
            else:
                verdict.without_receipt += 1
                continue
            verdict.found_sum += value
    return verdict

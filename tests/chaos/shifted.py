"""An ingest worker whose clock runs as a file says: the milliseconds to add, read at each look."""

import logging
import sys
from pathlib import Path

from seatwatt.cli._ingest_worker import clock_ms, run_worker
from seatwatt.cli.ingest import on_signals
from seatwatt.settings import IngestSettings


def main() -> None:
    """The folder of the file is the state folder."""
    logging.basicConfig(level=logging.INFO, stream=sys.stderr,
                        format="%(asctime)s %(levelname)s %(message)s")
    settings = IngestSettings.load()
    shift = settings.ingest_state / "clock-shift-ms"

    def clock() -> int:
        return clock_ms() + (int(shift.read_text()) if shift.exists() else 0)

    Path(settings.ingest_state).mkdir(parents=True, exist_ok=True)
    run_worker(settings, settings.ingest_metrics_port, on_signals(), clock)


main()

"""`python -m tests.chaos`: break every part under load and report what was lost."""

import argparse
import sys
import tempfile
from pathlib import Path

from tests.chaos.driver import drive


def main() -> int:
    """0 when nothing was lost."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--seconds", type=float, default=300.0, help="about how long")
    parser.add_argument("--seed", type=int, default=20261122)
    parser.add_argument("--rate", type=float, default=20.0, help="packs of 50 readings a second")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="seatwatt-chaos-") as folder:
        report = drive(Path(folder), given.seconds, given.seed, given.rate, print)
    return 0 if report.nothing_lost else 1


sys.exit(main())

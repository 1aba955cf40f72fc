"""Where the real captures lie; tests that need them are skipped where they are absent."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("SEATWATT_SHARED", ROOT.parent / "shared"))


def shared(path: str) -> Path:
    """The capture at `path` below the shared folder; skips the test when it is absent."""
    found = SHARED / path
    if not found.exists():
        pytest.skip(f"real capture {path} is not here (set SEATWATT_SHARED)")
    return found

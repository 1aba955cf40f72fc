"""What a benchmark says about the machine it ran on."""

import os
import platform
import resource
from pathlib import Path

import numpy as np


def environment_lines() -> list[str]:
    """Python, NumPy, processor, what else keeps it busy, and memory, a line each."""
    return [f"python {platform.python_version()}, numpy {np.__version__}, {platform.system()}",
            f"{os.cpu_count()} cores: {_processor()}, load {os.getloadavg()[0]:.1f} at the start",
            f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.1f} GiB memory"]


def peak_memory_mb() -> float:
    """Most memory this process has held so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


def _processor() -> str:
    known = Path("/proc/cpuinfo")
    lines = known.read_text(encoding="utf-8").splitlines() if known.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or "unknown"

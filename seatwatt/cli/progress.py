"""Progress of long work: a bar on a terminal, a plain line now and then anywhere else."""

import sys
import time
from typing import Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

LINE_EVERY_S = 5.0


class Work:
    """Shows how far some work has come, on standard error. Total 0: unknown."""

    def __init__(self, label: str, total: int, unit: str) -> None:
        self._label, self._total, self._unit, self._done = label, total, unit, 0
        self._bar: Progress | None = None
        self._task = TaskID(0)
        self._said_at_s = self._since_s = time.monotonic()
        if sys.stderr.isatty():
            self._bar = Progress(TextColumn("{task.description}"), BarColumn(),
                                 MofNCompleteColumn(), TextColumn(unit), TimeRemainingColumn(),
                                 console=Console(stderr=True))

    def __enter__(self) -> Self:
        if self._bar is not None:
            self._bar.start()
            self._task = self._bar.add_task(self._label, total=self._total or None)
        return self

    def __exit__(self, kind: object, *_: object) -> None:
        if self._bar is not None:
            self._bar.stop()
        elif self._done and kind is None:
            self._say()

    def to(self, done: int) -> None:
        """So much is done in all."""
        self._done = done
        if self._bar is not None:
            self._bar.update(self._task, completed=done)
        elif time.monotonic() - self._said_at_s >= LINE_EVERY_S:
            self._say()

    def advance(self, by: int = 1) -> None:
        """So much more is done."""
        self.to(self._done + by)

    @property
    def elapsed_s(self) -> float:
        """Seconds since the work began."""
        return time.monotonic() - self._since_s

    def _say(self) -> None:
        self._said_at_s = time.monotonic()
        of = f" of {self._total:,}" if self._total else ""
        print(f"{self._label}: {self._done:,}{of} {self._unit} ({self.elapsed_s:.0f} s)",
              file=sys.stderr, flush=True)

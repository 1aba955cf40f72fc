"""Which topic filters the broker's session of this client id holds, remembered on disk.

The session outlives us: a filter that is no longer wanted must be unsubscribed by name.
"""

import json
import logging
import os
from pathlib import Path

LOG = logging.getLogger("seatwatt.ingest")


class Subscriptions:
    """The wanted filters, and those an earlier start may have left in the session."""

    def __init__(self, path: Path, wanted: tuple[str, ...], welcome: tuple[str, ...] = ()) -> None:
        """`welcome`: what a broker may refuse us."""
        self._path = path
        self.wanted, self.welcome = wanted, welcome
        self._kept = self._read()
        self.removed = tuple(sorted(self._kept - {*wanted, *welcome}))

    def asked(self) -> None:
        """Before subscribing: from now on the session may hold old and new ones."""
        self._write({*self.wanted, *self.welcome, *self.removed})

    def removal_confirmed(self) -> None:
        """The broker let go of the old ones."""
        self.removed = ()
        self._write({*self.wanted, *self.welcome})

    def _read(self) -> set[str]:
        try:
            found = json.loads(self._path.read_text(encoding="utf-8"))
        except (FileNotFoundError, ValueError):
            return set()
        return {name for name in found if isinstance(name, str)}

    def _write(self, filters: set[str]) -> None:
        if filters == self._kept:
            return
        beside = self._path.with_suffix(".new")
        try:
            beside.write_text(json.dumps(sorted(filters)), encoding="utf-8")
            os.replace(beside, self._path)
        except OSError as error:
            # On a full disk readings can still go to the store; what is forgotten here is a
            # filter too many, should it ever be changed.
            LOG.error("%s cannot be written: %s", self._path, error.strerror)
        else:
            self._kept = filters

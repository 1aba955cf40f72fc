"""The declared sites out of the ledger, parsed once a revision."""

import threading

from sqlalchemy import Engine

from seatwatt.contract.errors import InputError
from seatwatt.ledger.sites import Declared, list_sites, load_declared

_REMEMBERED = 64


class LedgerDeclarations:
    """Asks the ledger for revisions each time (one short query), for a whole site only when its
    revision is new: building a site of 350 seats takes longer than showing it."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._known: dict[str, Declared] = {}
        self._lock = threading.Lock()

    def ids(self) -> list[str]:
        """Ids of all declared sites, sorted."""
        return [head.id for head in list_sites(self._engine)]

    def load(self, site_id: str) -> Declared:
        """The site as it is declared now; InputError when there is none."""
        revisions = {head.id: head.revision for head in list_sites(self._engine)}
        if site_id not in revisions:
            raise InputError("site", f"{site_id!r} is not declared",
                             ", ".join(revisions) or "a site (seatwatt site apply FILE)")
        with self._lock:
            known = self._known.get(site_id)
        if known is not None and known.revision == revisions[site_id]:
            return known
        return self._remember(load_declared(self._engine, site_id))

    def _remember(self, declared: Declared) -> Declared:
        with self._lock:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            self._known[declared.site.id] = declared
        return declared

    def ping(self) -> None:
        """Return when the ledger answers; StoreUnavailable when not."""
        list_sites(self._engine)

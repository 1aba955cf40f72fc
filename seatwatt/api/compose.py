"""Services on the real store and ledger, for whoever starts the API: the command or the demo."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from seatwatt.api.access import Keys, OpenAccess
from seatwatt.api.aside import Aside, Setup
from seatwatt.api.declarations import LedgerDeclarations
from seatwatt.api.keys import LedgerKeys, make_first_key
from seatwatt.api.services import Publish, Services
from seatwatt.api.settling import settle
from seatwatt.contract.errors import SettingsError
from seatwatt.ledger.open import open_engine
from seatwatt.settings import ApiSettings, LedgerSettings, StoreSettings
from seatwatt.store.open import open_reader, open_writer


@contextmanager
def open_services(api: ApiSettings, store: StoreSettings, ledger: LedgerSettings,
                  clock: Callable[[], int], publish: Publish | None = None,
                  aside: bool = False) -> Iterator[Services]:
    """Services while the block runs; store and ledger are closed after it. Without `publish`
    quarantined messages are not replayed from here; with `aside` another process computes."""
    beside = Aside(Setup(api, store, ledger)) if aside else None
    engine = open_engine(ledger)
    reader, writer = open_reader(store), open_writer(store)
    try:
        yield Services(reader=reader, writer=writer, ledger=engine,
                       declarations=LedgerDeclarations(engine), settle=settle,
                       publish=publish or _no_broker, clock=clock, settings=api,
                       aside=beside)
    finally:
        if beside is not None:
            beside.close()
        reader.close()
        writer.close()
        engine.dispose()


def _no_broker(_: Sequence[tuple[str, bytes]]) -> None:
    raise SettingsError("this API was started without a broker; "
                        "replay with `seatwatt quarantine replay`")


def open_keys(services: Services, tell: Callable[[str], None]) -> Keys:
    """The keys of the ledger, or nobody asked for one where access is open.

    The very first start makes one operator key and tells it, this once.
    """
    if services.settings.api_access == "open":
        return OpenAccess()
    secret = make_first_key(services.ledger, services.clock())
    if secret is not None:
        tell(f"operator key, shown this once: {secret}")
    return LedgerKeys(services.ledger, services.clock, services.settings)

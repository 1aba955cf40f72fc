"""Stores filled from recordings, and the API over them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from fastapi.testclient import TestClient

from seatwatt.api.access import OpenAccess
from seatwatt.api.app import create_app
from seatwatt.api.compose import open_services
from seatwatt.api.services import Services
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.senml import decode
from seatwatt.contract.site import Site
from seatwatt.contract.topics import Topic
from seatwatt.ledger.sites import save_site
from seatwatt.settings import ApiSettings, LedgerSettings, StoreSettings
from seatwatt.store.ports import Writer
from seatwatt.store.recording import read_messages

NOW_MS = 1_900_000_000_000
_BATCH = 50_000


def fill(writer: Writer, recording: Path) -> int:
    """Write a recording's readings in order of arrival, as ingest does; how many there were."""
    book, batch, count = SeriesBook(), ReadingBatch(), 0
    messages = sorted(read_messages(recording), key=lambda message: message.received_at_ms)
    for message in messages:
        decoded = decode(message.payload, Topic.parse(message.topic), message.received_at_ms, book)
        batch.extend(decoded.batch)
        if len(batch) >= _BATCH:
            writer.write(batch)
            count, batch = count + len(batch), ReadingBatch()
    writer.write(batch)
    return count + len(batch)


@contextmanager
def services_on(store: StoreSettings, folder: Path, now_ms: int = NOW_MS,
                clock: Callable[[], int] | None = None) -> Iterator[Services]:
    """Services on a store and a SQLite ledger in `folder`; the clock stands, in 2030 by
    default; what is published goes nowhere."""
    ledger = LedgerSettings(ledger_url=f"sqlite:///{folder}/ledger.db")
    api = ApiSettings(api_access="open", api_jobs=False)
    with open_services(api, store, ledger, clock or (lambda: now_ms), lambda _: None) as services:
        yield services


@contextmanager
def client_on(services: Services) -> Iterator[TestClient]:
    """A client of the API over `services`."""
    with TestClient(create_app(services, OpenAccess()), raise_server_exceptions=False) as client:
        yield client


def declare(services: Services, site: Site) -> None:
    """Put the site in the ledger."""
    save_site(services.ledger, site, "test", NOW_MS)

"""`seatwatt ingest --check FILE`: is everything that was sent stored or quarantined?"""

import hashlib
from contextlib import suppress
from pathlib import Path

import msgspec
from sqlalchemy import Engine

from seatwatt.contract.errors import SeatwattError, SettingsError
from seatwatt.contract.senml import decode
from seatwatt.ingest.check import compare
from seatwatt.ledger.open import open_existing
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.store.open import open_reader, store_place
from seatwatt.store.recording import read_messages

_PAGE = 1_000
_SHOWN = 10


def check(file: Path) -> None:
    """Print what became of the messages of a recording; SeatwattError when any is missing."""
    engine, store = open_existing(LedgerSettings.load()), StoreSettings.load()
    place = store_place(store)
    if isinstance(place, Path) and not place.exists():
        raise SettingsError(f"SEATWATT_STORE_URL: there is no store {place}; expected one that "
                            "ingest has made")
    reader = open_reader(store)
    try:
        kept = _digests(engine)
        found = compare(read_messages(file), decode, reader,
                        lambda topic, payload: _digest(topic, payload) in kept)
    finally:
        reader.close()
        engine.dispose()
    print(f"{found.messages:,} messages sent ({found.aside:,} of them no readings), "
          f"{found.readings:,} readings: {found.stored:,} stored, "
          f"{found.quarantined:,} quarantined, {len(found.missing):,} missing")
    for name in found.missing[:_SHOWN]:
        print(f"missing: {name}")
    if found.missing:
        raise SeatwattError(f"{file}: {len(found.missing):,} of what was sent is neither stored "
                            "nor quarantined")


def _digests(engine: Engine) -> set[bytes]:
    quarantine, found, after = Quarantine(engine), set(), 0
    while page := quarantine.list(limit=_PAGE, after_id=after):
        found |= {_digest(row.message.topic, row.message.payload) for row in page}
        after = page[-1].id
    return found


def _digest(topic: str, payload: bytes) -> bytes:
    """Of JSON what it says: a recording need not keep the sender's blanks."""
    with suppress(msgspec.MsgspecError, UnicodeError, RecursionError):  # then it is as it came
        payload = msgspec.json.encode(msgspec.json.decode(payload))
    return hashlib.sha256(topic.encode() + b"\0" + payload).digest()

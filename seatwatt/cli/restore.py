"""`seatwatt restore`: ledger and embedded store brought back from a backup."""

import tempfile
from pathlib import Path
from typing import Annotated

import typer

from seatwatt.cli import _archive
from seatwatt.cli._archive import LEDGER, STORE, Manifest
from seatwatt.contract.errors import InputError
from seatwatt.ledger.backup import check_ledger_replaceable, ledger_version, restore_ledger
from seatwatt.ledger.open import ledger_file
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.sqlite_copy import check_replaceable, rows_by_table
from seatwatt.store.backup import check_store, restore_store
from seatwatt.store.open import open_reader, open_writer, store_place
from seatwatt.store.sqlite_reader import SqliteReader
from seatwatt.store.transfer import transfer

app = typer.Typer(add_completion=False)


@app.command()
def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="an archive of `backup`")],
            force: Annotated[bool, typer.Option("--force", help="replace what is there")] = False,
            ledger_only: Annotated[bool, typer.Option(
                "--ledger-only", help="leave the store alone, as where it is an InfluxDB")] = False
            ) -> None:
    """Bring back what `backup` saved, to where the settings say; stop every service first.

    Nothing is changed unless all of the archive is sound and nothing there is overwritten unasked.
    A ledger may come back to another kind of database than it came from, and an embedded store
    to an InfluxDB: what is there already stays.

    Example: seatwatt restore seatwatt-2026-11-01.tar.gz
    """
    ledger, store = LedgerSettings.load(), StoreSettings.load()
    where = store_place(store)
    # A container has no other place to write to than TMPDIR, where both are servers.
    beside = where if isinstance(where, Path) else ledger_file(ledger) \
        or Path(tempfile.gettempdir()) / "restored"
    with _archive.workplace(beside) as folder:
        manifest = _archive.read(file, folder)
        has_store = STORE in manifest.parts and not ledger_only
        store_file = where if has_store and isinstance(where, Path) else None
        # All that may go wrong is asked first: after this only the disk can refuse.
        if LEDGER in manifest.parts:
            ledger_version(folder / LEDGER)
            check_ledger_replaceable(ledger, force=force)
        if has_store:
            check_store(folder / STORE)
        if store_file is not None:
            check_replaceable(store_file, force=force)
            restore_store(folder / STORE, store_file)
        elif has_store:
            _to_server(folder / STORE, store, force=force)
        if LEDGER in manifest.parts:
            restore_ledger(folder / LEDGER, ledger)
    _report(manifest, store_file)
    if not has_store:
        print("the store was left alone")


def _to_server(copy: Path, store: StoreSettings, *, force: bool) -> None:
    """Write the archive's store into a server, which must not have readings of its sites unless
    forced."""
    source, writer, reader = SqliteReader(copy), open_writer(store), open_reader(store)
    try:
        writer.ping()
        both = set(source.sites()) & set(reader.sites())
        if both and not force:
            raise InputError("SEATWATT_STORE_URL", f"it has readings of {', '.join(sorted(both))}",
                             "an empty database, or --force to add to them")
        readings, points = transfer(source, writer, lambda site: print(f"{site}: written"))
        print(f"{readings} readings and {points} derived points written to {store.store_url}")
    finally:
        for each in (source, writer, reader):
            each.close()


def _report(manifest: Manifest, store_file: Path | None) -> None:
    print(f"backup of {manifest.made_at}, by Seatwatt {manifest.seatwatt}")
    for name, part in manifest.parts.items():
        if name == LEDGER or store_file is not None:
            print(f"{name}: {sum(part.rows.values())} rows are back")
    if store_file is not None:
        print(f"{store_file}: {sum(rows_by_table(store_file).values())} rows")

"""`seatwatt restore`: ledger and embedded store brought back from a backup."""

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
from seatwatt.store.open import store_place

app = typer.Typer(add_completion=False)


@app.command()
def restore(file: Annotated[Path, typer.Argument(metavar="FILE", help="an archive of `backup`")],
            force: Annotated[bool, typer.Option("--force", help="replace what is there")] = False,
            ledger_only: Annotated[bool, typer.Option(
                "--ledger-only", help="leave the store alone, as where it is an InfluxDB")] = False
            ) -> None:
    """Bring back what `backup` saved, to where the settings say; stop every service first.

    Nothing is changed unless all of the archive is sound and nothing there is overwritten unasked.
    A ledger may come back to another kind of database than it came from.

    Example: seatwatt restore seatwatt-2026-11-01.tar.gz
    """
    ledger, store = LedgerSettings.load(), StoreSettings.load()
    where = store_place(store)
    beside = where if isinstance(where, Path) else ledger_file(ledger) or Path.cwd() / "restored"
    with _archive.workplace(beside) as folder:
        manifest = _archive.read(file, folder)
        store_file = _store_file(file, manifest, where, ledger_only)
        # All that may go wrong is asked first: after this only the disk can refuse.
        if LEDGER in manifest.parts:
            ledger_version(folder / LEDGER)
            check_ledger_replaceable(ledger, force=force)
        if store_file is not None:
            check_store(folder / STORE)
            check_replaceable(store_file, force=force)
            restore_store(folder / STORE, store_file)
        if LEDGER in manifest.parts:
            restore_ledger(folder / LEDGER, ledger)
    _report(manifest, store_file)


def _store_file(file: Path, manifest: Manifest, where: object, ledger_only: bool) -> Path | None:
    if STORE not in manifest.parts or ledger_only:
        return None
    if not isinstance(where, Path):
        raise InputError(str(file), "it holds an embedded store, but SEATWATT_STORE_URL names a "
                         "server", "sqlite:///FILE, or --ledger-only")
    return where


def _report(manifest: Manifest, store_file: Path | None) -> None:
    print(f"backup of {manifest.made_at}, by Seatwatt {manifest.seatwatt}")
    for name, part in manifest.parts.items():
        if name == LEDGER or store_file is not None:
            print(f"{name}: {sum(part.rows.values())} rows are back")
    if store_file is not None:
        print(f"{store_file}: {sum(rows_by_table(store_file).values())} rows")
    else:
        print("the store was left alone")

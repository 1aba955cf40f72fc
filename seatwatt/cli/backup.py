"""`seatwatt backup`: ledger and embedded store saved while they are used."""

import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from seatwatt import __version__
from seatwatt.cli import _archive
from seatwatt.cli._archive import LEDGER, STORE, Manifest, Part
from seatwatt.ledger.backup import save_ledger
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.sqlite_copy import rows_by_table
from seatwatt.store.backup import save_store
from seatwatt.store.open import store_place
from seatwatt.store.sqlite_file import SCHEMA_VERSION

app = typer.Typer(add_completion=False)


@app.command()
def backup(out: Annotated[Path, typer.Option("--out", metavar="FILE.tar.gz",
                                             help="the archive to write")],
           force: Annotated[bool, typer.Option("--force", help="replace an archive that is there")]
           = False) -> None:
    """Save the ledger and the embedded store into one archive; every service may go on.

    InfluxDB is saved by its own tool (docs/security.md). The archive holds what is known about
    people and the digests of API keys: keep it as you keep them.

    Example: seatwatt backup --out seatwatt-2026-11-01.tar.gz
    """
    ledger, where = LedgerSettings.load(), store_place(StoreSettings.load())
    _archive.check_target(out, force=force)
    with _archive.workplace(out) as folder:
        # The ledger first: what it says of readings was stored before, so the store has them.
        _say("copying the ledger")
        parts = {LEDGER: _part(folder / LEDGER, save_ledger(ledger, folder / LEDGER))}
        if isinstance(where, Path):
            _say("copying the store")
            save_store(where, folder / STORE)
            parts[STORE] = _part(folder / STORE, str(SCHEMA_VERSION))
        else:
            _say("the store is an InfluxDB: save it by `influxd backup -portable`")
        _say("packing")
        manifest = Manifest(format=_archive.FORMAT, seatwatt=__version__, made_at=_now(),
                            parts=parts)
        _archive.write(out, manifest, {name: folder / name for name in parts})
    _report(out, manifest)


def _part(file: Path, version: str) -> Part:
    return Part(sha256=_archive.digest(file), bytes=file.stat().st_size, version=version,
                rows=rows_by_table(file))


def _report(out: Path, manifest: Manifest) -> None:
    for name, part in manifest.parts.items():
        print(f"{name}: {sum(part.rows.values())} rows, {part.bytes} bytes, "
              f"sha256 {part.sha256[:16]}")
    print(f"{out}: {out.stat().st_size} bytes")


def _say(step: str) -> None:
    print(f"{step} ...", file=sys.stderr)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")  # noqa: TID251  # a root

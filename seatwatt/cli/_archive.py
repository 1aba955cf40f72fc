"""The archive of a backup: a gzipped tar of `manifest.json` and SQLite files it vouches for."""

import hashlib
import json
import os
import tarfile
import tempfile
import zlib
from collections.abc import Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from seatwatt.contract.errors import InputError

FORMAT = 1
MANIFEST = "manifest.json"
LEDGER, STORE = "ledger.db", "store.db"
_PIECE = 1 << 20
_MANIFEST_BYTES_MAX = 1 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One file of an archive: what version it is, and what must come out again."""

    sha256: str
    bytes: int
    version: str
    rows: dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an archive holds: parts by file name. `made_at` is RFC 3339."""

    format: int
    seatwatt: str
    made_at: str
    parts: dict[str, Part]


def digest(file: Path) -> str:
    """SHA-256 of a file."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def check_target(out: Path, *, force: bool) -> None:
    """InputError when `out` cannot become an archive, before anything is copied for it."""
    if not out.parent.is_dir():
        raise InputError(str(out), f"there is no folder {out.parent}", "one that is there")
    if out.is_dir():
        raise InputError(str(out), "it is a folder", "the name of a file in it")
    if out.exists() and not force:
        raise InputError(str(out), "it is there already", "a new name, or --force")


def write(out: Path, manifest: Manifest, files: Mapping[str, Path]) -> None:
    """`out` becomes the archive, whole or not at all, readable by its owner alone."""
    try:
        handle, beside = tempfile.mkstemp(dir=out.parent, prefix=f".{out.name}.")
    except OSError as error:
        raise InputError(str(out), f"it cannot be written: {error.strerror}") from None
    try:
        with os.fdopen(handle, "wb") as raw:
            with tarfile.open(fileobj=raw, mode="w:gz", compresslevel=6) as archive:
                _add(archive, MANIFEST, json.dumps(asdict(manifest), indent=2).encode())
                for name, file in files.items():
                    archive.add(file, name, filter=_anonymous)
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(beside, out)
    except BaseException as error:
        Path(beside).unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise InputError(str(out), f"it cannot be written: {error.strerror}") from None
        raise


def read(source: Path, folder: Path) -> Manifest:
    """Unpack what the manifest vouches for into `folder`. InputError, one line, for an archive
    that is missing, damaged, changed or of another kind; nothing else in it is touched."""
    with _damage_named(source), tarfile.open(source, "r:gz") as archive:
        first = archive.next()
        if first is None or first.name != MANIFEST or first.size > _MANIFEST_BYTES_MAX:
            raise InputError(str(source), "it is no backup of Seatwatt", f"{MANIFEST} first in it")
        manifest = _manifest(_opened(archive, first).read())
        missing = set(manifest.parts)
        for member in archive:
            if member.name in missing:
                _unpack(_opened(archive, member), manifest.parts[member.name],
                        folder / member.name)
                missing.discard(member.name)
        if missing:
            raise ValueError(f"{min(missing)} is missing")
        return manifest


@contextmanager
def _damage_named(source: Path) -> Any:
    try:
        yield
    except FileNotFoundError:
        raise InputError(str(source), "there is no such file") from None
    except (tarfile.TarError, zlib.error, EOFError, ValueError, KeyError, TypeError,
            AttributeError, OSError) as error:
        raise InputError(str(source), f"it is damaged, or no backup: {error}",
                         "a file that `seatwatt backup` has written") from None


def _manifest(text: bytes) -> Manifest:
    told = json.loads(text)
    if told["format"] != FORMAT:
        raise ValueError(f"its format is {told['format']!r}, this version of Seatwatt "
                         f"reads {FORMAT}")
    parts = {name: Part(**part) for name, part in told["parts"].items()}
    if not parts or not set(parts) <= {LEDGER, STORE}:
        raise ValueError(f"its manifest names {', '.join(sorted(parts)) or 'nothing'}")
    return Manifest(**{**told, "parts": parts})


def _opened(archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes]:
    opened = archive.extractfile(member)
    if opened is None:
        raise ValueError(f"{member.name} is no file")
    return opened


def _unpack(opened: IO[bytes], part: Part, target: Path) -> None:
    sha256, left = hashlib.sha256(), part.bytes
    with target.open("wb") as file:
        while left >= 0 and (piece := opened.read(_PIECE)):
            sha256.update(piece)
            file.write(piece)
            left -= len(piece)
    if left or sha256.hexdigest() != part.sha256:
        raise ValueError(f"{target.name} is not what its manifest says")


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    with tempfile.TemporaryFile() as file:
        file.write(data)
        file.seek(0)
        member = tarfile.TarInfo(name)
        member.size, member.mode = len(data), 0o600
        archive.addfile(member, file)


def _anonymous(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


@contextmanager
def workplace(beside: Path) -> Any:
    """A folder for large copies, on the disk where `beside` lies or will lie."""
    with suppress(OSError):
        beside.parent.mkdir(parents=True, exist_ok=True)
    try:
        with tempfile.TemporaryDirectory(dir=beside.parent, prefix=".seatwatt-") as folder:
            yield Path(folder)
    except OSError as error:
        raise InputError(str(beside), f"cannot work beside it: {error.strerror}") from None

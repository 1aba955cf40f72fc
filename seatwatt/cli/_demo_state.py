"""What a demo keeps between runs: which world it is, and the files of store and ledger."""

import fcntl
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from pathlib import Path
from zoneinfo import ZoneInfo

from seatwatt.contract.errors import InputError, SettingsError
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.store.sitefiles import load_site

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"
KNOWN = ("workaround", "e-rozgar")
WORLD = "world.json"
LEAD_MS = 3_600_000
"""History begins so long before the month, so that its first boundary lies between readings."""


@dataclass(frozen=True, slots=True)
class DemoState:
    """One simulated world and where its readings rest."""

    site: Site
    folder: Path
    seed: int
    since: date
    """The world's first day: its registers count from there, in every run."""
    first_ms: int
    """Where history begins."""
    whole_until_ms: int
    """Up to when an earlier run saw all of it stored; 0: no run did."""

    def whole(self, until_ms: int) -> None:
        """Remember that history is stored up to `until_ms`."""
        kept = self.folder / WORLD
        world = json.loads(kept.read_text()) | {"whole_until_ms": until_ms}
        kept.write_text(json.dumps(world))


@contextmanager
def open_state(site: str, folder: Path | None, fresh: bool, seed: int, now_ms: int
               ) -> Iterator[DemoState]:
    """The state of this site's demo, new or from an earlier run, held for one process alone."""
    file = EXAMPLES / f"{site}.yaml" if site in KNOWN else Path(site)
    model = load_site(file)
    folder = folder or Path("var/demo") / model.id
    with _held(folder):
        if fresh:
            _clear(folder)
        since, whole_until_ms = _world(folder, file, seed, now_ms, model.time_zone)
        first_ms = local_midnight_ms(since + timedelta(days=1), model.time_zone) - LEAD_MS
        yield DemoState(model, folder, seed, since, first_ms, whole_until_ms)


def month_before(now_ms: int, zone: ZoneInfo) -> tuple[int, int]:
    """The last whole local month, in UTC milliseconds."""
    this_month = local_date(now_ms, zone).replace(day=1)
    before = (this_month - timedelta(days=1)).replace(day=1)
    return local_midnight_ms(before, zone), local_midnight_ms(this_month, zone)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w")
    except OSError as error:
        raise SettingsError(f"--state {folder}: {error.strerror}") from None
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SettingsError(f"--state {folder}: another demo is running there") from None
        yield


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir() and path.name == "ingest":
            shutil.rmtree(path)
        elif path.name.startswith(("readings.db", "ledger.db", WORLD)):
            path.unlink()


def _world(folder: Path, file: Path, seed: int, now_ms: int, zone: ZoneInfo) -> tuple[date, int]:
    """The world's first day and up to when it is stored: as an earlier run wrote them, or new."""
    digest = sha256(file.read_bytes()).hexdigest()
    kept = folder / WORLD
    if not kept.exists():
        start = local_date(month_before(now_ms, zone)[0], zone) - timedelta(days=1)
        kept.write_text(json.dumps({"since": start.isoformat(), "seed": seed, "site": digest}))
        return start, 0
    try:
        world = json.loads(kept.read_text())
        since, whole_until_ms = date.fromisoformat(world["since"]), world.get("whole_until_ms", 0)
        kept_seed, kept_digest = world["seed"], world["site"]
    except (ValueError, KeyError, TypeError, AttributeError):
        raise InputError(str(kept), "it is damaged", "--fresh, to begin anew") from None
    if kept_digest != digest or kept_seed != seed:
        what = "the site file" if kept_digest != digest else "the seed"
        raise InputError(str(folder), f"{what} is another one than when this demo began",
                         "--fresh, to begin anew, or another --state folder")
    return since, int(whole_until_ms)

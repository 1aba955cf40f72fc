"""`make env`: random, complete, kept, and closed to others."""

import re
import subprocess
import sys
from pathlib import Path

from tests.deploy.test_compose import FILE, TEXT, mounts
from tests.shared import ROOT


def make(folder: Path) -> str:
    done = subprocess.run([sys.executable, str(ROOT / "deploy/make_env.py"), str(folder)],
                          capture_output=True, text=True, check=True, cwd=ROOT)
    return done.stdout


def test_it_makes_all_that_compose_asks_for(tmp_path: Path) -> None:
    tmp_path /= "new"
    said = make(tmp_path)
    text = (tmp_path / ".env").read_text()
    made = dict(line.split("=", 1) for line in text.splitlines())
    required = set(re.findall(r"\$\{(\w+):\?", TEXT))
    assert required <= set(made)
    options = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", TEXT))
    assert {f"# {name}": value for name, value in options.items()}.items() <= made.items()
    passwords = [value for name, value in made.items()
                 if name.endswith("PASSWORD") and name[0] != "#"]
    assert len(set(passwords)) == len(passwords) == 5
    assert all(len(password) == 48 and password not in said for password in passwords)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    for service in FILE["services"].values():
        for source in mounts(service).values():
            if source.startswith("./secrets/"):
                folder = tmp_path / source
                assert folder.is_dir(), source
                assert all(file.stat().st_mode & 0o077 == 0 for file in folder.iterdir())
    for service in FILE["services"].values():
        for name, value in (service.get("environment") or {}).items():
            if name.startswith("SEATWATT_MQTT") and name.endswith("_FILE"):
                source = mounts(service)[str(Path(value).parent)]
                assert (tmp_path / source / Path(value).name).is_file(), value


def test_again_it_changes_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    make(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_none_of_it_is_committed() -> None:
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert {".env", "/secrets/"} <= set(ignored)

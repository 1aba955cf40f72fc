"""Files that hold secrets: written whole or not at all, readable by their owner alone."""

import json
import os
import pwd
import shutil
import tempfile
from dataclasses import asdict
from pathlib import Path

from seatwatt.contract.errors import InputError
from seatwatt.provision.broker import BrokerPlan
from seatwatt.provision.certificates import Pair


class ProvisionFolder:
    """`ca/` stays with the operator, `broker/` goes to the broker, `clients/NAME/` to each client.

    Whoever cannot read or write it gets an InputError in one line.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()
        self.ca, self.broker = self.root / "ca", self.root / "broker"

    def client(self, name: str) -> Path:
        """The folder of a client."""
        return self.root / "clients" / name

    def plan(self) -> BrokerPlan | None:
        """What the broker was made for; None while there is none."""
        text = self.read(self.root / "broker.json")
        if text is None:
            return None
        try:
            told = json.loads(text)
            return BrokerPlan(**{**told, "hosts": tuple(told["hosts"])})
        except (ValueError, TypeError, KeyError) as error:
            raise InputError(str(self.root / "broker.json"), f"it cannot be used: {error}",
                             "the file that `seatwatt provision broker` wrote") from None

    def keep_plan(self, plan: BrokerPlan) -> None:
        """Remember what the broker is made for."""
        self.write(self.root / "broker.json", (json.dumps(asdict(plan), indent=2) + "\n").encode())

    def read(self, path: Path) -> bytes | None:
        """None when there is no such file."""
        try:
            return path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise InputError(str(path), f"it cannot be read: {error.strerror}") from None

    def pair(self, folder: Path, name: str) -> Pair | None:
        """NAME.pem with NAME.key; None when one is missing."""
        certificate, key = self.read(folder / f"{name}.pem"), self.read(folder / f"{name}.key")
        return Pair(certificate=certificate, key=key) if certificate and key else None

    def write_pair(self, folder: Path, name: str, pair: Pair) -> None:
        """NAME.pem and NAME.key."""
        self.write(folder / f"{name}.key", pair.key)
        self.write(folder / f"{name}.pem", pair.certificate)

    def write(self, path: Path, data: bytes) -> None:
        """Mode 0600, in folders of mode 0700; a file that is there keeps its owner."""
        self.make(path.parent)
        try:
            _replace(path, data)
        except OSError as error:
            raise InputError(str(path), f"it cannot be written: {error.strerror}") from None

    def make(self, folder: Path) -> None:
        """The folder and those above it, up to the root, of mode 0700 where they are made now."""
        missing = [each for each in (folder, *folder.parents)
                   if each.is_relative_to(self.root) and not each.exists()]
        try:
            self.root.parent.mkdir(parents=True, exist_ok=True)
            for each in reversed(missing):
                each.mkdir(mode=0o700)
        except OSError as error:
            raise InputError(str(folder), f"it cannot be made: {error.strerror}") from None

    def check_owner(self, user: str) -> None:
        """InputError when `give_broker_to` could not do it: before anything names that user."""
        try:
            uid = pwd.getpwnam(user).pw_uid
        except KeyError:
            uid = -1
        if uid < 0 or os.geteuid() not in (0, uid):
            raise InputError("--user", f"the broker's folder cannot be given to {user!r}",
                             "a user of this machine, by root")

    def give_broker_to(self, user: str) -> None:
        """The broker's folder to the user it runs as: it reads its files after it dropped root,
        on a way through our folder, whose other contents stay closed to it."""
        try:
            if os.stat(self.broker).st_uid != pwd.getpwnam(user).pw_uid:
                self.root.chmod(0o711)
            for path in (self.broker, *self.broker.rglob("*")):
                shutil.chown(path, user)
        except (LookupError, OSError) as error:
            raise InputError("--user", f"the broker's folder cannot be given to {user!r}: {error}",
                             "a user of this machine, by root") from None


def _replace(path: Path, data: bytes) -> None:
    handle, beside = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if path.exists() and os.geteuid() == 0:
            owner = path.stat()
            os.chown(beside, owner.st_uid, owner.st_gid)
        os.replace(beside, path)
    except BaseException:
        Path(beside).unlink(missing_ok=True)
        raise

"""A disk that is really full: a small file system in memory, mounted for the test."""

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

_LIBC = ctypes.CDLL(None, use_errno=True)
_DETACH = 2


class SmallDisk:
    """A mounted file system of a few megabytes; `ballast` is what fills it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._ballast = path / "ballast"

    @property
    def free_bytes(self) -> int:
        """Bytes left."""
        found = os.statvfs(self.path)
        return found.f_bavail * found.f_frsize

    def fill(self) -> None:
        """Until not one page is left."""
        with self._ballast.open("ab", buffering=0) as file:
            while self.free_bytes:
                file.write(bytes(self.free_bytes))

    def relieve(self) -> None:
        """Take the ballast away."""
        self._ballast.unlink(missing_ok=True)


def mounted(path: Path, size_kib: int) -> SmallDisk:
    """Mounted at `path` until `unmount`; PermissionError where nobody lets us mount."""
    path.mkdir(parents=True)
    options = f"size={size_kib}k".encode()
    if _LIBC.mount(b"seatwatt", os.fsencode(path), b"tmpfs", 0, options) != 0:
        raise PermissionError(f"no file system can be mounted here "
                              f"({os.strerror(ctypes.get_errno())}): that takes root")
    return SmallDisk(path)


def unmount(disk: SmallDisk) -> None:
    """Detached: a process that a failed test left behind may hold a file there."""
    _LIBC.umount2(os.fsencode(disk.path), _DETACH)


@contextmanager
def small_disk(path: Path, size_kib: int) -> Iterator[SmallDisk]:
    """Mounted at `path` while the `with` lasts; skips the test where that is not permitted."""
    try:
        disk = mounted(path, size_kib)
    except PermissionError as error:
        pytest.skip(str(error))
    try:
        yield disk
    finally:
        unmount(disk)

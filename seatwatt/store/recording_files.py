"""Recording files as chunks of whole lines: plain or gzip, UTF-8 without a byte-order mark."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from seatwatt.contract.encoding import check_encoding
from seatwatt.contract.errors import InputError

CHUNK_BYTES = 256 * 1024
"""Lines are parsed this much at a time; one odd line costs its chunk the fast path."""

LINE_BYTES_MAX = 16_000_000
_GZIP = b"\x1f\x8b"

Progress = Callable[[int, int], None]
"""Called with the bytes of a file read so far (as stored) and its size."""


@dataclass(frozen=True, slots=True)
class Chunk:
    """Whole lines of a file, the first of which has the number `line`."""

    line: int
    text: bytes

    def lines(self) -> Iterator[tuple[int, bytes]]:
        """Number and text of each line that is not blank."""
        for index, text in enumerate(self.text.split(b"\n")):
            if text.strip():
                yield self.line + index, text


def is_recording(chunk: Chunk) -> bool:
    """Whether a file that starts so holds messages; else it should be a CSV."""
    return chunk.text.lstrip()[:1] in (b"{", b"[")


def read_chunks(path: Path, progress: Progress | None = None) -> Iterator[Chunk]:
    """The file's lines. Raises InputError when it cannot be read or unpacked, or is not UTF-8."""
    try:
        with path.open("rb") as stored:
            yield from _chunks(path, stored, progress)
    except (gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise InputError(str(path), f"its gzip is damaged: {error}", "a whole file") from None
    except OSError as error:
        raise InputError(str(path), f"cannot be read: {error.strerror}", "a file") from None


def _chunks(path: Path, stored: BinaryIO, progress: Progress | None) -> Iterator[Chunk]:
    size = path.stat().st_size
    packed = stored.read(2) == _GZIP
    stored.seek(0)
    plain = gzip.GzipFile(fileobj=stored) if packed else stored
    line, rest = 1, b""
    while block := plain.read(CHUNK_BYTES):
        if line == 1 and not rest:
            check_encoding(str(path), block)
        whole, newline, rest_of_block = block.rpartition(b"\n")
        if not newline:
            rest += block
            if len(rest) > LINE_BYTES_MAX:
                raise InputError(f"{path}:{line}", "the line is too long",
                                 f"at most {LINE_BYTES_MAX} bytes")
            continue
        text, rest = rest + whole, rest_of_block
        yield Chunk(line, text)
        line += text.count(b"\n") + 1
        if progress:
            progress(stored.tell(), size)
    if rest.strip():
        yield Chunk(line, rest)
    if progress:
        progress(size, size)

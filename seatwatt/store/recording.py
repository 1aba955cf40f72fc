"""Recordings: messages in a file, one JSON object a line, or readings in a CSV; gzip or not.

`{"received_at": RFC 3339, "topic": "...", "payload": <SenML array>}`, with `payload_b64` for bytes
that are not JSON. The columns that metering reads come from `load_recordings`; the messages as they
came, for replay, from `read_messages`.
"""

import gzip
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.store.recording_columns import Columns, Recording
from seatwatt.store.recording_csv import CsvRows
from seatwatt.store.recording_files import Progress, is_recording, read_chunks
from seatwatt.store.recording_load import RecordingLoader
from seatwatt.store.recording_messages import Message, format_line, parse_line

__all__ = ["Columns", "Message", "Progress", "Recording", "load_recordings", "read_messages",
           "write_recording"]


def load_recordings(paths: Sequence[Path], site_id: str, progress: Progress | None = None
                    ) -> Recording:
    """The readings of `site_id` in recordings and CSVs, as if they were one file.

    A message that breaks a T rule is listed in `quarantined`; a file that is neither recording nor
    CSV raises InputError with its line.
    """
    loader = RecordingLoader(check_identifier("site", site_id))
    for path in paths:
        loader.load(path, progress)
    return loader.recording()


def read_messages(path: Path, site_id: str | None = None, progress: Progress | None = None
                  ) -> Iterator[Message]:
    """The messages of a recording in file order, as they came; a CSV's rows as messages of
    `site_id`. Raises InputError with file and line."""
    rows = CsvRows(path)
    recording: bool | None = None
    for chunk in read_chunks(path, progress):
        recording = is_recording(chunk) if recording is None else recording
        if recording:
            for number, line in chunk.lines():
                yield parse_line(f"{path}:{number}", line)
            continue
        for row in rows.rows(chunk):
            if site_id is None:
                raise InputError(str(path), "a CSV does not name its site", "the site's id as well")
            yield rows.message(site_id, row)


def write_recording(path: Path, messages: Iterable[Message]) -> int:
    """Write messages as they come, gzip for a name ending in `.gz`; how many there were."""
    count = 0
    with path.open("wb") as stored, _packed(path, stored) as file:
        for message in messages:
            file.write(format_line(message))
            count += 1
    return count


def _packed(path: Path, stored: BinaryIO) -> BinaryIO | gzip.GzipFile:
    if path.suffix != ".gz":
        return stored
    # Without a time of its own in the header, the same messages make the same file.
    return gzip.GzipFile(filename="", fileobj=stored, mode="wb", compresslevel=6, mtime=0)

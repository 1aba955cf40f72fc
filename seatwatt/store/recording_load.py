"""From files to columns: bulk parsing of chunks, line by line only where one is odd."""

import math
import sys
from pathlib import Path

import msgspec

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Nature
from seatwatt.contract.readings import QuarantinedMessage, Refusal, Series, SeriesBook
from seatwatt.contract.rules import Rule
from seatwatt.contract.senml import YEAR_2000_MS, Names, Record, decode, decode_records
from seatwatt.contract.topics import Topic
from seatwatt.store.recording_columns import ColumnBuilder, Recording
from seatwatt.store.recording_csv import CsvRows
from seatwatt.store.recording_files import Chunk, Progress, is_recording, read_chunks
from seatwatt.store.recording_messages import AwareTime, Message, at_ms, parse_line


class _PlainLine(msgspec.Struct, gc=False):
    """A line whose payload is plain records, as nearly all are."""

    received_at: AwareTime
    topic: str
    payload: list[Record]


_PLAIN = msgspec.json.Decoder(_PlainLine)


class RecordingLoader:
    """Gathers files into one Recording."""

    def __init__(self, site_id: str) -> None:
        # The file bounds the series; forgetting some would part a device's column in two.
        self._book = SeriesBook(limit=sys.maxsize)
        self._names: dict[str, Names] = {}
        self._rows: dict[tuple[str, str, str, str], Series] = {}
        self._columns = ColumnBuilder()
        self._recording = Recording(site_id)

    def recording(self) -> Recording:
        """What was loaded; the loader is done."""
        self._recording.set_columns(self._columns.columns())
        self._recording.readings = self._columns.readings
        return self._recording

    def load(self, path: Path, progress: Progress | None) -> None:
        """Add one file."""
        rows = CsvRows(path)
        recording: bool | None = None
        for chunk in read_chunks(path, progress):
            recording = is_recording(chunk) if recording is None else recording
            if recording:
                self._lines(path, chunk)
            else:
                self._csv(rows, chunk)

    def _lines(self, path: Path, chunk: Chunk) -> None:
        try:
            lines = _PLAIN.decode_lines(chunk.text)
        except (msgspec.MsgspecError, ValueError, RecursionError):
            for number, text in chunk.lines():
                self._line(f"{path}:{number}", text)
            return
        texts: list[tuple[int, bytes]] = []
        for index, line in enumerate(lines):
            names = self._names.get(line.topic) or self._topic_names(line.topic)
            received_at_ms = at_ms(line.received_at)
            decoded = names and decode_records(line.payload, names, received_at_ms)
            if decoded:
                self._recording.messages += 1
                self._columns.add(decoded.batch, received_at_ms)
            else:
                texts = texts or list(chunk.lines())
                number, text = texts[index]
                self._line(f"{path}:{number}", text)

    def _line(self, where: str, text: bytes) -> None:
        self._message(parse_line(where, text), where)

    def _topic_names(self, text: str) -> Names | None:
        topic = self._topic(text)
        if topic is not None:
            self._names[text] = Names.of(topic, self._book)
        return self._names.get(text)

    def _topic(self, text: str) -> Topic | None:
        """A topic of our site that carries readings; None for any other."""
        try:
            topic = Topic.parse(text)
        except InputError:
            return None
        ours = topic.site == self._recording.site_id and topic.carries_readings
        return topic if ours else None

    def _message(self, message: Message, place: str) -> None:
        """Any message: count it where it belongs, keep its readings, quarantine the rest."""
        found = self._recording
        try:
            topic = Topic.parse(message.topic)
        except InputError as error:
            found.messages += 1
            self._quarantine(message, Refusal(Rule.T02, str(error)), place)
            return
        if topic.site != found.site_id:
            found.other_sites[topic.site] = found.other_sites.get(topic.site, 0) + 1
        elif not topic.carries_readings:
            found.others += 1
        else:
            found.messages += 1
            decoded = decode(message.payload, topic, message.received_at_ms, self._book)
            self._columns.add(decoded.batch, message.received_at_ms)
            for refusal in decoded.refusals:
                self._quarantine(message, refusal, place)

    def _quarantine(self, message: Message, refusal: Refusal, place: str) -> None:
        where = "" if refusal.record is None else f"record {refusal.record}: "
        self._recording.refused_at.setdefault(
            refusal.rule, f"{place}: {message.topic}: {refusal.detail}")
        self._recording.quarantined.append(QuarantinedMessage(
            message.topic, message.payload, message.received_at_ms, refusal.rule,
            where + refusal.detail))

    def _csv(self, rows: CsvRows, chunk: Chunk) -> None:
        for row in rows.rows(chunk):
            taken_at_ms = rows.taken_at_ms(row[0])
            number = _number(row[5])
            series = self._rows.get((row[1], row[2], row[3], row[4]))
            if (series is None or taken_at_ms is None or taken_at_ms < YEAR_2000_MS
                    or not series.quantity.low <= number <= series.quantity.high
                    or (series.quantity.nature is Nature.STATE and 0 < number < 1)):
                self._row(rows, row)
            else:
                self._recording.messages += 1
                self._columns.add_one(series, taken_at_ms, number)

    def _row(self, rows: CsvRows, row: list[str]) -> None:
        """A row as a message, and its series remembered when its numbers need no other check."""
        message = rows.message(self._recording.site_id, row)
        self._message(message, rows.place())
        topic = self._topic(message.topic)
        quantity = topic and QUANTITIES.get((topic.kind, row[4]))
        if topic and quantity and quantity.nature is not Nature.TEXT:
            device = Device(topic.kind, topic.zone, topic.device)
            self._rows[row[1], row[2], row[3], row[4]] = self._book.get(
                topic.site, device, quantity)


def _number(text: str) -> float:
    """NaN, which is within no bounds, for what is no number."""
    try:
        return float(text)
    except ValueError:
        return math.nan

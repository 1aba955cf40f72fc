"""One message as a line of a recording, and back."""

import base64
import binascii
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from seatwatt.contract.encoding import MARK, marked
from seatwatt.contract.errors import InputError

AwareTime = Annotated[datetime, msgspec.Meta(tz=True)]

_EXPECTED = '{"received_at": RFC 3339, "topic": text, "payload": array}'


@dataclass(frozen=True, slots=True)
class Message:
    """A message as the broker carried it; when it was received in UTC milliseconds since 1970."""

    received_at_ms: int
    topic: str
    payload: bytes


class _Line(msgspec.Struct, gc=False):
    received_at: AwareTime
    topic: str
    payload: msgspec.Raw | UnsetType = UNSET
    payload_b64: str | UnsetType = UNSET


_LINE = msgspec.json.Decoder(_Line)


def parse_line(where: str, line: bytes) -> Message:
    """The message of a line. Raises InputError that names `where` (file and line number)."""
    try:
        parsed = _LINE.decode(line)
        payload = _payload(parsed.payload, parsed.payload_b64)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        return _lenient(where, line, error)
    return Message(at_ms(parsed.received_at), parsed.topic, payload)


def _payload(raw: msgspec.Raw | UnsetType, base64_text: str | UnsetType) -> bytes:
    if isinstance(raw, msgspec.Raw):
        return bytes(raw)
    if base64_text is UNSET:
        raise ValueError("neither payload nor payload_b64")
    try:
        return base64.b64decode(base64_text, validate=True)
    except binascii.Error as error:
        raise ValueError(f"payload_b64: {error}") from None


def _lenient(where: str, line: bytes, error: Exception) -> Message:
    """Programs that write NaN into JSON are many: such a message is for the rules to refuse."""
    if line.lstrip().startswith(MARK):
        raise marked(where)
    try:
        loose = json.loads(line)
        strict = json.dumps({**loose, "payload": None}, allow_nan=False).encode()
        message = _LINE.decode(strict)
        payload = json.dumps(loose["payload"], separators=(",", ":")).encode()
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, RecursionError):
        raise InputError(where, f"not a recorded message: {error}", _EXPECTED) from None
    return Message(at_ms(message.received_at), message.topic, payload)


def at_ms(instant: datetime) -> int:
    """UTC milliseconds of an aware datetime; rounded, where it has microseconds."""
    return round(instant.timestamp() * 1000)


def format_line(message: Message) -> bytes:
    """The line of a message, with its end. A payload that is a JSON array of one line stays
    readable, byte for byte; any other becomes base64."""
    received_at = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=message.received_at_ms)
    head = (f'{{"received_at":"{received_at.isoformat(timespec="milliseconds")}",'
            f'"topic":{json.dumps(message.topic)},')
    if _is_json_line(message.payload):
        return head.encode() + b'"payload":' + message.payload + b"}\n"
    return f'{head}"payload_b64":"{base64.b64encode(message.payload).decode()}"}}\n'.encode()


def _is_json_line(payload: bytes) -> bool:
    if not payload.startswith(b"[") or not payload.endswith(b"]") or b"\n" in payload:
        return False
    try:
        msgspec.json.decode(payload)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return False
    return True

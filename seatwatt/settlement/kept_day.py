"""A local day of registers as it is kept: the readings that decide its energies, and what tells
whether the store still has the same."""

import hashlib
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import msgspec
import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device
from seatwatt.metering.registers import RegisterColumn

_FAST = 1
_FLOAT_ULP = 2.0**-52


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DayRegister:
    """One register's day. `count`, `sum_wh` and `content` are of all its readings, `column` has
    those that are kept."""

    device: Device
    name: str
    count: int
    sum_wh: float
    content: bytes
    column: RegisterColumn

    def is_as(self, count: int, sum_wh: float) -> bool:
        """Whether the store still has as many readings of the same sum; another order of adding
        may differ in the last places."""
        slack_wh = (self.count + 1) * _FLOAT_ULP * abs(self.sum_wh)
        return count == self.count and abs(sum_wh - self.sum_wh) <= slack_wh


def day_register(device: Device, name: str, readings: RegisterColumn, kept: RegisterColumn
                 ) -> DayRegister:
    """The day of a register with these readings, of which these are kept."""
    values = readings.values_wh
    return DayRegister(device=device, name=name, count=len(readings), column=kept,
                       sum_wh=float(np.cumsum(values)[-1]), content=content_of(readings))


def content_of(readings: RegisterColumn) -> bytes:
    """Digest of readings, BLAKE2b of 16 bytes: a month has hundreds of megabytes."""
    digest = hashlib.blake2b(digest_size=16)
    digest.update(np.ascontiguousarray(readings.times_ms, dtype="<i8").data)
    digest.update(np.ascontiguousarray(readings.values_wh, dtype="<f8").data)
    return digest.digest()


def content_of_day(registers: Sequence[DayRegister]) -> str:
    """Digest of a whole day."""
    digest = hashlib.blake2b(digest_size=16)
    for each in registers:
        digest.update(f"{each.device}/{each.name} {each.count}\n".encode() + each.content)
    return digest.hexdigest()


def encode_day(registers: Sequence[DayRegister], start_ms: int) -> bytes:
    """Times become steps of 32 bits, and bytes of like weight stand together: both pack well."""
    columns = [each.column for each in registers]
    times = _joined([column.times_ms for column in columns]) - start_ms
    steps = np.diff(times.astype("<u4"), prepend=np.zeros(1, "<u4")).astype("<u4")
    values = _joined([column.values_wh for column in columns]).astype("<f8")
    return zlib.compress(msgspec.msgpack.encode({
        "registers": [[str(each.device), each.name, each.count, each.sum_wh, each.content,
                       len(each.column)] for each in registers],
        "steps": _planes(steps.view("u1"), 4), "values": _planes(values.view("u1"), 8)}), _FAST)


def decode_day(raw: bytes, start_ms: int) -> list[DayRegister]:
    """The registers again."""
    found = msgspec.msgpack.decode(zlib.decompress(raw))
    steps = _whole(found["steps"], 4).view("<u4")
    times = np.cumsum(steps, dtype="<u4").astype(np.int64) + start_ms
    values = _whole(found["values"], 8).view("<f8").astype(np.float64)
    registers, end = [], 0
    for device, name, count, sum_wh, content, length in found["registers"]:
        start, end = end, end + length
        registers.append(DayRegister(
            device=_device(device), name=name, count=count, sum_wh=sum_wh, content=content,
            column=RegisterColumn(times[start:end], values[start:end])))
    return registers


_device = lru_cache(maxsize=100_000)(Device.parse)


def _joined(arrays: "list[NDArray[np.int64]] | list[NDArray[np.float64]]") -> "NDArray[np.int64]":
    return np.concatenate(arrays) if arrays else np.empty(0, np.int64)


def _planes(octets: NDArray[np.uint8], width: int) -> bytes:
    """The first byte of every number, then the second of every number, and so on."""
    return np.ascontiguousarray(octets.reshape(-1, width).T).tobytes()


def _whole(planes: bytes, width: int) -> NDArray[np.uint8]:
    octets = np.frombuffer(planes, np.uint8).reshape(width, -1).T
    return np.ascontiguousarray(octets).reshape(-1)

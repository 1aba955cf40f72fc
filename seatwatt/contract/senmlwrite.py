"""Readings -> SenML JSON, in canonical units; `senml.decode` reads them back exactly."""

import math

import msgspec

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Nature, Quantity
from seatwatt.contract.readings import ReadingBatch

_TEXT = msgspec.json.Encoder()


def encode_pack(batch: ReadingBatch, gateway: Device | None = None, pack_id: str = "") -> bytes:
    """A pack of many devices' readings, of one site, in the batch's order.

    With `gateway` and `pack_id` it begins with the record that ingest's receipt will name.
    Raises InputError for a value that is not finite.
    """
    records = []
    if gateway is not None:
        name = f"gateway/{gateway.zone}/{gateway.name}/pack"
        records.append(f'{{"n":"{name}","vs":{_TEXT.encode(pack_id).decode()}}}')
    device: Device | None = None
    at_ms = -1
    for series, taken_at_ms, value in zip(batch.series, batch.taken_at_ms, batch.values,
                                          strict=True):
        base = ""
        if series.device is not device:
            device = series.device
            base = f'"bn":"{device.kind}/{device.zone}/{device.name}/",'
        if taken_at_ms != at_ms:
            at_ms = taken_at_ms
            base += f'"bt":{at_ms // 1000}.{at_ms % 1000:03},'
        records.append(f"{{{base}{_NAMES[series.quantity]}{_value(series.quantity, value)}}}")
    return f"[{','.join(records)}]".encode()


def encode_device(batch: ReadingBatch) -> bytes:
    """Readings of one device, for its own topic: the names are the quantities alone."""
    records = []
    at_ms = -1
    for series, taken_at_ms, value in zip(batch.series, batch.taken_at_ms, batch.values,
                                          strict=True):
        base = ""
        if taken_at_ms != at_ms:
            at_ms = taken_at_ms
            base = f'"bt":{at_ms // 1000}.{at_ms % 1000:03},'
        records.append(f"{{{base}{_NAMES[series.quantity]}{_value(series.quantity, value)}}}")
    return f"[{','.join(records)}]".encode()


def _name(quantity: Quantity) -> str:
    """The part of a record before its value."""
    name = f'"n":"{quantity.name}",'
    if quantity.nature is Nature.TEXT:
        return f'{name}"vs":'
    if quantity.nature is Nature.STATE:
        return f'{name}"vb":'
    return f'{name}"u":"{quantity.unit}","v":' if quantity.unit else f'{name}"v":'


_NAMES = {quantity: _name(quantity) for quantity in QUANTITIES.values()}


def _value(quantity: Quantity, value: float | str) -> str:
    if isinstance(value, str):
        return _TEXT.encode(value).decode()
    if quantity.nature is Nature.STATE:
        return "true" if value else "false"
    if not math.isfinite(value):
        raise InputError(quantity.name, f"{value} is not a finite number", "a number")
    return repr(value)

"""What a run is computed from, recorded so that it can be computed again byte for byte."""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec
import numpy as np

from seatwatt.billing.bill import Period
from seatwatt.billing.result import Seat
from seatwatt.billing.spans import Spans
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.findings import Finding
from seatwatt.contract.rules import Rule
from seatwatt.ledger.runs import Inputs
from seatwatt.metering.energy import MeterEnergy, Quality, RegisterAt

_FAST = 1
"""Level of compression: the better ones take seconds for a month and save little."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PeriodInputs:
    """One period's trusted energies, what they were read from, and who sat where."""

    energies: Mapping[Device, MeterEnergy]
    occupancy: Mapping[Seat, Spans]
    readings_digest: str
    """BLAKE2b of all register readings, margins included."""
    undeclared: Sequence[Finding] = ()
    """Registers that were heard in the period and are not declared."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Adjustment:
    """What a line of an issued run should have put on a party, less what it did."""

    of_run: int
    period: Period
    party: str
    currency: str
    line: str
    """`bill/line`, or `occupancy`."""
    amount_minor: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RunInputs:
    """Everything that decides a run's result. Documents are mappings of their files."""

    software: str
    """Version of the rules: of this program."""
    site: Mapping[str, Any]
    site_revision: int
    period: Period
    bills: Sequence[Mapping[str, Any]]
    tariffs: Sequence[Mapping[str, Any]]
    occupancy_plan: Mapping[str, Any] | None
    hand_readings: Sequence[Mapping[str, Any]]
    periods: Mapping[Period, PeriodInputs]
    """The run's own period, and every one its bills and adjustments look back to."""
    adjustments: Sequence[Adjustment]


def encode(inputs: RunInputs) -> tuple[Inputs, str]:
    """As bytes, and their digest: SHA-256 of all of it before compression."""
    main = msgspec.msgpack.encode({
        "software": inputs.software, "site": inputs.site, "site_revision": inputs.site_revision,
        "period": _period(inputs.period), "bills": list(inputs.bills),
        "tariffs": list(inputs.tariffs), "occupancy_plan": inputs.occupancy_plan,
        "hand_readings": list(inputs.hand_readings),
        "periods": [[_period(period), each.readings_digest,
                     [_meter(each.energies[device]) for device in sorted(each.energies)],
                     [_finding(found) for found in each.undeclared]]
                    for period, each in inputs.periods.items()],
        "adjustments": [[a.of_run, _period(a.period), a.party, a.currency, a.line,
                         a.amount_minor] for a in inputs.adjustments]})
    sat = {period: each.occupancy for period, each in inputs.periods.items() if each.occupancy}
    people = msgspec.msgpack.encode([[_period(period), [
        [*seat, _bytes(spans.starts_ms), _bytes(spans.ends_ms)]
        for seat, spans in sorted(occupancy.items())]] for period, occupancy in sat.items()])
    digest = hashlib.sha256(main + (people if sat else b"")).hexdigest()
    return Inputs(main=zlib.compress(main, _FAST),
                  occupancy=zlib.compress(people, _FAST) if sat else None), digest


def decode(recorded: Inputs, digest: str) -> RunInputs:
    """The inputs again. InputError when they are not those of the digest: occupancy that was
    needed is forgotten, or somebody changed them."""
    main = zlib.decompress(recorded.main)
    people = b"" if recorded.occupancy is None else zlib.decompress(recorded.occupancy)
    if hashlib.sha256(main + people).hexdigest() != digest:
        raise InputError("recorded inputs", f"they are not those of digest {digest[:12]}",
                         "all that was recorded; occupancy is forgotten after some days")
    found = msgspec.msgpack.decode(main)
    sat = {_as_period(period): {(zone, seat): Spans(_ints(starts), _ints(ends))
                                for zone, seat, starts, ends in seats}
           for period, seats in (msgspec.msgpack.decode(people) if people else [])}
    return RunInputs(
        software=found["software"], site=found["site"], site_revision=found["site_revision"],
        period=_as_period(found["period"]), bills=found["bills"], tariffs=found["tariffs"],
        occupancy_plan=found["occupancy_plan"], hand_readings=found["hand_readings"],
        periods={_as_period(period): PeriodInputs(
            energies={meter.device: meter for meter in map(_as_meter, meters)},
            occupancy=sat.get(_as_period(period), {}), readings_digest=readings,
            undeclared=[_as_finding(row) for rows in undeclared for row in rows])
            for period, readings, meters, *undeclared in found["periods"]},
        adjustments=[Adjustment(of_run=run, period=_as_period(period), party=party,
                                currency=currency, line=line, amount_minor=amount)
                     for run, period, party, currency, line, amount in found["adjustments"]])


def is_same_energy(one: MeterEnergy, other: MeterEnergy) -> bool:
    """Whether both would be recorded alike."""
    return msgspec.msgpack.encode(_meter(one)) == msgspec.msgpack.encode(_meter(other))


def _period(period: Period) -> list[str]:
    return [period.from_.isoformat(), period.to.isoformat()]


def _as_period(days: list[str]) -> Period:
    return Period(from_=date.fromisoformat(days[0]), to=date.fromisoformat(days[1]))


def _meter(meter: MeterEnergy) -> list[Any]:
    return [str(meter.device), _bytes(meter.energy_milliwh), meter.quality.tobytes(),
            _register(meter.opening), _register(meter.closing),
            [_finding(found) for found in meter.findings],
            [_meter(part) for part in meter.parts]]


def _as_meter(row: list[Any]) -> MeterEnergy:
    device, energy, quality, opening, closing, findings, parts = row
    return MeterEnergy(
        device=Device.parse(device), energy_milliwh=_ints(energy),
        quality=np.frombuffer(quality, dtype=np.uint8), opening=_as_register(opening),
        closing=_as_register(closing),
        findings=tuple(map(_as_finding, findings)),
        parts=tuple(_as_meter(part) for part in parts))


def _finding(found: Finding) -> list[Any]:
    return [found.rule.name, found.subject, found.from_ms, found.to_ms, found.detail,
            found.informative]


def _as_finding(row: list[Any]) -> Finding:
    """Rows of earlier versions end with the detail."""
    rule, *rest = row
    return Finding(Rule[rule], *rest)


def _register(register: RegisterAt | None) -> list[int] | None:
    if register is None:
        return None
    return [register.at_ms, register.register_milliwh, int(register.quality)]


def _as_register(row: list[int] | None) -> RegisterAt | None:
    return None if row is None else RegisterAt(row[0], row[1], Quality(row[2]))


def _bytes(values: "np.typing.NDArray[np.int64]") -> bytes:
    return values.astype("<i8").tobytes()


def _ints(raw: bytes) -> "np.typing.NDArray[np.int64]":
    return np.frombuffer(raw, dtype="<i8").astype(np.int64)

"""Readings that an operator took or estimated, where no device left one. Only ever added."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from sqlalchemy import Engine, insert, select

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import Nature, quantity
from seatwatt.ledger.open import reading, writing
from seatwatt.ledger.run_tables import readings_by_hand


@dataclass(frozen=True, slots=True, kw_only=True)
class HandReading:
    """An operator's word on a register: at `taken_at_ms` it stood at `register_wh`."""

    site: str
    device: Device
    quantity: str
    taken_at_ms: int
    register_wh: Decimal
    reason: str
    at_ms: int
    who: str

    def __post_init__(self) -> None:
        row = quantity(self.device.kind, self.quantity)
        if row.nature is not Nature.REGISTER:
            raise InputError("quantity", f"{self.quantity!r} is no register", "such as energy")
        if not self.register_wh.is_finite() or not row.low <= self.register_wh <= row.high:
            raise InputError("register_wh", f"{self.register_wh} is out of bounds",
                             f"{row.low:g} to {row.high:g}")
        if not self.reason.strip():
            raise InputError("reason", "it is empty", "why no device left a reading")


def add_hand_reading(engine: Engine, given: HandReading) -> None:
    """Record it for good; of two at the same time the one recorded later stands."""
    with writing(engine) as connection:
        connection.execute(insert(readings_by_hand).values(
            site_id=given.site, device=str(given.device), quantity=given.quantity,
            taken_at_ms=given.taken_at_ms, register_wh=str(given.register_wh),
            reason=given.reason, at_ms=given.at_ms, who=given.who))


def list_hand_readings(engine: Engine, site: str) -> Sequence[HandReading]:
    """All of a site, in the order in which they were recorded."""
    table = readings_by_hand
    query = select(table).where(table.c.site_id == site).order_by(table.c.id)
    with reading(engine) as connection:
        return [HandReading(
            site=row.site_id, device=Device.parse(row.device), quantity=row.quantity,
            taken_at_ms=row.taken_at_ms, register_wh=Decimal(row.register_wh), reason=row.reason,
            at_ms=row.at_ms, who=row.who) for row in connection.execute(query)]

"""Meters that speak Modbus TCP, or Modbus RTU through a converter (RTU over TCP)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Quantity
from seatwatt.gateway.drivers.modbus_line import ILLEGAL_ADDRESS, Line, LineError
from seatwatt.gateway.ports import Clock, Fault, GatewayDeviceError, Report, Sample
from seatwatt.gateway.registers import Block, Field, RegisterMap, is_register, plan


@dataclass(slots=True, kw_only=True)
class ModbusMeter:
    """One meter. Registers are read whenever the planned time is a multiple of `registers_s`,
    and first, so that they stand as near to the boundary as can be."""

    device: Device
    model: RegisterMap
    line: Line
    unit: int
    gauges_s: int
    registers_s: int
    clock: Clock
    report: Report
    _fields: dict[Field, Quantity] = field(init=False)
    _plans: dict[bool, list[Block]] = field(init=False)

    def __post_init__(self) -> None:
        self._fields = dict(self.model.for_kind(self.device.kind))
        gauges = [one for one, quantity in self._fields.items() if not is_register(quantity)]
        self._plans = {due: list(plan(fields, self.model.registers_max, self.model.gap_max))
                       for due, fields in ((True, list(self._fields)), (False, gauges))}

    @property
    def devices(self) -> Sequence[Device]:
        """The meter itself."""
        return (self.device,)

    @property
    def every_s(self) -> int:
        """The pace of the gauges; that of the registers is a multiple of it."""
        return self.gauges_s

    async def poll(self, at_ms: int) -> list[Sample]:
        """One reading of what is due at `at_ms`. A block that the meter refuses costs that block;
        once it falls silent nothing more is asked, and what was read stands."""
        blocks = self._plans[at_ms % (self.registers_s * 1000) == 0]
        samples: list[Sample] = []
        problem = ""
        for block in self._registers_first(blocks):
            try:
                samples += await self._read(blocks, block)
            except LineError as error:
                problem = problem or str(error)
                if not error.code:
                    break
        if problem and not samples:
            raise GatewayDeviceError(self.device, problem)
        if problem:
            self.report(Fault(self.device, self.clock(), problem))
        return samples

    def _registers_first(self, blocks: list[Block]) -> list[Block]:
        return sorted(blocks, key=lambda block: not any(
            is_register(self._fields[one]) for one in block.fields))

    async def _read(self, blocks: list[Block], block: Block) -> list[Sample]:
        try:
            words = await self.line.read(self.unit, block.function, block.address, block.count)
        except LineError as error:
            if error.code != ILLEGAL_ADDRESS:
                raise
            return await self._narrower(blocks, block, error)
        at_ms = self.clock()
        return [sample for one, value in block.values(words)
                if (sample := self._sample(one, value, at_ms)) is not None]

    async def _narrower(self, blocks: list[Block], block: Block, error: LineError) -> list[Sample]:
        """A model that refuses to read across a gap is asked piece by piece from now on; a single
        field that it refuses is not asked for again."""
        pieces = plan(block.fields, self.model.registers_max, 0)
        if len(pieces) == 1:
            pieces = tuple(Block(one.function, one.address, one.words, (one,))
                           for one in block.fields)
        blocks.remove(block)
        if len(block.fields) == 1:
            self.report(Fault(self.device, self.clock(), f"{block.fields[0].quantity}: {error}"))
            return []
        blocks += pieces
        return [sample for piece in pieces for sample in await self._read(blocks, piece)]

    def _sample(self, one: Field, value: float | None, at_ms: int) -> Sample | None:
        quantity = self._fields[one]
        if value is None:
            return None
        if not quantity.low <= value <= quantity.high:
            self.report(Fault(self.device, at_ms, f"{quantity.name}: {value:g} {quantity.unit} is "
                              f"not believed; wrong model or word order?"))
            return None
        return Sample(self.device, quantity, at_ms, value)

    async def close(self) -> None:
        """Let go of the connection; another device behind it makes it anew."""
        self.line.close()

"""From what is declared to what runs: every device gets its driver or its listener."""

from collections.abc import Sequence

from seatwatt.gateway.config import (
    Broker,
    DeviceConfig,
    GatewayConfig,
    ModbusSource,
    NutSource,
    SnmpSource,
    UplinkSource,
)
from seatwatt.gateway.drivers.listener import MqttListener
from seatwatt.gateway.drivers.modbus import ModbusMeter
from seatwatt.gateway.drivers.modbus_line import Address, Lines
from seatwatt.gateway.drivers.nut import NutUps
from seatwatt.gateway.drivers.snmp import SnmpUps
from seatwatt.gateway.drivers.uplink import Uplink
from seatwatt.gateway.drivers.ups import Judge
from seatwatt.gateway.drivers.voices import Outcome, Voices
from seatwatt.gateway.ports import Clock, Driver, Opened, Report, Sample, Sink


def open_devices(config: GatewayConfig, broker: Broker, clock: Clock, sink: Sink, report: Report
                 ) -> Opened:
    """Drivers and listeners of all devices of `config`; nothing connects before it is polled or
    run. `broker` is where devices are listened to, unless the configuration names another."""
    lines = Lines()
    drivers = [driver for one in config.devices
               if (driver := driver_of(one, lines, clock, report)) is not None]
    voices = Voices(config.devices, config.time_zone)
    if not voices.devices:
        return Opened(drivers, (), sink)
    listener = MqttListener(config.listen or broker, config.own, voices, clock)
    return Opened(drivers, (listener,), _observing(voices, clock, sink))


def _observing(voices: Voices, clock: Clock, sink: Sink) -> Sink:
    def take(samples: Sequence[Sample]) -> None:
        """Seat presence may follow from the power that another driver reads."""
        out = Outcome()
        voices.observe(samples, clock(), out)
        sink([*samples, *out.samples])

    return take


def driver_of(one: DeviceConfig, lines: Lines, clock: Clock, report: Report) -> Driver | None:
    """What polls the device; None when it speaks by itself."""
    device, source, timeout_s = one.device, one.source, one.timeout_s
    if isinstance(source, ModbusSource):
        line = lines.at(Address(source.host, source.port, source.framing), timeout_s)
        return ModbusMeter(device=device, model=source.model, line=line, unit=source.unit,
                           gauges_s=one.gauges_s, registers_s=one.registers_s, clock=clock,
                           report=report)
    judge = Judge(device, clock, report)
    if isinstance(source, NutSource):
        return NutUps(device=device, source=source, every_s=one.gauges_s, timeout_s=timeout_s,
                      judge=judge)
    if isinstance(source, SnmpSource):
        return SnmpUps(device=device, source=source, every_s=one.gauges_s, timeout_s=timeout_s,
                       judge=judge)
    if isinstance(source, UplinkSource):
        return Uplink(device=device, source=source, every_s=one.gauges_s, timeout_s=timeout_s,
                      clock=clock)
    return None

"""What drivers and the spool agree on.

A driver reads one kind of device and hands samples to a sink. It never waits for the broker, and
a device that fails never delays another: each runs in a task of its own.
"""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import SeatwattError
from seatwatt.contract.quantities import Quantity


class GatewayDeviceError(SeatwattError):
    """A device that does not answer, or answers nonsense; one line that begins with its name."""

    def __init__(self, device: Device, detail: str) -> None:
        super().__init__(f"{device}: {detail}")
        self.device, self.detail = device, detail


@dataclass(frozen=True, slots=True)
class Sample:
    """One value a device gave: in the quantity's canonical unit, at the time it was taken."""

    device: Device
    quantity: Quantity
    taken_at_ms: int
    value: float | str


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a device gave no sample, or one that was not believed; shown with the device's name."""

    device: Device
    at_ms: int
    detail: str


Sink = Callable[[Sequence[Sample]], None]
"""Takes samples at once (the spool's group commit follows within a second)."""

Report = Callable[[Fault], None]
"""Takes faults; the gateway counts, logs (rate-limited) and shows them."""

Clock = Callable[[], int]
"""UTC milliseconds since 1970."""


class Driver(Protocol):
    """One device, or one connection that carries several."""

    @property
    def devices(self) -> Sequence[Device]:
        """The devices whose samples this driver gives."""

    @property
    def every_s(self) -> int:
        """Seconds between polls. The planned times are whole multiples of it since 1970, so that
        the driver knows by `at_ms` whether its registers are due too."""

    def poll(self, at_ms: int) -> Awaitable[Sequence[Sample]]:
        """Read everything once, for the planned time `at_ms`; raises GatewayDeviceError (one
        line with the device's name) when the device does not answer or answers nonsense."""

    def close(self) -> Awaitable[None]:
        """Let go of the connection."""


class Listener(Protocol):
    """Devices that speak by themselves: it hands over their samples as they come."""

    @property
    def devices(self) -> Sequence[Device]:
        """The devices whose samples this listener gives."""

    def run(self, sink: Sink, report: Report) -> Awaitable[None]:
        """Listen until cancelled; what goes wrong on the way is reported, not raised."""


@dataclass(frozen=True, slots=True)
class Opened:
    """Everything a configuration declares, ready to run (`seatwatt.gateway.opening`)."""

    drivers: Sequence[Driver]
    """Each to be polled in a task of its own; what it gives goes to `sink`."""
    listeners: Sequence[Listener]
    """Each to be run in a task of its own, with `sink`."""
    sink: Sink
    """The sink that was given, with seat presence made from power put in front of it."""

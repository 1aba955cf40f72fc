"""Which devices answer, and since when the others do not. Pure; times are arguments."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

import msgspec

from seatwatt.contract.devices import Device

_TO_JSON = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True)
class Failure:
    """A device that stopped: since when (UTC milliseconds), and why."""

    since_ms: int
    detail: str


class Health:
    """Failed is a device whose poll fails, or that was not heard for `silent_ms`.

    Methods give the lines that are worth a log: what is news, once.
    """

    def __init__(self, devices: Iterable[Device], silent_ms: int, steady_ms: int) -> None:
        """`steady_ms` counts on a clock that nobody sets; silence is measured by it."""
        self._silent_ms = silent_ms
        self._heard_ms = dict.fromkeys(devices, steady_ms)
        self.failures: dict[Device, Failure] = {}

    def heard(self, devices: Iterable[Device], steady_ms: int) -> list[str]:
        """They gave readings."""
        lines = []
        for device in set(devices):
            self._heard_ms[device] = steady_ms
            if self.failures.pop(device, None) is not None:
                lines.append(f"{device}: answers again")
        return lines

    def failed(self, device: Device, now_ms: int, detail: str) -> str:
        """Its poll failed; empty when that is no news. `detail` may change from poll to poll
        (a counter, a port), so only the first is told."""
        known = self.failures.get(device)
        self.failures[device] = Failure(known.since_ms if known else now_ms, detail)
        return "" if known else f"{device}: {detail}"

    def sweep(self, steady_ms: int, now_ms: int) -> list[str]:
        """Who has fallen silent."""
        silent = [device for device, heard_ms in self._heard_ms.items()
                  if steady_ms - heard_ms >= self._silent_ms and device not in self.failures]
        return [self.failed(device, now_ms, f"no reading for {self._silent_ms // 1000} s")
                for device in silent]

    def document(self) -> bytes:
        """What the retained status says: JSON of every device that does not answer."""
        failed = {str(device): {"since": _text(failure.since_ms), "detail": failure.detail}
                  for device, failure in self.failures.items()}
        return _TO_JSON({"devices": len(self._heard_ms.keys() | self.failures.keys()),
                         "failed": failed})


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")

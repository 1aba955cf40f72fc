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


Part = tuple[int, Device]
"""A device as one driver or listener (its number) knows it: a seat's plug may be dead while its
presence sensor speaks."""


class Health:
    """Failed is what cannot be polled, or was not heard for `silent_ms`.

    Methods give the lines that are worth a log: what is news, once.
    """

    def __init__(self, parts: Iterable[Part], silent_ms: int, steady_ms: int) -> None:
        """`steady_ms` counts on a clock that nobody sets; silence is measured by it."""
        self._silent_ms = silent_ms
        self._heard_ms = dict.fromkeys(parts, steady_ms)
        self._failures: dict[Part, Failure] = {}

    def heard(self, number: int, devices: Iterable[Device], steady_ms: int) -> list[str]:
        """They gave readings."""
        lines = []
        for device in set(devices):
            part = number, device
            self._heard_ms[part] = steady_ms
            if self._failures.pop(part, None) is not None:
                lines.append(f"{device}: answers again")
        return lines

    def failed(self, part: Part, now_ms: int, detail: str) -> str:
        """It cannot be read; empty when that is no news. `detail` may change from poll to poll
        (a counter, a port), so only the first is told."""
        known = self._failures.get(part)
        self._failures[part] = Failure(known.since_ms if known else now_ms, detail)
        return "" if known else f"{part[1]}: {detail}"

    def mended(self, part: Part) -> str:
        """What had failed works; empty when it had not."""
        return f"{part[1]}: works again" if self._failures.pop(part, None) else ""

    def sweep(self, steady_ms: int, now_ms: int) -> list[str]:
        """Who has fallen silent."""
        silent = [part for part, heard_ms in self._heard_ms.items()
                  if steady_ms - heard_ms >= self._silent_ms and part not in self._failures]
        return [self.failed(part, now_ms, f"no reading for {self._silent_ms // 1000} s")
                for part in silent]

    @property
    def failures(self) -> dict[Device, Failure]:
        """Devices of which something does not answer."""
        return {device: failure for (_, device), failure in self._failures.items()}

    def document(self) -> bytes:
        """What the retained status says: JSON of every device that does not answer."""
        devices = {device for _, device in self._heard_ms.keys() | self._failures.keys()}
        failed = {str(device): {"since": _text(failure.since_ms), "detail": failure.detail}
                  for device, failure in self.failures.items()}
        return _TO_JSON({"devices": len(devices), "failed": failed})


def _text(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).isoformat(timespec="seconds")

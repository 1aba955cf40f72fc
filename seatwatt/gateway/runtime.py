"""The gateway as a whole: drivers and listeners in one event loop, spool and publisher in a
thread each, so that neither a slow disk nor a slow broker delays a device."""

import asyncio
import logging
import random
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import SeatwattError
from seatwatt.contract.quantities import quantity
from seatwatt.gateway.clockwatch import ClockWatch
from seatwatt.gateway.packs import Packer
from seatwatt.gateway.ports import Clock, Driver, Fault, Listener, Opened, Sample
from seatwatt.gateway.publisher import Publisher
from seatwatt.gateway.publisher_flow import Flow, Pace
from seatwatt.gateway.runtime_health import Health
from seatwatt.gateway.runtime_poll import Sleep, next_due_ms, poll_for_ever, wait_until
from seatwatt.gateway.spool import Limits, Spool
from seatwatt.gateway.spool_writer import SpoolWriter
from seatwatt.settings import GatewaySettings

LOG = logging.getLogger("seatwatt.gateway")
_DAY_MS = 86_400_000
_REPORT_S = 60
_WATCH_S = 1.0
_RESTART_S = 5.0
_CLOSE_S = 3.0
_REMIND_MS = 600_000
_NOTES_MAX = 1000
_UNUSABLE, _SPOOL = -1, -2


@dataclass(frozen=True, slots=True)
class Clocks:
    """`wall`: UTC; `steady`: since the machine's start, never set; `boot` names that start."""

    wall: Clock
    steady: Clock
    boot: str


class Gateway:
    """Build it, open the devices with its `sink` and `report`, then `run`."""

    def __init__(self, settings: GatewaySettings, site: str, own: Device, clocks: Clocks) -> None:
        """SettingsError when the spool or a certificate cannot be used."""
        self._own, self._clocks = own, clocks
        self.watch = ClockWatch(clocks.wall, clocks.steady)
        self.spool = Spool(settings.gateway_spool, own, Limits(
            settings.gateway_spool_bytes, int(settings.gateway_spool_days * _DAY_MS),
            settings.gateway_disk_reserve_bytes))
        self.flow = Flow(self.spool, Pace(
            settings.gateway_window_packs, settings.gateway_receipt_s,
            settings.gateway_backlog_per_s, settings.gateway_backlog_delay_s), random.random)
        self.publisher = Publisher(settings, site, own, self.flow)
        self.writer = SpoolWriter(self.spool, self.flow, Packer(site), self.watch, clocks.wall,
                                  settings.gateway_commit_s, clocks.boot)
        self._health = Health((), int(settings.gateway_silent_s * 1000), clocks.steady())
        self._silent_ms = int(settings.gateway_silent_s * 1000)
        self._told: dict[tuple[Device, str], int] = {}
        self._take: Callable[[Sequence[Sample]], None] = self.sink

    @property
    def sink(self) -> Callable[[Sequence[Sample]], None]:
        """Where samples go, from any thread."""
        return self.writer.take

    def report(self, fault: Fault) -> None:
        """One line in the log, and every ten minutes while it stays so."""
        key, now_ms = (fault.device, fault.detail), self._clocks.steady()
        if now_ms - self._told.get(key, -_REMIND_MS) >= _REMIND_MS:
            if len(self._told) >= _NOTES_MAX:
                self._told.clear()
            self._told[key] = now_ms
            LOG.warning("%s: %s", fault.device, fault.detail)

    async def run(self, opened: Opened, stop: asyncio.Event,
                  problems: Iterable[tuple[Device, str]] = (), sleep: Sleep = asyncio.sleep
                  ) -> None:
        """Until `stop`. `problems`: devices whose declaration cannot be used. `sleep` waits so
        many seconds of the wall clock that was given.

        SeatwattError when a part of ours died: whoever supervises us starts us again.
        """
        parts: list[Driver | Listener] = [*opened.drivers, *opened.listeners]
        self._health = Health(
            ((number, device) for number, part in enumerate(parts)
             for device in part.devices), self._silent_ms, self._clocks.steady())
        for device, detail in problems:
            self._say([self._health.failed((_UNUSABLE, device), self._clocks.wall(), detail)])
        self._take = opened.sink
        self.publisher.tell("devices", self._health.document())
        self.writer.start()
        self.publisher.start()
        tasks: list[asyncio.Task[Any]] = [
            asyncio.create_task(one) for one in self._coroutines(opened, sleep)]
        try:
            await self._until(stop, tasks)
        finally:
            await self._end(tasks, opened)

    def _coroutines(self, opened: Opened, sleep: Sleep) -> list[Coroutine[None, None, None]]:
        clock = self._clocks.wall
        first = len(opened.drivers)
        return [*(poll_for_ever(driver, partial(self._heard, number),
                                partial(self._failed, number, driver.devices), clock, sleep)
                  for number, driver in enumerate(opened.drivers)),
                *(self._listen(first + number, listener)
                  for number, listener in enumerate(opened.listeners)),
                self._report_on_ourselves(sleep), self._watch_clock_and_silence()]

    async def _until(self, stop: asyncio.Event, tasks: list[asyncio.Task[Any]]) -> None:
        asked = asyncio.create_task(stop.wait())
        tasks.append(asked)
        while not asked.done():
            done, _ = await asyncio.wait(tasks, timeout=_WATCH_S,
                                         return_when=asyncio.FIRST_COMPLETED)
            died = done - {asked}
            if died:
                raise SeatwattError(f"gateway: a task of ours died: {died.pop().exception()!r}")
            if not (self.writer.alive and self.publisher.alive):
                raise SeatwattError("gateway: a thread of ours died")

    async def _end(self, tasks: list[asyncio.Task[Any]], opened: Opened) -> None:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        closing = [asyncio.wait_for(driver.close(), _CLOSE_S) for driver in opened.drivers]
        await asyncio.gather(*closing, return_exceptions=True)
        # The last samples go to disk before the publisher says goodbye.
        await asyncio.to_thread(self.writer.stop)
        await asyncio.to_thread(self.publisher.stop)
        self.spool.close()

    def _heard(self, number: int, samples: Sequence[Sample]) -> None:
        devices = (one.device for one in samples)
        self._say(self._health.heard(number, devices, self._clocks.steady()))
        self._take(samples)

    def _failed(self, number: int, devices: Sequence[Device], detail: str) -> None:
        now_ms = self._clocks.wall()
        self._say([self._health.failed((number, device), now_ms, detail) for device in devices])

    async def _listen(self, number: int, listener: Listener) -> None:
        while True:
            try:
                await listener.run(partial(self._heard, number), self.report)
                detail = "listener ended: starting it again"
            # One listener's fault is not the others'.
            except Exception as error:  # noqa: BLE001
                detail = f"listener: {type(error).__name__}: {error}: starting it again"
            for device in listener.devices[:1]:
                self.report(Fault(device, self._clocks.wall(), detail))
            await asyncio.sleep(_RESTART_S)

    async def _report_on_ourselves(self, sleep: Sleep) -> None:
        while True:
            due_ms = next_due_ms(self._clocks.wall(), _REPORT_S)
            if await wait_until(due_ms, self._clocks.wall, sleep):
                values = {"up": 1, "spool_messages": self.spool.packs + self.flow.unspooled_packs,
                          "spool_dropped": self.spool.dropped,
                          "clock_offset": self.watch.moved_s(),
                          "devices_failed": len(self._health.failures)}
                self.sink([Sample(self._own, quantity("gateway", name), due_ms, float(value))
                           for name, value in values.items()])

    async def _watch_clock_and_silence(self) -> None:
        while True:
            moved_ms, now_ms = self.watch.look(), self._clocks.wall()
            if moved_ms:
                way = "forward" if moved_ms > 0 else "back"
                LOG.warning("%s: clock was put %s by %.1f s", self._own, way, abs(moved_ms) / 1000)
            self._say([*self._health.sweep(self._clocks.steady(), now_ms), self._spool(now_ms)])
            await asyncio.sleep(_WATCH_S)

    def _spool(self, now_ms: int) -> str:
        """A disk that takes nothing is a failure of the gateway as a device."""
        part, problem = (_SPOOL, self._own), self.writer.problem
        return (self._health.failed(part, now_ms, problem) if problem
                else self._health.mended(part))

    def _say(self, lines: Iterable[str]) -> None:
        """News of the devices: into the log, and into the retained status."""
        news = [line for line in lines if line]
        for line in news:
            LOG.warning("%s", line)
        if news:
            self.publisher.tell("devices", self._health.document())

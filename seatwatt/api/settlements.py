"""Settlements on demand: computed in two threads, once for all who ask, remembered for a while."""

import asyncio
from concurrent.futures import ThreadPoolExecutor

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily

from seatwatt.api.periods import Period
from seatwatt.api.services import Services, Settled
from seatwatt.api.single_flight import SingleFlight
from seatwatt.ledger.sites import Declared

REMEMBERED = 8
_THREADS = 2
_SETTLES_AFTER_MS = 2 * 3_600_000
"""A period that ended this long ago seldom gets late data; until then the shorter age holds."""

_Key = tuple[str, int, int, int]


class Settlements:
    """Asks billing for a period's settlement; `close` lets the threads go."""

    def __init__(self, services: Services, registry: CollectorRegistry) -> None:
        self._services = services
        self._executor = ThreadPoolExecutor(_THREADS, "settlement")
        self._flights: SingleFlight[_Key, Settled] = SingleFlight(
            self._executor, services.clock, REMEMBERED)
        registry.register(_CacheMetrics(self._flights))

    async def get(self, declared: Declared, period: Period, fresh: bool = False) -> Settled:
        """The settlement; with `fresh`, never a remembered one."""
        site, services = declared.site, self._services
        key = (site.id, declared.revision, period.start_ms, period.end_ms)
        future = self._flights.get(
            key, -1 if fresh else self._max_age_ms(period),
            lambda: services.settle(site, services.reader, period.start_ms, period.end_ms))
        # Shielded: one caller who hangs up must not cancel what others wait for.
        return await asyncio.shield(asyncio.wrap_future(future))

    def _max_age_ms(self, period: Period) -> int:
        settings = self._services.settings
        closed = period.end_ms + _SETTLES_AFTER_MS < self._services.clock()
        return round(1000 * (settings.api_closed_age_s if closed else settings.api_open_age_s))

    def close(self) -> None:
        """Wait for running computations and let the threads go."""
        self._executor.shutdown()


class _CacheMetrics:
    def __init__(self, flights: "SingleFlight[_Key, Settled]") -> None:
        self._flights = flights

    def collect(self) -> list[CounterMetricFamily]:
        counter = CounterMetricFamily("seatwatt_api_settlements", "settlements asked for",
                                      labels=["answer"])
        counter.add_metric(["computed"], self._flights.computed)
        counter.add_metric(["remembered"], self._flights.reused)
        return [counter]

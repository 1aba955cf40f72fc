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

_Key = tuple[str, int, int, int]


class Settlements:
    """Asks billing for a period's settlement; `close` lets the threads go."""

    def __init__(self, services: Services, registry: CollectorRegistry) -> None:
        self._services = services
        self._executor = ThreadPoolExecutor(_THREADS, "settlement")
        self._flights: SingleFlight[_Key, Settled] = SingleFlight(
            self._executor, services.clock, REMEMBERED,
            round(1000 * services.settings.api_age_s))
        registry.register(_CacheMetrics(self._flights))

    async def get(self, declared: Declared, period: Period, anew: bool = False) -> Settled:
        """The settlement; with `anew`, never a remembered one."""
        site, services = declared.site, self._services
        key = (site.id, declared.revision, period.start_ms, period.end_ms)
        future = self._flights.get(
            key, lambda: services.settle(site, services.reader, period.start_ms, period.end_ms),
            anew)
        # Shielded: one caller who hangs up must not cancel what others wait for.
        return await asyncio.shield(asyncio.wrap_future(future))

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

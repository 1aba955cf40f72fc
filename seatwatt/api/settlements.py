"""Settlements on demand: computed in two threads, once for all who ask, and remembered while
nothing was written to their period."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily

from seatwatt.api.periods import Period
from seatwatt.api.services import Services, Settled
from seatwatt.api.single_flight import SingleFlight
from seatwatt.billing.bill import Period as BillingPeriod
from seatwatt.contract.errors import StoreError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.leasetimes import local_date
from seatwatt.contract.site import Site
from seatwatt.ledger.sites import Declared
from seatwatt.settlement.forgotten import with_known_occupancy
from seatwatt.settlement.run_compute import compute
from seatwatt.settlement.run_gather import gather
from seatwatt.settlement.run_inputs import decode, encode
from seatwatt.settlement.statement import blocking, run_document

REMEMBERED = 8
_THREADS = 2
LOOKED_AT = 64
LOOK_MS = 1000
"""How often the store is asked whether something was written; longer where it answers slowly."""

_Key = tuple[str, int, int, int]


class Settlements:
    """Asks billing for a period's settlement; `close` lets the threads go."""

    def __init__(self, services: Services, registry: CollectorRegistry) -> None:
        self._services = services
        self._executor = ThreadPoolExecutor(_THREADS, "settlement")
        self._looking = ThreadPoolExecutor(1, "looking")
        self._flights: SingleFlight[_Key, Settled] = SingleFlight(
            self._executor, services.clock, REMEMBERED,
            round(1000 * services.settings.api_age_s))
        self._seen: SingleFlight[_Key, str | None] = SingleFlight(
            self._looking, services.clock, LOOKED_AT, LOOK_MS)
        self._charges: SingleFlight[_Key, dict[str, Any]] = SingleFlight(
            self._executor, services.clock, REMEMBERED, age_ms=0)
        registry.register(_CacheMetrics(self._flights))

    async def get(self, declared: Declared, period: Period, anew: bool = False) -> Settled:
        """The settlement; with `anew`, never a remembered one."""
        site, services = declared.site, self._services
        key = (site.id, declared.revision, period.start_ms, period.end_ms)
        # Shielded: one caller who hangs up must not cancel what others wait for.
        seen = await asyncio.shield(asyncio.wrap_future(self._seen.get(
            key, lambda: self._look(site, period), anew)))
        return await asyncio.shield(asyncio.wrap_future(self._flights.get(
            key, lambda: services.settle(site, services.keeper(), period.start_ms, period.end_ms),
            anew, seen, running=period.end_ms > services.clock())))

    def _look(self, site: Site, period: Period) -> str | None:
        """What the readings of the period are at; None where nobody can tell."""
        grid = IntervalGrid.between(period.start_ms, period.end_ms, site.interval_s,
                                    site.time_zone)
        try:
            return self._services.keeper().seen(site, grid)
        except StoreError:
            return None  # What is remembered may be shown for a while yet.

    async def charges(self, declared: Declared, period: Period, anew: bool = False
                      ) -> dict[str, Any]:
        """The run of the period as it would be drafted now; nothing is kept in the ledger."""
        services = self._services
        day = declared.site.time_zone
        billed = BillingPeriod(from_=local_date(period.start_ms, day),
                               to=local_date(period.end_ms, day))

        def draft() -> dict[str, Any]:
            gathered = gather(services.keeper(), declared.site.id, billed)
            raw, digest = encode(with_known_occupancy(services.ledger, gathered))
            result = compute(decode(raw, digest), digest)
            return {**run_document(result), "blocking": blocking(result)}

        key = (declared.site.id, declared.revision, period.start_ms, period.end_ms)
        return await asyncio.shield(asyncio.wrap_future(self._charges.get(key, draft, anew)))

    def close(self) -> None:
        """Wait for running computations and let the threads go."""
        self._executor.shutdown()
        self._looking.shutdown()


class _CacheMetrics:
    def __init__(self, flights: "SingleFlight[_Key, Settled]") -> None:
        self._flights = flights

    def collect(self) -> list[CounterMetricFamily]:
        counter = CounterMetricFamily("seatwatt_api_settlements", "settlements asked for",
                                      labels=["answer"])
        counter.add_metric(["computed"], self._flights.computed)
        counter.add_metric(["remembered"], self._flights.reused)
        return [counter]

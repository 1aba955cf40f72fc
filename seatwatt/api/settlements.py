"""Settlements on demand: computed once for all who ask, in the process beside this one where there
is one, and remembered while nothing was written to their period."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

from prometheus_client import CollectorRegistry
from prometheus_client.core import CounterMetricFamily

from seatwatt.api.periods import Period
from seatwatt.api.remembered import Remembered, Work
from seatwatt.api.services import Services, Settled
from seatwatt.api.works import charged, looked, settled
from seatwatt.billing.bill import Period as BillingPeriod
from seatwatt.contract.leasetimes import local_date
from seatwatt.ledger.sites import Declared

REMEMBERED = 8
_THREADS = 2

_Key = tuple[str, int, int, int]


class Settlements:
    """Asks for a period's settlement; `close` lets the threads go."""

    def __init__(self, services: Services, registry: CollectorRegistry) -> None:
        self._services = services
        self._computing = ThreadPoolExecutor(_THREADS, "settlement")
        self._looking = ThreadPoolExecutor(1, "looking")
        pools = self._computing, self._looking, services.clock, REMEMBERED
        self._settled: Remembered[_Key, Settled] = Remembered(
            *pools, age_ms=round(1000 * services.settings.api_age_s))
        self._charges: Remembered[_Key, dict[str, Any]] = Remembered(*pools, age_ms=0)
        registry.register(_CacheMetrics(self._settled))

    async def get(self, declared: Declared, period: Period, anew: bool = False) -> Settled:
        """The settlement; with `anew`, never a remembered one."""
        run, of = self._services.run, (declared.site, period.start_ms, period.end_ms)
        return await self._settled.get(_key(declared, period), Work(
            compute=lambda: run(settled, *of), look=lambda: run(looked, *of),
            running=period.end_ms > self._services.clock()), anew)

    async def charges(self, declared: Declared, period: Period, anew: bool = False
                      ) -> dict[str, Any]:
        """The run of the period as it would be drafted now; nothing is kept in the ledger."""
        day = declared.site.time_zone
        billed = BillingPeriod(from_=local_date(period.start_ms, day),
                               to=local_date(period.end_ms, day))
        return await self._charges.get(_key(declared, period), Work(
            compute=lambda: (self._services.run(charged, declared.site.id, billed), None)), anew)

    async def close(self) -> None:
        """Nobody waits any longer. What is computed in this process is waited for: it uses what
        will be closed next."""
        await self._settled.close()
        await self._charges.close()
        for pool in (self._computing, self._looking):
            pool.shutdown(wait=self._services.aside is None, cancel_futures=True)


def _key(declared: Declared, period: Period) -> _Key:
    return declared.site.id, declared.revision, period.start_ms, period.end_ms


class _CacheMetrics:
    def __init__(self, settled: "Remembered[_Key, Settled]") -> None:
        self._settled = settled

    def collect(self) -> list[CounterMetricFamily]:
        counter = CounterMetricFamily("seatwatt_api_settlements", "settlements asked for",
                                      labels=["answer"])
        counter.add_metric(["computed"], self._settled.computed)
        counter.add_metric(["remembered"], self._settled.reused)
        return [counter]

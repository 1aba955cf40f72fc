"""What `seatwatt bench run` does to one site: its store filled, its runs drafted, each timed in a
process of its own."""

import multiprocessing
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta

from seatwatt.billing.bill import Period
from seatwatt.cli.bench_apportion import MONTH, ZONE, site_registers, site_with
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.site import Site
from seatwatt.ledger.kept import drop_days
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.runs import Mark
from seatwatt.ledger.sites import save_site
from seatwatt.settings import LedgerSettings, StoreSettings
from seatwatt.settlement.papers import declare_paper
from seatwatt.settlement.runs import draft
from seatwatt.store.open import open_reader, open_writer

_BATCH = 20_000
EVER = date(2200, 1, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A site of so many seats, its readings of so many months, and where both rest."""

    seats: int
    months: int
    store_url: str
    ledger_url: str

    @property
    def period(self) -> Period:
        """Whole months from the first."""
        month = MONTH[0].month - 1 + self.months
        return Period(from_=MONTH[0], to=date(MONTH[0].year + month // 12, month % 12 + 1, 1))

    def store(self) -> StoreSettings:
        """With patience, for a benchmark may be run on a busy machine."""
        return StoreSettings.load(store_url=self.store_url, store_timeout_s=120)


@dataclass(frozen=True, slots=True)
class Timed:
    """One draft: seconds by the clock and of this process alone, and the most memory it held."""

    seconds: float
    cpu_s: float
    memory_mb: float


def fill(case: Case, tick: Callable[[int], None]) -> int:
    """Write every register of the months, one reading a minute; how many readings."""
    site = site_with(case.seats)
    start_ms, end_ms = (local_midnight_ms(day, ZONE)
                        for day in (case.period.from_, case.period.to + timedelta(days=1)))
    grid = IntervalGrid.between(start_ms, end_ms, site.interval_s, ZONE)
    book, count, writer = SeriesBook(), 0, open_writer(case.store())
    for (device, name), column in site_registers(site, grid):
        series = book.get(site.id, device, quantity(device.kind, name))
        times: list[int] = column.times_ms.tolist()
        values: list[float | str] = column.values_wh.tolist()
        for start in range(0, len(times), _BATCH):
            part = slice(start, start + _BATCH)
            writer.write(ReadingBatch([series] * len(times[part]), times[part], values[part]))
        count += len(times)
        tick(len(times))
    writer.close()
    _declare(case, site)
    return count


def _declare(case: Case, site: Site) -> None:
    engine = open_engine(LedgerSettings.load(ledger_url=case.ledger_url))
    save_site(engine, site, "bench", 1)
    declare_paper(engine, site.id, {
        "bill": "grid", "supplier": "GRID", "currency": site.currency,
        "period": {"from": str(case.period.from_), "to": str(case.period.to)},
        "lines": [{"id": "energy", "amount": "1000000.00", "share_by": "energy"},
                  {"id": "duty", "amount": "15000.00", "share_by": "lines", "lines": ["energy"]}],
    }, "bench", 1)
    engine.dispose()


def drafted(case: Case, *, kept: bool, compare: bool = False) -> Timed:
    """Draft the run, with what is kept or without anything kept, in a process of its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(_draft, (case, kept, compare))


def _draft(case: Case, kept: bool, compare: bool) -> Timed:
    engine = open_engine(LedgerSettings.load(ledger_url=case.ledger_url))
    reader = open_reader(case.store())
    if not kept:
        drop_days(engine, "bench", EVER)
    now_ms = time.time_ns() // 1_000_000
    started_s, cpu_s = time.perf_counter(), time.process_time()
    draft(engine, reader, "bench", case.period, Mark(at_ms=now_ms, who="bench"), compare=compare)
    timed = Timed(time.perf_counter() - started_s, time.process_time() - cpu_s,
                  resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000)
    reader.close()
    engine.dispose()
    return timed

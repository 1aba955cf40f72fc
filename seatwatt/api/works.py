"""What takes long and nobody who answers requests should do himself: `Services.run` has it done in
the process beside. So arguments and results are such as can be sent there and back."""

from typing import Any

from seatwatt.api.services import Services, Settled
from seatwatt.billing.bill import Period
from seatwatt.contract.errors import StoreError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site
from seatwatt.ledger.runs import Mark, Run
from seatwatt.settlement import runs
from seatwatt.settlement.forgotten import with_known_occupancy
from seatwatt.settlement.keeping import Seen
from seatwatt.settlement.run_compute import compute
from seatwatt.settlement.run_gather import gather
from seatwatt.settlement.run_inputs import decode, encode
from seatwatt.settlement.statement import blocking, run_document


def settled(services: Services, site: Site, start_ms: int, end_ms: int
            ) -> tuple[Settled, Seen | None]:
    """The settlement of the period, and what its readings were at."""
    keeper, grid = services.keeper(), _grid(site, start_ms, end_ms)
    before = keeper.seen(site, grid)
    result = services.settle(site, keeper, start_ms, end_ms)
    after = keeper.seen(site, grid)
    # Settling keeps days. While no mark moved, that is the only thing that changed.
    if before is None or after is None:
        return result, None
    return result, after if before[0] == after[0] else before


def looked(services: Services, site: Site, start_ms: int, end_ms: int) -> Seen | None:
    """What the readings of the period are at; None where nobody can tell."""
    try:
        return services.keeper().seen(site, _grid(site, start_ms, end_ms))
    except StoreError:
        return None  # What is remembered may be shown for a while yet.


def charged(services: Services, site_id: str, period: Period) -> dict[str, Any]:
    """The run of the period as it would be drafted now."""
    gathered = gather(services.keeper(), site_id, period)
    raw, digest = encode(with_known_occupancy(services.ledger, gathered))
    result = compute(decode(raw, digest), digest)
    return {**run_document(result), "blocking": blocking(result)}


def drafted(services: Services, site_id: str, period: Period, mark: Mark) -> Run:
    """The period's draft, kept in the ledger; drafted again it is the same."""
    return runs.draft(services.ledger, services.reader, site_id, period, mark)


def _grid(site: Site, start_ms: int, end_ms: int) -> IntervalGrid:
    return IntervalGrid.between(start_ms, end_ms, site.interval_s, site.time_zone)

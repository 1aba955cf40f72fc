"""What an issued run would come to today, computed only when something it rests on changed."""

import hashlib
from collections.abc import Mapping

from seatwatt.billing.bill import Period
from seatwatt.billing.bill_file import parse_bill
from seatwatt.billing.result import Seat
from seatwatt.billing.spans import Spans
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.reviews import Entry, Review, find_review, keep_review
from seatwatt.ledger.runs import Run
from seatwatt.settlement.charging import by_occupied_hours, span_ms
from seatwatt.settlement.forgotten import forgotten_until_ms, with_known_occupancy
from seatwatt.settlement.keeping import Keeper
from seatwatt.settlement.readings import read_occupancy
from seatwatt.settlement.run_compute import compute
from seatwatt.settlement.run_gather import gather, papers_of, periods_of
from seatwatt.settlement.run_inputs import RunInputs, encode
from seatwatt.settlement.settle import shares_by_occupancy
from seatwatt.settlement.statement import blocking, entries


def due_today(keeper: Keeper, run: Run) -> Mapping[Entry, int]:
    """What the run would put on each party as things stand now. InputError where they raise a
    question that blocks, Forgotten where who sat where is needed and gone."""
    period = Period(from_=run.from_, to=run.to)
    # Looked at before anything is read: what changes meanwhile is then computed again.
    inputs = _inputs(keeper, papers_of(keeper.engine, run.site, period))
    known = find_review(keeper.engine, run.id)
    if known is not None and known.inputs == inputs:
        return known.entries
    gathered = with_known_occupancy(keeper.engine, gather(keeper, run.site, period))
    result = compute(gathered, run.digest)
    if blocking(result):
        raise InputError(f"run {run.id} of {period}", "it cannot be adjusted: since it was issued "
                         f"{blocking(result)[0]['rule']} came up",
                         "a declared exchange, an accepted reading or a reading by hand")
    due = entries(result)
    keep_review(keeper.engine, run.id, Review(inputs, due))
    return due


def _seats(occupancy: Mapping[Seat, Spans]) -> list[str]:
    return [f"{seat} {spans.starts_ms.tolist()} {spans.ends_ms.tolist()}"
            for seat, spans in sorted(occupancy.items())]


def _inputs(keeper: Keeper, papers: RunInputs) -> str:
    """A digest of all that the run rests on: the version of the rules, declarations, bills, what
    was read by hand, the readings of each period, and what is forgotten of it."""
    site, bills = parse_site(papers.site), [parse_bill(document) for document in papers.bills]
    said = [encode(papers)[1], str(forgotten_until_ms(keeper.engine, site.id))]
    for period in periods_of(papers):
        grid = IntervalGrid.between(*span_ms(period, site), site.interval_s, site.time_zone)
        said.append(keeper.state(site, grid))
        if shares_by_occupancy(site) or by_occupied_hours(bills):
            said += _seats(read_occupancy(site.id, keeper.reader, grid))
    return hashlib.blake2b("\n".join(said).encode(), digest_size=16).hexdigest()

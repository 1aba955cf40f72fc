"""The use cases of runs: draft, approve, issue, and proof that an issued run can be had again."""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Engine

from seatwatt.billing.bill import Period
from seatwatt.contract.errors import ConflictError
from seatwatt.ledger.runs import (
    Inputs,
    Mark,
    Run,
    approve_run,
    find_run,
    get_run,
    inputs_of,
    issue_run,
    list_runs,
    list_statements,
    next_serial,
    save_draft,
)
from seatwatt.settlement.charging import span_ms
from seatwatt.settlement.forgotten import Forgotten, with_known_occupancy
from seatwatt.settlement.keeping import Keeper, Trust
from seatwatt.settlement.reviews import due_today
from seatwatt.settlement.run_check import changed_registers
from seatwatt.settlement.run_compute import RunResult, as_text, compute
from seatwatt.settlement.run_gather import gather
from seatwatt.settlement.run_inputs import Adjustment, decode, encode
from seatwatt.settlement.statement import blocking, run_document, statement_documents
from seatwatt.store.ports import Reader

LOOK_BACK = 3
"""How many issued runs are looked at again for late data and corrections."""


def draft(engine: Engine, reader: Reader, site: str, period: Period, by: Mark,
          look_back: int = LOOK_BACK, compare: bool = False) -> Run:
    """Compute the period as things stand now, with adjustments of issued runs before it, and keep
    it as its draft. With `compare` every kept day is compared with the store first, however
    lately it was. InputError, ConflictError and the store's errors leave no draft behind."""
    trust = Trust.none(by.at_ms) if compare else Trust.for_draft(by.at_ms)
    keeper = Keeper(engine, reader, by.at_ms, trust)
    existing = find_run(engine, site, period.from_, period.to)
    if existing is not None and existing.state != "draft":
        raise ConflictError(f"run {existing.id}", f"it is {existing.state}", "draft")
    issued = list_runs(engine, site, "issued")
    before = [run for run in issued if run.to <= period.from_]
    found = [each for run in before[:look_back] for each in adjustments_of(keeper, run)]
    # Computed from the inputs as they are recorded, so that what is shown can be had again.
    gathered = with_known_occupancy(engine, gather(keeper, site, period, found))
    raw, digest = encode(gathered)
    return _save(engine, raw, compute(decode(raw, digest), digest), issued, by)


def approve(engine: Engine, reader: Reader, run_id: int, by: Mark, digest: str | None = None
            ) -> Run:
    """What was reviewed (with this digest) is right. ConflictError while the period is open, a
    finding blocks, the store's readings come to other energies than when it was drafted, or the
    draft is another by now. The store's errors leave it a draft."""
    run = get_run(engine, run_id)
    document = json.loads(run.document)
    site_end_ms = document["ends_at_ms"]
    if site_end_ms > by.at_ms:
        raise ConflictError(f"run {run_id}", f"its period is open until {run.to}",
                            "a period that is over")
    if document["blocking"]:
        first = document["blocking"][0]
        raise ConflictError(
            f"run {run_id}", f"{len(document['blocking'])} findings block, first {first['rule']} "
            f"{first['meter']} {first['from']}: {first['detail']}",
            "a declared exchange, an accepted reading or a reading by hand for each, then a draft")
    if run.state == "draft" and (digest or run.digest) == run.digest:
        _check_readings(engine, reader, run, by)
    return approve_run(engine, run_id, digest or run.digest, by)


def _check_readings(engine: Engine, reader: Reader, run: Run, by: Mark) -> None:
    """A draft may believe what was kept; what is issued may not."""
    keeper = Keeper(engine, reader, by.at_ms, Trust.for_approval(run.drafted.at_ms, by.at_ms))
    changed = changed_registers(keeper, decode(inputs_of(engine, run.id), run.digest))
    if changed:
        count = len(changed)
        raise ConflictError(
            f"run {run.id}", f"since it was drafted readings changed in the store: {count} "
            f"register{'s' * (count != 1)} with other energy, first {changed[0]}",
            "the period drafted anew, and reviewed")


def issue(engine: Engine, run_id: int, by: Mark) -> Run:
    """Number and freeze the statements. ConflictError unless approved, when its adjustments were
    made by another run since, or when somebody else is issuing at this moment."""
    run = get_run(engine, run_id)
    if run.state != "approved":
        raise ConflictError(f"run {run_id}", f"it is {run.state}", "approved")
    first = next_serial(engine, run.site)
    _check_not_adjusted_since(run, list_runs(engine, run.site, "issued"))
    drafts = {each.party: each.document for each in list_statements(engine, run_id)}
    serials = {party: first + at for at, party in enumerate(drafts)}
    documents = {party: as_text(frozen(json.loads(text), run.site, serials[party], by.at_ms))
                 for party, text in drafts.items()}
    return issue_run(engine, run_id, documents, serials, by)


def _check_not_adjusted_since(run: Run, issued: Iterable[Run]) -> None:
    """Two drafts may hold the same adjustments; only the one that is issued first makes them."""
    adjusted = {row["of_run"] for row in json.loads(run.document)["adjustments"]}
    known = set(json.loads(run.document)["issued_before"])
    for other in issued:
        if other.id not in known:
            same = adjusted & {row["of_run"] for row in json.loads(other.document)["adjustments"]}
            if same:
                raise ConflictError(
                    f"run {run.id}", f"run {other.id}, issued since it was drafted, adjusts run "
                    f"{min(same)} too", "to be reopened and drafted anew")


def frozen(document: Mapping[str, Any], site: str, serial: int, at_ms: int) -> dict[str, Any]:
    """A statement with its number and the moment of its issue."""
    at = datetime.fromtimestamp(at_ms // 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return {**document, "number": f"{site}-{serial:06}", "state": "issued", "issued_at": at}


def reproduce(engine: Engine, run_id: int) -> dict[str, str]:
    """Every statement of the run computed again from its recorded inputs: party -> JSON text.

    InputError when the inputs are not those of the run's digest (any more).
    """
    run = get_run(engine, run_id)
    recorded = decode(inputs_of(engine, run_id), run.digest)
    documents = statement_documents(compute(recorded, run.digest))
    texts = {}
    for kept in list_statements(engine, run_id):
        again = documents[kept.party]
        if run.issued is not None and kept.serial is not None:
            again = frozen(again, run.site, kept.serial, run.issued.at_ms)
        texts[kept.party] = as_text(again)
    return texts


def adjustments_of(keeper: Keeper, run: Run) -> list[Adjustment]:
    """What an issued run would put on each party today, less what was put on it by that run and by
    adjustments issued since. InputError where today's readings raise a question that blocks;
    nothing any more where who sat where is needed and forgotten."""
    period = Period(from_=run.from_, to=run.to)
    try:
        due = due_today(keeper, run)
    except Forgotten:
        return []
    billed = _billed(run, list_runs(keeper.engine, run.site, "issued"))
    return [Adjustment(of_run=run.id, period=period, currency=entry[0], line=entry[1],
                       party=entry[2], amount_minor=due.get(entry, 0) - billed.get(entry, 0))
            for entry in sorted({*due, *billed}) if due.get(entry, 0) != billed.get(entry, 0)]


def _billed(run: Run, issued: Iterable[Run]) -> dict[tuple[str, str, str], int]:
    """What was put on each party for the run's period, by it and by later adjustments."""
    billed: dict[tuple[str, str, str], int] = {}
    for currency, line, party, minor in json.loads(run.document)["entries"]:
        billed[currency, line, party] = minor
    for other in issued:
        for row in json.loads(other.document)["adjustments"]:
            if row["of_run"] == run.id:
                key = row["currency"], row["line"], row["party"]
                billed[key] = billed.get(key, 0) + row["amount_minor"]
    return billed


def _save(engine: Engine, raw: Inputs, result: RunResult, issued: Sequence[Run], by: Mark) -> Run:
    inputs, site = result.inputs, result.settlement.site
    document = {**run_document(result), "blocking": blocking(result),
                "issued_before": [run.id for run in issued],
                "ends_at_ms": span_ms(inputs.period, site)[1]}
    statements = {party: as_text(text) for party, text in statement_documents(result).items()}
    return save_draft(engine, site.id, inputs.period.from_, inputs.period.to, raw, result.digest,
                      as_text(document), statements, by)

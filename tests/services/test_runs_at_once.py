"""Processes that issue at the same moment, on either database: one does, the others are refused."""

import json
import multiprocessing
from multiprocessing.synchronize import Barrier

from sqlalchemy import Engine

from seatwatt.billing.bill import Period
from seatwatt.contract.errors import ConflictError, SeatwattError
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.runs import get_run, list_statements
from seatwatt.settings import LedgerSettings
from seatwatt.settlement.runs import approve, draft, issue
from tests.services.run_kit import OCTOBER, SEPTEMBER, Registers, a_bill, at, declare

CLIENTS = 3


def take(url: str, run: int, who: str, start: Barrier, told: "multiprocessing.Queue[str]") -> None:
    """Another process: its own engine, its own connections."""
    engine = open_engine(LedgerSettings(ledger_url=url))
    start.wait(60)
    try:
        issue(engine, run, at(6, who))
        told.put(f"{run} issued by {who}")
    except ConflictError as error:
        told.put(f"{run} refused: {error}")
    except SeatwattError as error:
        told.put(f"{run} failed: {error}")
    engine.dispose()


def at_once(engine: Engine, runs: list[int]) -> list[str]:
    """What each process says, one for each of `runs`."""
    url = engine.url.render_as_string(hide_password=False)
    context = multiprocessing.get_context("spawn")
    start, told = context.Barrier(len(runs)), context.Queue()
    processes = [context.Process(target=take, args=(url, run, f"client-{number}", start, told))
                 for number, run in enumerate(runs)]
    for process in processes:
        process.start()
    said = [told.get(timeout=120) for _ in processes]
    for process in processes:
        process.join(60)
    return said


def ready(engine: Engine, period: Period) -> int:
    run = draft(engine, Registers(), "s", period, at(6))
    return approve(engine, Registers(), run.id, at(6)).id


def test_one_of_several_processes_issues_a_run(ledger: Engine) -> None:
    declare(ledger, a_bill())
    run = ready(ledger, SEPTEMBER)
    said = at_once(ledger, [run] * CLIENTS)
    assert [text for text in said if "failed" in text] == []
    [winner] = [text for text in said if "issued by" in text]
    done = get_run(ledger, run).issued
    assert done is not None
    assert winner == f"{run} issued by {done.who}"
    statements = list_statements(ledger, run)
    assert [each.serial for each in statements] == [1, 2, 3]
    assert {json.loads(each.document)["state"] for each in statements} == {"issued"}


def test_two_runs_issued_at_once_have_numbers_without_gaps(ledger: Engine) -> None:
    """One may be told to try again; none takes the other's numbers."""
    declare(ledger, a_bill(), a_bill(OCTOBER))
    runs = [ready(ledger, SEPTEMBER), ready(ledger, OCTOBER)]
    said = at_once(ledger, runs)
    assert [text for text in said if "failed" in text] == []
    for text in said:
        if "refused" in text:
            issue(ledger, int(text.split()[0]), at(6))
    serials = sorted(each.serial or 0 for run in runs for each in list_statements(ledger, run))
    assert serials == [1, 2, 3, 4, 5, 6]

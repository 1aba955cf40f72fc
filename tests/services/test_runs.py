"""Runs: draft follows, approved stands, issued never changes; corrections come as adjustments."""

import json
import threading
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.ledger.hand_readings import HandReading, add_hand_reading
from seatwatt.ledger.open import writing
from seatwatt.ledger.papers import withdraw_paper
from seatwatt.ledger.reviews import Review, find_review, keep_review
from seatwatt.ledger.runs import (
    Run,
    forget_occupancy,
    get_run,
    get_statement,
    list_runs,
    list_statements,
    reopen_run,
    statements_of,
)
from seatwatt.ledger.sites import save_site
from seatwatt.settlement.papers import declare_paper
from seatwatt.settlement.runs import approve, draft, issue, reproduce
from seatwatt.store.ports import Column
from tests.services.run_kit import (
    GRID,
    HOUR_MS,
    OCTOBER,
    SEATS,
    SEPTEMBER,
    Registers,
    a_bill,
    a_site,
    at,
    declare,
)


def totals(engine: Engine, run: Run) -> dict[str, Any]:
    return {each.party: json.loads(each.document)["totals"] for each in list_statements(
        engine, run.id)}


def issued(engine: Engine, reader: Registers) -> Run:
    """September, with its bill, issued."""
    declare(engine, a_bill())
    run = draft(engine, reader, "s", SEPTEMBER, at(3))
    approve(engine, reader, run.id, at(3))
    return issue(engine, run.id, at(3))


def test_a_draft_follows_readings_and_declarations(ledger: Engine) -> None:
    declare(ledger, a_bill())
    reader = Registers()
    first = draft(ledger, reader, "s", SEPTEMBER, at(3))
    assert (first.state, first.revision) == ("draft", 1)
    assert totals(ledger, first) == {"alpha": {"PKR": "25.00"}, "beta": {"PKR": "75.00"},
                                     "operator": {"PKR": "0.00"}}
    declare_paper(ledger, "s", a_bill(amount="200.00"), "amir", 2)
    second = draft(ledger, reader, "s", SEPTEMBER, at(3))
    assert (second.id, second.revision) == (first.id, 2)
    assert second.digest != first.digest
    assert totals(ledger, second)["beta"] == {"PKR": "150.00"}


def test_the_same_inputs_make_the_same_draft(ledger: Engine) -> None:
    declare(ledger, a_bill())
    first = draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    second = draft(ledger, Registers(), "s", SEPTEMBER, at(4, "amir"))
    assert (first.digest, first.document) == (second.digest, second.document)


def test_issuing_numbers_and_freezes(ledger: Engine) -> None:
    reader = Registers()
    run = issued(ledger, reader)
    documents = [json.loads(each.document) for each in list_statements(ledger, run.id)]
    assert [each["number"] for each in documents] == ["s-000001", "s-000002", "s-000003"]
    assert {each["state"] for each in documents} == {"issued"}
    assert {each["issued_at"] for each in documents} == {"2026-09-02T19:00:00Z"}
    for step in (lambda: issue(ledger, run.id, at(4)),
                 lambda: approve(ledger, reader, run.id, at(4)),
                 lambda: reopen_run(ledger, run.id),
                 lambda: draft(ledger, reader, "s", SEPTEMBER, at(4))):
        with pytest.raises(ConflictError, match="it is issued"):
            step()
    assert get_run(ledger, run.id) == run


@pytest.mark.parametrize("statement", [
    "UPDATE runs SET document = '{}'", "UPDATE runs SET state = 'draft'", "DELETE FROM runs",
    "UPDATE statements SET document = '{}'", "DELETE FROM statements",
    "DELETE FROM papers", "UPDATE papers SET document = '{}'"])
def test_the_database_itself_keeps_what_is_issued(ledger: Engine, statement: str) -> None:
    issued(ledger, Registers())
    with pytest.raises(DBAPIError, match=r"immutable|append-only"), writing(ledger) as connection:
        connection.execute(text(statement))


def test_an_issued_run_comes_out_again_byte_for_byte(ledger: Engine) -> None:
    run = issued(ledger, Registers())
    save_site(ledger, a_site(name="Renamed", unaccounted={"share": "operator"}), "amir", 9)
    withdraw_paper(ledger, "s", "bill", "pesco-2026-09-01", "amir", 9)
    assert reproduce(ledger, run.id) == {
        each.party: each.document for each in list_statements(ledger, run.id)}


def test_two_clients_that_issue_at_once_make_one_issue(ledger: Engine) -> None:
    declare(ledger, a_bill())
    run = draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    approve(ledger, Registers(), run.id, at(3))
    outcomes: list[str] = []

    def go(who: str) -> None:
        try:
            issue(ledger, run.id, at(3, who))
            outcomes.append(who)
        except ConflictError:
            outcomes.append("refused")

    threads = [threading.Thread(target=go, args=(who,)) for who in ("amir", "bina")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert outcomes.count("refused") == 1
    done = get_run(ledger, run.id).issued
    assert done is not None
    assert done.who in outcomes
    assert [each.serial for each in list_statements(ledger, run.id)] == [1, 2, 3]


def test_a_period_still_open_is_not_approved(ledger: Engine) -> None:
    declare(ledger)
    run = draft(ledger, Registers(), "s", SEPTEMBER, at(2))
    with pytest.raises(ConflictError, match="period is open until 2026-09-03"):
        approve(ledger, Registers(), run.id, at(2))


def test_what_was_not_reviewed_is_not_approved(ledger: Engine) -> None:
    declare(ledger, a_bill())
    reviewed = draft(ledger, Registers(), "s", SEPTEMBER, at(3)).digest
    declare_paper(ledger, "s", a_bill(amount="200.00"), "amir", 2)
    run = draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    with pytest.raises(ConflictError, match="drafted anew since it was reviewed"):
        approve(ledger, Registers(), run.id, at(3), reviewed)
    with pytest.raises(ConflictError, match="it is draft; expected approved"):
        issue(ledger, run.id, at(3))
    assert approve(ledger, Registers(), run.id, at(3), run.digest).state == "approved"
    with pytest.raises(ConflictError, match="it is approved"):
        draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    assert reopen_run(ledger, run.id).state == "draft"


def test_readings_that_changed_since_the_draft_are_not_approved(ledger: Engine) -> None:
    declare(ledger, a_bill())
    reader = Registers()
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    times, values = reader.columns_of[SEATS[0]].times_ms, reader.columns_of[SEATS[0]].values
    inside = (times >= at(1).at_ms + 6 * HOUR_MS) & (times < at(1).at_ms + 8 * HOUR_MS)
    reader.columns_of[SEATS[0]] = Column(times, values + 40.0 * inside)
    with pytest.raises(ConflictError, match="1 register with other energy, first seat/hall/001; "
                       "expected the period drafted anew"):
        approve(ledger, reader, run.id, at(3))
    assert get_run(ledger, run.id).state == "draft"
    again = draft(ledger, reader, "s", SEPTEMBER, at(3))
    assert again.digest != run.digest
    assert approve(ledger, reader, again.id, at(3)).state == "approved"


def test_what_came_beside_the_period_does_not_keep_it_from_approval(ledger: Engine) -> None:
    declare(ledger, a_bill())
    reader = Registers()
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    times, values = reader.columns_of[SEATS[0]].times_ms, reader.columns_of[SEATS[0]].values
    later = times >= at(3).at_ms + 6 * HOUR_MS
    reader.columns_of[SEATS[0]] = Column(times, values + 7.0 * later)
    assert approve(ledger, reader, run.id, at(4)).state == "approved"
    assert draft(ledger, reader, "s", OCTOBER, at(4)).digest != run.digest


def test_readings_by_hand_that_were_recorded_are_still_those_of_the_approval(ledger: Engine
                                                                             ) -> None:
    declare(ledger, a_bill())
    reader = Registers()
    reader.lose(SEATS[0], at(3).at_ms - 12 * HOUR_MS)
    add_hand_reading(ledger, HandReading(
        site="s", device=SEATS[0], quantity="energy", taken_at_ms=at(3).at_ms,
        register_wh=Decimal(9600), reason="read on the display", at_ms=at(3).at_ms, who="bina"))
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    reader.lose(SEATS[1], at(4).at_ms)
    assert approve(ledger, reader, run.id, at(3)).state == "approved"


def test_periods_do_not_overlap(ledger: Engine) -> None:
    run = issued(ledger, Registers())
    with pytest.raises(ConflictError, match=f"overlaps run {run.id} of 2026-09-01"):
        draft(ledger, Registers(), "s", type(SEPTEMBER)(from_=date(2026, 9, 2),
                                                        to=date(2026, 9, 4)), at(5))


def test_a_reading_by_hand_settles_what_no_device_left(ledger: Engine) -> None:
    declare(ledger, a_bill())
    reader = Registers()
    end_ms = at(3).at_ms
    reader.lose(SEATS[0], end_ms - 12 * HOUR_MS)
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    with pytest.raises(ConflictError, match="1 findings block, first R02 seat/hall/001"):
        approve(ledger, reader, run.id, at(3))
    add_hand_reading(ledger, HandReading(
        site="s", device=SEATS[0], quantity="energy", taken_at_ms=end_ms,
        register_wh=Decimal(9600), reason="read on the display", at_ms=end_ms, who="bina"))
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    assert approve(ledger, reader, run.id, at(3)).state == "approved"
    statement = json.loads(get_statement(ledger, run.id, "alpha").document)
    assert statement["totals"] == {"PKR": "25.00"}
    # The known total of the gap is spread over its thirteen hours, and says that it is spread.
    assert statement["energy"]["estimated_wh"] == 1300.0
    assert json.loads(run.document)["hand_readings"][0]["reason"] == "read on the display"


def test_a_declared_exchange_settles_a_leap(ledger: Engine) -> None:
    declare(ledger)
    reader = Registers()
    column = reader.columns_of[SEATS[0]]
    leap_ms = at(2).at_ms
    reader.columns_of[SEATS[0]] = Column(column.times_ms,
                                         column.values + 50_000 * (column.times_ms >= leap_ms))
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    with pytest.raises(ConflictError, match="R07 seat/hall/001"):
        approve(ledger, reader, run.id, at(3))
    save_site(ledger, a_site(exchanges=[{
        "meter": "seat/hall/001", "at": "2026-09-01T23:30:00+05:00", "final_wh": 7150,
        "initial_wh": 57_150}]), "amir", 5)
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    assert approve(ledger, reader, run.id, at(3)).state == "approved"


def test_a_leap_blocks_until_it_is_accepted(ledger: Engine) -> None:
    reader = Registers()
    times, values = reader.columns_of[SEATS[0]].times_ms, reader.columns_of[SEATS[0]].values
    leaps = at(1).at_ms + 10 * 3_600_000
    reader.columns_of[SEATS[0]] = Column(times, values + 5000 * (times >= leaps))
    declare(ledger, a_bill())
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    finding, = json.loads(run.document)["blocking"]
    assert (finding["rule"], finding["meter"]) == ("R07", "seat/hall/001")
    with pytest.raises(ConflictError, match="1 findings block, first R07 seat/hall/001"):
        approve(ledger, reader, run.id, at(3))
    save_site(ledger, a_site(acceptances=[{
        "meter": "seat/hall/001", "at": "2026-09-01T10:00:00+05:00",
        "reason": "a heater, seen by amir"}]), "amir", 4)
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    document = json.loads(run.document)
    assert document["blocking"] == []
    assert [(each["rule"], each["blocks"]) for each in document["findings"]
            if each["rule"] == "R07"] == [("R07", False)]
    approve(ledger, reader, run.id, at(3))
    issue(ledger, run.id, at(3))
    assert reproduce(ledger, run.id) == {
        each.party: each.document for each in list_statements(ledger, run.id)}


def test_registers_that_are_not_declared_are_told_with_the_draft(ledger: Engine) -> None:
    reader = Registers()
    strange = [Device("seat", "hall", "009"), Device("meter", "roof", "lift")]
    for device in strange:
        reader.columns_of[device] = reader.columns_of[GRID]
    declare(ledger, a_bill())
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    told = [each for each in json.loads(run.document)["findings"] if each["rule"] == "B04"]
    assert [(each["meter"], each["blocks"]) for each in told] == [
        ("meter/roof/lift", False), ("seat/hall/009", False)]
    assert told[0]["detail"] == ("48 readings of energy_import; their energy stays in what is "
                                 "above it")
    assert reproduce(ledger, run.id) == {
        each.party: each.document for each in list_statements(ledger, run.id)}


def test_late_data_become_adjustments_on_the_next_run(ledger: Engine) -> None:
    reader = Registers()
    first = issued(ledger, reader)
    # It turns out that alpha took 200 W throughout: the bill of 100.00 would have been 40 : 60.
    reader.columns_of[SEATS[0]] = Column(reader.columns_of[SEATS[0]].times_ms,
                                         2 * reader.columns_of[SEATS[0]].values)
    reader.columns_of[GRID] = Column(reader.columns_of[GRID].times_ms,
                                     1.25 * reader.columns_of[GRID].values)
    declare_paper(ledger, "s", a_bill(OCTOBER), "amir", 5)
    second = draft(ledger, reader, "s", OCTOBER, at(5))
    assert totals(ledger, second) == {"alpha": {"PKR": "55.00"}, "beta": {"PKR": "45.00"},
                                      "operator": {"PKR": "0.00"}}
    adjustment, = json.loads(get_statement(ledger, second.id, "alpha").document)["adjustments"]
    assert (adjustment["of_run"], adjustment["line"], adjustment["share"]) == (
        first.id, "pesco-2026-09-01/energy", "15.00")
    approve(ledger, reader, second.id, at(5))
    issue(ledger, second.id, at(5))
    assert reproduce(ledger, second.id)["alpha"] == get_statement(
        ledger, second.id, "alpha").document
    again = type(OCTOBER)(from_=OCTOBER.to, to=date(2026, 9, 6))
    third = draft(ledger, reader, "s", again, at(6))
    assert json.loads(third.document)["adjustments"] == []
    assert [run.id for run in list_runs(ledger, "s")] == [third.id, second.id, first.id]


def test_adjustments_go_to_who_held_the_seats_then(ledger: Engine) -> None:
    first = issued(ledger, Registers())
    # Beta leaves with September; a bill that came late is September's, and so partly beta's.
    save_site(ledger, a_site(
        tenants={"alpha": {}, "beta": {}, "gamma": {}},
        leases=[{"tenant": "alpha", "seats": ["hall/001"], "from": "2026-01-01"},
                {"tenant": "beta", "seats": ["hall/002"], "from": "2026-01-01",
                 "to": "2026-09-03"},
                {"tenant": "gamma", "seats": ["hall/002"], "from": "2026-09-03"}]), "amir", 9)
    declare_paper(ledger, "s", a_bill(SEPTEMBER, "40.00", bill="late", supplier="Fuel"), "amir", 9)
    second = draft(ledger, Registers(), "s", OCTOBER, at(5))
    assert totals(ledger, second) == {"alpha": {"PKR": "10.00"}, "beta": {"PKR": "30.00"},
                                      "gamma": {}, "operator": {}}
    beta = json.loads(get_statement(ledger, second.id, "beta").document)
    assert beta["energy"]["energy_wh"] == 0
    assert [each.run_id for each in statements_of(ledger, "s", "beta")] == [second.id, first.id]


def test_the_same_adjustment_is_not_made_by_two_runs(ledger: Engine) -> None:
    first = issued(ledger, Registers())
    declare_paper(ledger, "s", a_bill(SEPTEMBER, "40.00", bill="late", supplier="Fuel"), "amir", 9)
    november = type(OCTOBER)(from_=OCTOBER.to, to=date(2026, 9, 6))
    runs = [draft(ledger, Registers(), "s", period, at(6)) for period in (OCTOBER, november)]
    for run in runs:
        approve(ledger, Registers(), run.id, at(6))
    issue(ledger, runs[0].id, at(6))
    with pytest.raises(ConflictError, match=f"run {runs[0].id}, issued since .* run {first.id}"):
        issue(ledger, runs[1].id, at(6))
    reopen_run(ledger, runs[1].id)
    again = draft(ledger, Registers(), "s", november, at(6))
    assert json.loads(again.document)["adjustments"] == []
    approve(ledger, Registers(), again.id, at(6))
    assert issue(ledger, again.id, at(6)).state == "issued"


def test_an_issued_period_that_raises_a_question_is_named(ledger: Engine) -> None:
    reader = Registers()
    run = issued(ledger, reader)
    reader.lose(SEATS[0], at(1).at_ms, at(3).at_ms + 48 * HOUR_MS)
    with pytest.raises(InputError, match=f"run {run.id} of 2026-09-01 .* it cannot be adjusted"):
        draft(ledger, reader, "s", OCTOBER, at(5))
    assert draft(ledger, Registers(), "s", OCTOBER, at(5), look_back=0).state == "draft"


def test_provisional_charges_are_trued_up_when_the_bill_comes(ledger: Engine) -> None:
    tariff = {"tariff": "flat", "supplier": "PESCO", "document": "the gazette", "source": "grid",
              "currency": "PKR", "from": "2026-01-01",
              "lines": [{"id": "energy", "price": "5.00", "per": "kwh"}]}
    declare(ledger, tariff)
    reader = Registers()
    first = draft(ledger, reader, "s", SEPTEMBER, at(3))
    assert json.loads(first.document)["bills"][0]["provisional"]
    assert totals(ledger, first)["beta"] == {"PKR": "72.00"}  # 300 W, 48 h, 5.00 a kWh
    approve(ledger, reader, first.id, at(3))
    issue(ledger, first.id, at(3))
    declare_paper(ledger, "s", a_bill(), "amir", 5)
    declare_paper(ledger, "s", a_bill(OCTOBER), "amir", 5)
    second = draft(ledger, reader, "s", OCTOBER, at(5))
    assert totals(ledger, second)["beta"] == {"PKR": "78.00"}  # 75.00 and 75.00 less 72.00


def test_occupancy_charges_stand_in_their_own_currency(ledger: Engine) -> None:
    plan = {"occupancy": "usd", "currency": "USD", "rates": [
        {"amount": "60.00", "from": "2026-01-01"}],
        "waivers": [{"tenant": "beta", "from": "2026-09-02", "to": "2026-12-01"}]}
    declare(ledger, a_bill(), plan)
    run = draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    assert totals(ledger, run)["alpha"] == {"PKR": "25.00", "USD": "4.00"}
    beta = json.loads(get_statement(ledger, run.id, "beta").document)
    assert beta["totals"]["USD"] == "2.00"
    assert (beta["occupancy"][0]["waived_seat_days"], beta["occupancy"][0]["waived"]) == (1, "2.00")
    declare_paper(ledger, "s", {**plan, "occupancy": "other"}, "amir", 5)
    with pytest.raises(InputError, match="several occupancy plans: other and usd"):
        draft(ledger, Registers(), "s", SEPTEMBER, at(3))


def test_who_sat_where_is_forgotten_and_the_statement_stays(ledger: Engine) -> None:
    declare(ledger, a_bill(), unaccounted={"share": "occupancy"})
    reader = Registers()
    times = reader.columns_of[GRID].times_ms
    reader.occupied = {SEATS[0]: Column(times, 1.0 + 0 * times)}
    reader.columns_of[GRID] = Column(times, reader.columns_of[GRID].values * 2)
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    assert totals(ledger, run)["alpha"] == {"PKR": "62.50"}
    approve(ledger, reader, run.id, at(3))
    run = issue(ledger, run.id, at(3))
    assert reproduce(ledger, run.id)["alpha"] == get_statement(ledger, run.id, "alpha").document
    assert forget_occupancy(ledger, "s", date(2026, 9, 3)) == 0
    assert forget_occupancy(ledger, "s", date(2026, 12, 3)) == 1
    with pytest.raises(InputError, match="occupancy is forgotten"):
        reproduce(ledger, run.id)
    assert get_run(ledger, run.id) == run


def test_a_bill_that_cannot_be_shared_leaves_no_draft(ledger: Engine) -> None:
    line = {"id": "hours", "amount": "1.00", "share_by": "occupied_hours"}
    declare(ledger, a_bill(lines=[line]))
    with pytest.raises(InputError, match=r"lines\[0\].share_by: hours: nobody has weight"):
        draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    assert list_runs(ledger, "s") == []


@pytest.mark.parametrize(("paper", "said"), [
    ({"lines": []}, "no bill, tariff or occupancy plan; expected one of the fields bill"),
    ([], "no bill, tariff or occupancy plan"),
    (a_bill(source="solar"), "source: the site does not have 'solar'; expected grid"),
    (a_bill(lines=[{"id": "e", "amount": "1.00", "share_by": "energy", "band": "peak"}]),
     r"lines\[0\].band: the site does not have 'peak'; expected offpeak"),
    (a_bill(lines=[{"id": "e", "amount": "1.00", "share_by": "energy", "source": "solar"}]),
     r"lines\[0\].source: the site does not have 'solar'"),
    (a_bill(lines=[{"id": "e", "amount": "1.00", "share_by": "fixed", "weights": {"zeta": 1}}]),
     r"lines\[0\].weights.zeta: the site does not have 'zeta'; expected alpha, beta, operator"),
    (a_bill(units={"peak_kwh": 5}), "units.peak_kwh: the site does not have 'peak'"),
    ({"occupancy": "o", "currency": "USD", "rates": [{"amount": "1.00", "from": "2026-01-01"}],
      "waivers": [{"tenant": "zeta", "from": "2026-01-01", "to": "2026-02-01"}]},
     r"waivers\[0\].tenant: the site does not have 'zeta'"),
])
def test_a_paper_that_the_site_does_not_fit_is_refused(
        ledger: Engine, paper: Any, said: str) -> None:
    declare(ledger)
    with pytest.raises(InputError, match=said):
        declare_paper(ledger, "s", paper, "amir", 1)


def test_nothing_is_known_of_what_does_not_exist(ledger: Engine) -> None:
    with pytest.raises(InputError, match="'s' is not declared"):
        draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    with pytest.raises(InputError, match="there is no run 7"):
        get_run(ledger, 7)
    declare(ledger)
    run = draft(ledger, Registers(), "s", SEPTEMBER, at(3))
    with pytest.raises(InputError, match="has none for 'zeta'"):
        get_statement(ledger, run.id, "zeta")


def test_an_issued_run_is_looked_at_again_only_when_something_changed(ledger: Engine) -> None:
    declare(ledger, a_bill(), a_bill(OCTOBER))
    reader = Registers()
    run = draft(ledger, reader, "s", SEPTEMBER, at(3))
    approve(ledger, reader, run.id, at(3))
    issue(ledger, run.id, at(3))
    assert find_review(ledger, run.id) is None
    draft(ledger, reader, "s", OCTOBER, at(5))
    first = find_review(ledger, run.id)
    assert first is not None
    keep_review(ledger, run.id, Review(first.inputs, {("PKR", "looked/at", "alpha"): 7}))
    told = json.loads(draft(ledger, reader, "s", OCTOBER, at(5)).document)["adjustments"]
    assert ("looked/at", 7) in {(row["line"], row["amount_minor"]) for row in told}
    reader.lose(SEATS[0], at(2).at_ms - HOUR_MS, at(2).at_ms + HOUR_MS)
    draft(ledger, reader, "s", OCTOBER, at(5))
    again = find_review(ledger, run.id)
    assert again is not None
    assert again.inputs != first.inputs
    assert ("PKR", "looked/at", "alpha") not in again.entries

"""Bills and price lists: every change is a revision, none is ever lost."""

from datetime import date

import pytest
from sqlalchemy import Engine

from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.ledger.papers import add_paper, get_paper, list_papers, withdraw_paper
from tests.services.run_kit import a_bill, declare

NAME = "pesco-2026-09-01"


def test_a_paper_is_kept_with_its_dates_and_who_declared_it(ledger: Engine) -> None:
    declare(ledger)
    paper = add_paper(ledger, "s", "bill", a_bill(), "amir", 5)
    assert (paper.name, paper.revision, paper.from_, paper.to, paper.who, paper.at_ms) == (
        NAME, 1, date(2026, 9, 1), date(2026, 9, 3), "amir", 5)
    assert get_paper(ledger, "s", "bill", NAME) == paper
    assert list_papers(ledger, "s", "bill") == [paper]
    assert list_papers(ledger, "s", "tariff") == []


def test_other_words_are_a_revision_and_the_same_words_are_none(ledger: Engine) -> None:
    declare(ledger, a_bill())
    assert add_paper(ledger, "s", "bill", a_bill(), "bina", 6).revision == 1
    changed = add_paper(ledger, "s", "bill", a_bill(amount="1.00"), "bina", 6, expected_revision=1)
    assert changed.revision == 2
    assert list_papers(ledger, "s", "bill") == [changed]
    with pytest.raises(ConflictError, match="revision 2 by now"):
        add_paper(ledger, "s", "bill", a_bill(), "amir", 7, expected_revision=1)


def test_what_is_withdrawn_is_not_in_force_and_may_come_back(ledger: Engine) -> None:
    declare(ledger, a_bill())
    assert withdraw_paper(ledger, "s", "bill", NAME, "bina", 6).withdrawn
    assert list_papers(ledger, "s", "bill") == []
    for gone in (lambda: get_paper(ledger, "s", "bill", NAME),
                 lambda: withdraw_paper(ledger, "s", "bill", NAME, "bina", 7)):
        with pytest.raises(InputError, match="site s has no such bill"):
            gone()
    assert add_paper(ledger, "s", "bill", a_bill(), "bina", 8).revision == 3
    assert get_paper(ledger, "s", "bill", NAME).revision == 3


def test_a_paper_of_an_unknown_site_is_refused(ledger: Engine) -> None:
    with pytest.raises(InputError, match="'nowhere' is not declared"):
        add_paper(ledger, "nowhere", "bill", a_bill(), "amir", 5)
    with pytest.raises(InputError, match="site s has no such bill"):
        get_paper(ledger, "s", "bill", NAME)

"""What a period is settled from, before anything is read."""

import pytest

from seatwatt.contract.errors import InputError
from seatwatt.settlement.settle import settle
from seatwatt.store.recording import load_recordings
from tests.services.run_kit import a_site, at


def test_a_year_mistyped_is_refused_before_it_fills_the_memory() -> None:
    start_ms = at(1).at_ms
    with pytest.raises(InputError, match="period: it is too long; expected at most 1100 days"):
        settle(a_site(), load_recordings([], "s"), start_ms, start_ms + 200 * 365 * 86_400_000)

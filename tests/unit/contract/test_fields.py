"""Fields of documents, and values that validate themselves, whoever makes them."""

import pytest

from seatwatt.contract._fields import as_whole
from seatwatt.contract.errors import InputError
from seatwatt.contract.meters import Share


@pytest.mark.parametrize("value", [1.0, "1", True, None])
def test_a_whole_number_is_no_other_kind(value: object) -> None:
    with pytest.raises(InputError, match=r"gap: .* is not a whole number"):
        as_whole("gap", value)
    assert as_whole("gap", 2**70) == 2**70


def test_a_share_has_no_negative_weight() -> None:
    with pytest.raises(InputError, match=r"weights\.beta: -1 is negative; expected 0 or more"):
        Share(rule="fixed", weights=(("alpha", 2), ("beta", -1)))

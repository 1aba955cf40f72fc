"""The table of derived measurements keeps apart from the measurements of readings."""

import pytest

from seatwatt.contract.derived import DERIVED
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES
from seatwatt.contract.site import Site
from seatwatt.contract.sitedocument import site_document
from seatwatt.contract.sitefile import parse_site


def test_no_derived_measurement_has_the_name_of_a_kind() -> None:
    assert not set(DERIVED) & {kind for kind, _ in QUANTITIES}


@pytest.mark.parametrize("field", ["energy_wh", "source_grid_wh", "band_peak_wh"])
def test_a_star_stands_for_any_source_or_band(field: str) -> None:
    assert DERIVED["tenant_energy"].has_field(field)
    assert not DERIVED["tenant_energy"].has_field(field + "x")


def test_the_sanctioned_load_goes_there_and_back() -> None:
    document = {"site": "one", "time_zone": "Asia/Karachi", "currency": "PKR",
                "sanctioned_load_w": 200_000.0}
    site: Site = parse_site(document)
    assert site.sanctioned_load_w == 200_000.0
    assert parse_site(site_document(site)) == site


def test_a_sanctioned_load_is_positive() -> None:
    document = {"site": "one", "time_zone": "UTC", "currency": "PKR", "sanctioned_load_w": 0}
    with pytest.raises(InputError, match="sanctioned_load_w"):
        parse_site(document)

"""The small parts of the console: months, bars, how numbers and times look."""

from datetime import UTC, datetime

import pytest
from fastapi import Request
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.api.attempts import address_of
from seatwatt.api.console.chart import HEIGHT, chart
from seatwatt.api.console.errors import own_path
from seatwatt.api.console.months import shown_month
from seatwatt.api.console.rendering import ago, kwh, local, money
from seatwatt.contract.errors import InputError

KARACHI = "Asia/Karachi"


def ms(text: str) -> int:
    return round(datetime.fromisoformat(text).timestamp() * 1000)


@pytest.mark.parametrize(("asked", "now", "from_", "to", "open_"), [
    ("", "2026-10-15T10:47:00+05:00", "2026-10-01", "2026-10-15T09:00:00+05:00", True),
    ("2026-10", "2026-10-15T10:47:00+05:00", "2026-10-01", "2026-10-15T09:00:00+05:00", True),
    ("2026-09", "2026-10-15T10:47:00+05:00", "2026-09-01", "2026-10-01", False),
    ("", "2026-10-01T01:59:00+05:00", "2026-09-01", "2026-10-01", False),
    ("", "2026-10-01T02:00:00+05:00", "2026-10-01", "2026-10-01T01:00:00+05:00", True),
    ("", "2027-01-01T00:30:00+05:00", "2026-12-01", "2026-12-31T23:00:00+05:00", True),
    ("2026-12", "2027-01-01T01:00:00+05:00", "2026-12-01", "2027-01-01", False),
])
def test_the_month_that_is_shown(asked: str, now: str, from_: str, to: str, open_: bool) -> None:
    shown = shown_month(asked, ms(now), KARACHI)
    assert (shown.from_, shown.to, shown.open) == (from_, to, open_)


def test_months_lead_to_one_another() -> None:
    shown = shown_month("2026-01", ms("2026-10-15T10:47:00+05:00"), KARACHI)
    assert (shown.before, shown.after) == ("2025-12", "2026-02")
    assert shown_month("", ms("2026-10-15T10:47:00+05:00"), None).after is None


@pytest.mark.parametrize("asked", ["2026-11", "2026-13", "2026-1", "x", "9999-01"])
def test_a_month_nobody_means_is_refused(asked: str) -> None:
    with pytest.raises(InputError):
        shown_month(asked, ms("2026-10-15T10:47:00+05:00"), KARACHI)


@given(st.lists(st.integers(-10**9, 10**12).map(lambda milliwh: milliwh / 1000), max_size=31))
def test_bars_stay_within_their_picture(energies: list[float]) -> None:
    """Energies as the routes give them, in milliwatt-hours."""
    drawn = chart([{"from": "2026-10-01", "energy_wh": energy, "quality": "measured"}
                   for energy in energies])
    assert len(drawn.bars) == len(energies)
    for bar in drawn.bars:
        assert 0 <= bar.y <= bar.y + bar.height <= HEIGHT
    assert max(energies, default=0) <= drawn.lines[-1][1] * (1 + 1e-12)


@pytest.mark.parametrize(("highest", "top"), [(0, 1000), (1, 1), (10_800, 12_000),
                                              (12_000, 12_000), (0.4, 0.4), (99_999, 100_000)])
def test_lines_stand_at_round_numbers(highest: float, top: float) -> None:
    drawn = chart([{"from": "2026-10-01", "energy_wh": highest, "quality": "measured"}])
    assert drawn.lines[-1][1] == pytest.approx(top)


def test_numbers_and_times_for_people() -> None:
    assert (kwh(1234567.125), kwh(1234567.125, 1), kwh(0)) == ("1,234.567", "1,234.6", "0.000")
    assert (money("507435.60"), money("-3.5"), money("12")) == ("507,435.60", "-3.5", "12")
    assert local("2026-10-01T03:12:45.250+00:00", KARACHI) == "1 Oct 2026, 08:12"
    assert local("2026-10-01T03:12:45Z", None) == "1 Oct 2026, 03:12 UTC"
    assert (local("2026-10-01", KARACHI), local(None, KARACHI)) == ("1 Oct 2026", "never")
    assert [ago(age) for age in (None, 12.4, 119, 120, 7200, 172_800)] == [
        "never heard of", "12 s", "119 s", "2 min", "2 h", "2 d"]


@pytest.mark.parametrize(("host", "counted"), [
    ("192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("::ffff:192.0.2.7", "192.0.2.7"), ("fe80::1%eth0", "fe80::/64"), ("testclient", "testclient")])
def test_an_address_is_that_of_a_customer(host: str, counted: str) -> None:


    request = Request({"type": "http", "client": (host, 1), "headers": []})
    assert address_of(request) == counted
    assert address_of(Request({"type": "http", "headers": []})) == "unknown"


@given(st.text(max_size=30))
def test_only_pages_of_ours_are_gone_to(given_path: str) -> None:
    found = own_path(given_path)
    assert found == "/console" or (found == given_path and found.startswith("/console/")) \
        or found.startswith("/console?")


def test_time_zones_are_those_of_the_site() -> None:
    at = datetime(2026, 7, 1, 12, tzinfo=UTC).isoformat()
    assert local(at, "Europe/Berlin") == "1 Jul 2026, 14:00"

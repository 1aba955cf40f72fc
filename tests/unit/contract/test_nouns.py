"""Devices, topics, quantities, intervals, errors: what each refuses, and with which words."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.devices import KINDS, Device
from seatwatt.contract.errors import ConflictError, InputError, StoreUnavailable
from seatwatt.contract.intervals import IntervalGrid, instant_ms, local_midnight_ms, to_ms
from seatwatt.contract.quantities import FIELDS, QUANTITIES, Nature, quantity
from seatwatt.contract.readings import ReadingBatch, SeriesBook
from seatwatt.contract.topics import CHANNELS, Topic, ingest_filters

KARACHI = ZoneInfo("Asia/Karachi")
AMSTERDAM = ZoneInfo("Europe/Amsterdam")

identifiers = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)


@given(st.sampled_from(KINDS), identifiers, identifiers)
def test_a_device_is_read_back_from_its_text(kind: str, zone: str, name: str) -> None:
    device = Device(kind, zone, name)
    assert Device.parse(str(device)) == device
    assert Device.parse(f"{zone}/{name}", kind=kind) == device


@pytest.mark.parametrize("text", [
    "seat/hall-a", "seat/hall-a/017/energy", "", "desk/hall-a/017", "seat/Hall/017", "seat//017",
    "seat/-a/017", f"seat/{'a' * 41}/017", "seat/hall a/017", "seat/hall-a/017\n"])
def test_what_is_no_device_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="device"):
        Device.parse(text)


@given(identifiers, st.sampled_from(KINDS + CHANNELS), identifiers, identifiers)
def test_a_topic_is_read_back_from_its_text(site: str, kind: str, zone: str, name: str) -> None:
    topic = Topic(site, kind, zone, name)
    assert Topic.parse(str(topic)) == topic
    assert topic.carries_readings == (kind not in ("status", "receipt"))


@pytest.mark.parametrize("text", [
    "seatwatt/v1/s/seat/hall-a", "seatwatt/v2/s/seat/hall-a/1", "other/v1/s/seat/hall-a/1",
    "seatwatt/v1/s/desk/hall-a/1", "seatwatt/v1/S/seat/hall-a/1", "seatwatt/v1/s/seat/+/1", ""])
def test_what_is_no_topic_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="topic"):
        Topic.parse(text)


def test_the_subscriptions_carry_readings_only() -> None:
    filters = ingest_filters("s")
    assert "seatwatt/v1/s/pack/+/+" in filters
    assert not any("receipt" in each or "status" in each for each in filters)
    assert ingest_filters()[0] == "seatwatt/v1/+/seat/+/+"
    with pytest.raises(InputError, match="'#' is not an identifier"):
        ingest_filters("#")


def test_every_quantity_accepts_its_own_unit_unchanged_and_names_its_field_once() -> None:
    for row in QUANTITIES.values():
        assert row.units[row.unit] == 1.0
        assert row.low <= row.high
    assert len(FIELDS) == len(QUANTITIES)
    assert FIELDS["seat", "energy_wh"] is quantity("seat", "energy")
    assert quantity("ups", "status").nature is Nature.TEXT


def test_an_unknown_quantity_names_those_of_its_kind() -> None:
    with pytest.raises(InputError, match="'humidity' is unknown for kind 'room'; "
                                         "expected occupied, people"):
        quantity("room", "humidity")


def test_series_are_interned_and_the_book_forgets_rather_than_grows() -> None:
    book = SeriesBook(limit=2)
    energy = quantity("seat", "energy")
    first = book.get("s", Device("seat", "a", "1"), energy)
    assert book.get("s", Device("seat", "a", "1"), energy) is first
    book.get("s", Device("seat", "a", "2"), energy)
    book.get("s", Device("seat", "a", "3"), energy)
    assert book.get("s", Device("seat", "a", "1"), energy) is not first


def test_a_book_past_its_limit_forgets_what_decoders_noted_too() -> None:
    book = SeriesBook(limit=2)
    first = book.notes("topic", object)
    assert book.notes("topic", object) is first
    book.noted()
    book.noted()
    assert book.notes("topic", object) is not first


def test_batches_grow_and_are_cut() -> None:
    book = SeriesBook()
    series = book.get("s", Device("seat", "a", "1"), quantity("seat", "energy"))
    batch = ReadingBatch()
    batch.append(series, 1, 10.0)
    batch.extend(ReadingBatch([series], [2], [20.0]))
    assert len(batch) == 2
    assert batch.part(1, 2) == ReadingBatch([series], [2], [20.0])


def test_an_error_is_one_line_and_stays_of_its_kind_within_a_larger_whole() -> None:
    error = ConflictError("leases[2]", "overlaps leases[0]").within("site.yaml")
    assert isinstance(error, ConflictError)
    assert str(error) == "site.yaml: leases[2]: overlaps leases[0]"
    assert StoreUnavailable("down", retry_after_s=3).retry_after_s == 3


@pytest.mark.parametrize(("day", "hours"), [
    (date(2026, 3, 29), 23), (date(2026, 10, 25), 25), (date(2026, 7, 1), 24)])
def test_a_local_day_has_as_many_intervals_as_it_lasts(day: date, hours: int) -> None:
    start = local_midnight_ms(day, AMSTERDAM)
    grid = IntervalGrid.between(start, start + hours * 3_600_000, 1800, AMSTERDAM)
    assert len(grid) == 2 * hours
    assert (grid.start_ms, grid.end_ms) == (start, start + hours * 3_600_000)


def test_a_period_may_start_inside_a_day() -> None:
    start = to_ms(datetime(2026, 10, 1, 10, 30, tzinfo=KARACHI))
    assert len(IntervalGrid.between(start, start + 3_600_000, 1800, KARACHI)) == 2


@pytest.mark.parametrize(("zone", "day"), [
    ("Asia/Karachi", date(2026, 10, 30)), ("Europe/Amsterdam", date(2026, 10, 24)),
    ("Africa/Cairo", date(2026, 4, 23)),        # a day that begins at 01:00
    ("Atlantic/Azores", date(2026, 10, 24)),    # a midnight that comes twice
    ("Pacific/Apia", date(2011, 12, 28))])      # no 30th in that year
@pytest.mark.parametrize("hours", [0, 5])
def test_local_days_begin_where_the_date_changes(zone: str, day: date, hours: int) -> None:
    place = ZoneInfo(zone)
    start = local_midnight_ms(day, place) + hours * 3_600_000
    grid = IntervalGrid.between(start, local_midnight_ms(date.fromordinal(day.toordinal() + 4),
                                                         place), 1800, place)
    days = [datetime.fromtimestamp(at / 1000, UTC).astimezone(place).date()
            for at in grid.boundaries_ms[:-1]]
    assert list(grid.day_starts()) == [0] + [
        at for at in range(1, len(days)) if days[at] != days[at - 1]]


@pytest.mark.parametrize(("start", "length_ms", "interval_s", "words"), [
    ("2026-10-01T00:00:00+05:00", 3_600_000, 420, "interval: 420 s is not a length we know"),
    ("2026-10-01T00:10:00+05:00", 3_600_000, 1800, "period from: .* not on an interval boundary"),
    ("2026-10-01T00:00:00+05:00", 600_000, 1800, "period to: .* not on an interval boundary"),
    ("2026-10-01T00:00:00+05:00", 0, 1800, "period: from is not before to")])
def test_a_wrong_period_is_one_clear_line(start: str, length_ms: int, interval_s: int, words: str
                                          ) -> None:
    start_ms = to_ms(datetime.fromisoformat(start))
    with pytest.raises(InputError, match=words):
        IntervalGrid.between(start_ms, start_ms + length_ms, interval_s, KARACHI)


def test_a_grid_checks_itself() -> None:
    with pytest.raises(InputError, match="interval: 7 s"):
        IntervalGrid(KARACHI, 7, (0, 7000))
    with pytest.raises(InputError, match="period: it is empty"):
        IntervalGrid(KARACHI, 1800, (0,))


@pytest.mark.parametrize("when", [date(1999, 12, 31), date(9999, 12, 31), date(1, 1, 1),
                                  datetime(2200, 1, 1, tzinfo=UTC)])
def test_years_that_no_clock_shows_are_refused(when: date) -> None:
    with pytest.raises(InputError, match=f"^time: the year {when.year} is out of range"):
        instant_ms(when, KARACHI)


def test_instants_and_dates_become_milliseconds() -> None:
    assert instant_ms(date(2026, 10, 1), KARACHI) == 1790794800000
    assert instant_ms(datetime(2026, 10, 1, tzinfo=UTC), KARACHI) == 1790812800000
    with pytest.raises(InputError, match="no time zone"):
        to_ms(datetime(2026, 10, 1))  # noqa: DTZ001 (the very thing that is refused)

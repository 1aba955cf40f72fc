"""Green Button: every feed has the structure of the public schema, and says all there is."""

import re
from collections.abc import Callable
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.settlement.green_button import green_button
from seatwatt.settlement.green_button_time import NO_RULE, LocalTime, local_time
from tests.unit.settlement.espi import ATOM, ESPI, entries, faults, hrefs


def a_statement(zone: str = "Asia/Karachi", from_: date = date(2026, 10, 1), days: int = 2,
                length_s: int = 1800, name: str = "Alpha") -> dict[str, Any]:
    """As much of a statement as Green Button is made of; every seventh interval is estimated."""
    to, clock = from_ + timedelta(days=days), ZoneInfo(zone)
    grid = IntervalGrid.between(local_midnight_ms(from_, clock), local_midnight_ms(to, clock),
                                length_s, clock)
    energy = [round(at % 5 - 0.5 + at / 1000, 3) for at in range(len(grid))]
    return {"number": "s-000001", "issued_at": "2026-11-02T03:04:05Z", "digest": "ab" * 32,
            "site": {"id": "s", "name": "S", "time_zone": zone},
            "party": {"id": "alpha", "name": name},
            "period": {"from": str(from_), "to": str(to)},
            "energy": {"energy_wh": round(sum(energy), 3)},
            "intervals": {"length_s": length_s, "energy_wh": energy,
                          "estimated": list(range(0, len(energy), 7))}}


@settings(max_examples=25)
@given(zone=st.sampled_from(["Asia/Karachi", "Europe/Berlin", "America/New_York", "Asia/Kathmandu",
                             "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia"]),
       from_=st.dates(date(2020, 1, 1), date(2035, 12, 1)), days=st.integers(1, 5),
       length_s=st.sampled_from([300, 600, 900, 1200, 1800, 3600]), issued=st.booleans())
def test_every_feed_has_the_structure_of_the_schema(zone: str, from_: date, days: int,
                                                    length_s: int, issued: bool) -> None:
    document = a_statement(zone, from_, days, length_s)
    if not issued:
        document |= {"number": None, "issued_at": None}
    feed = Xml.fromstring(green_button(document))
    assert faults(feed) == []
    readings = list(feed.iter(f"{ESPI}IntervalReading"))
    values = [int(reading.findtext(f"{ESPI}value") or "") for reading in readings]
    assert values == [round(1000 * wh) for wh in document["intervals"]["energy_wh"]]
    total = feed.findtext(f".//{ESPI}overallConsumptionLastPeriod/{ESPI}value")
    assert sum(values) == int(total or "")
    estimated = [at for at, reading in enumerate(readings)
                 if reading.findtext(f"{ESPI}ReadingQuality/{ESPI}quality") == "9"]
    assert estimated == document["intervals"]["estimated"]


@pytest.mark.parametrize(("from_", "seconds"), [(date(2026, 10, 24), [86_400, 90_000, 86_400]),
                                                (date(2026, 3, 28), [86_400, 82_800, 86_400])])
def test_blocks_and_readings_tile_the_period_also_when_clocks_change(
        from_: date, seconds: list[int]) -> None:
    feed = Xml.fromstring(green_button(a_statement("Europe/Berlin", from_, days=3)))
    blocks = [entry.find(f"{ATOM}content/{ESPI}IntervalBlock")
              for entry in entries(feed, "IntervalBlock")]
    start = local_midnight_ms(from_, ZoneInfo("Europe/Berlin")) // 1000
    for block, length in zip(blocks, seconds, strict=True):
        assert block is not None
        assert span(block, "interval") == (start, length)
        for reading in block.iter(f"{ESPI}IntervalReading"):
            assert span(reading, "timePeriod") == (start, 1800)
            start += 1800
    assert [entry.findtext(f"{ATOM}title") for entry in entries(feed, "IntervalBlock")] == [
        str(from_ + timedelta(days=day)) for day in range(3)]


def span(parent: Xml.Element, name: str) -> tuple[int, int]:
    return (int(parent.findtext(f"{ESPI}{name}/{ESPI}start") or ""),
            int(parent.findtext(f"{ESPI}{name}/{ESPI}duration") or ""))


def test_the_codes_say_energy_of_each_interval_in_milliwatt_hours() -> None:
    feed = Xml.fromstring(green_button(a_statement(length_s=900)))
    kind = feed.find(f".//{ESPI}ReadingType")
    assert kind is not None
    assert {part.tag.removeprefix(ESPI): part.text for part in kind} == {
        "accumulationBehaviour": "4", "commodity": "1", "dataQualifier": "12",
        "defaultQuality": "17", "flowDirection": "1", "intervalLength": "900", "kind": "12",
        "phase": "0", "powerOfTenMultiplier": "-3", "timeAttribute": "0", "uom": "72"}
    assert feed.findtext(f".//{ESPI}ServiceCategory/{ESPI}kind") == "0"
    types = {(link.get("rel"), link.get("type")) for link in
             entries(feed, "MeterReading")[0].findall(f"{ATOM}link")}
    assert types == {("self", "espi-entry/MeterReading"), ("up", "espi-feed/MeterReading"),
                     ("related", "espi-feed/IntervalBlock"), ("related", "espi-entry/ReadingType")}


@pytest.mark.parametrize(("zone", "expected"), [
    ("Asia/Karachi", LocalTime(offset_s=18_000)),
    ("Europe/Berlin", LocalTime(offset_s=3600, saving_s=3600, start_rule="31D02000",
                                end_rule="A1903000")),
    ("America/New_York", LocalTime(offset_s=-18_000, saving_s=3600, start_rule="30802000",
                                   end_rule="B0102000")),
    ("America/Havana", LocalTime(offset_s=-18_000, saving_s=3600, start_rule="30800000",
                                 end_rule="B0101000")),
    ("Australia/Sydney", LocalTime(offset_s=36_000)), ("Africa/Casablanca",
                                                      LocalTime(offset_s=3600))])
def test_local_time_in_july_2026(zone: str, expected: LocalTime) -> None:
    at = datetime(2026, 7, 1, tzinfo=ZoneInfo(zone))
    assert local_time(ZoneInfo(zone), round(at.timestamp() * 1000)) == expected


@given(zone=st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Beirut", "Asia/Karachi",
                             "America/Santiago", "Europe/Dublin"]),
       day=st.dates(date(2015, 1, 1), date(2035, 1, 1)), second=st.integers(0, 86_399))
def test_local_time_gives_the_offset_of_every_moment(zone: str, day: date, second: int) -> None:
    """Computed back from the rules as a receiver would, away from the hour of a change."""
    clock = ZoneInfo(zone)
    moment = datetime.combine(day, time(), clock) + timedelta(seconds=second)
    local = local_time(clock, round(moment.timestamp() * 1000))
    offset = local.offset_s
    if local.start_rule != NO_RULE:
        start, end = (decoded(rule, moment) for rule in (local.start_rule, local.end_rule))
        if min(abs(moment - start), abs(moment - end)) < timedelta(hours=2):
            return
        offset += local.saving_s * (start <= moment < end)
    assert moment.utcoffset() == timedelta(seconds=offset)


def decoded(rule: str, moment: datetime) -> datetime:
    """A rule with operator 0, in the moment's year: on this day of the month."""
    bits = int(rule, 16)
    assert not bits >> 25 & 7 | bits >> 17 & 7
    return moment.replace(month=bits >> 28, day=bits >> 20 & 31, hour=bits >> 12 & 31, minute=0,
                          second=0) + timedelta(seconds=bits & 0xFFF)


def test_a_resource_keeps_its_id_and_address_from_month_to_month() -> None:
    october, november = (Xml.fromstring(green_button(a_statement(from_=date(2026, month, 1))))
                         for month in (10, 11))
    for name in ("UsagePoint", "LocalTimeParameters", "MeterReading", "ReadingType"):
        first, second = (entries(feed, name)[0] for feed in (october, november))
        assert first.findtext(f"{ATOM}id") == second.findtext(f"{ATOM}id")
        assert hrefs(first, "self") == hrefs(second, "self")
    for name in ("IntervalBlock", "UsageSummary"):
        ids = [entry.findtext(f"{ATOM}id") for feed in (october, november)
               for entry in entries(feed, name)]
        assert len(set(ids)) == len(ids)


BREAKS: list[tuple[str, Callable[[str], str]]] = [
    ("order", lambda text: re.sub(r"(<espi:duration>.*?</espi:duration>)\s*"
                                  r"(<espi:start>.*?</espi:start>)", r"\2\1", text)),
    ("code", lambda text: text.replace(">72<", ">9072<")),
    ("not in the schema", lambda text: text.replace("espi:MeterReading", "espi:Reading")),
    ("link without type", lambda text: re.sub(' type="espi-entry/ReadingType"', "", text)),
    ("no time zone", lambda text: text.replace("LocalTimeParameters/s", "LocalTime", 1)),
    ("block under nothing", lambda text: text.replace("/IntervalBlock\"", "/Blocks\"", 1)),
    ("same id twice", lambda text: re.sub("urn:uuid:[0-9a-f-]+", "urn:uuid:" + "0" * 8
                                          + "-0000" * 3 + "-" + "0" * 12, text)),
    ("fractions", lambda text: text.replace("</espi:value>", ".5</espi:value>")),
    ("no status time", lambda text: re.sub("<espi:statusTimeStamp>.*?<.*?>", "", text)),
    ("two titles", lambda text: text.replace("<content>", "<title>x</title><content>")),
]


@pytest.mark.parametrize("broken", [how for _, how in BREAKS], ids=[name for name, _ in BREAKS])
def test_the_check_sees_what_is_wrong(broken: Callable[[str], str]) -> None:
    text = green_button(a_statement()).decode()
    assert broken(text) != text
    assert faults(Xml.fromstring(broken(text)))

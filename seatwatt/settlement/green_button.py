"""A statement's intervals as Green Button: an Atom feed of the Energy Services Provider Interface.

Elements stand in the order that the public schema (espi.xsd 4.0) demands, each link says what it
leads to. Values are whole milliwatt-hours: unit Wh (72), multiplier 10^-3.
"""

import uuid
from collections.abc import Iterable, Iterator
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date
from seatwatt.settlement.green_button_time import local_time

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""RFC 4122's for addresses: a resource keeps its id from month to month."""

WATT_HOURS, MILLI = "72", "-3"
ELECTRICITY = "1"
QUALITY_VALID, QUALITY_ESTIMATED, QUALITY_MIXED = "17", "9", "13"
"""Validated; estimated by linear interpolation; of a summary, some of each."""

_RESOURCE = "/espi/1_1/resource"


def green_button(document: dict[str, Any]) -> bytes:
    """The feed of one statement: a usage point, its readings day by day with their quality."""
    Xml.register_namespace("", ATOM)
    Xml.register_namespace("espi", ESPI)
    return _Feed(document).build()


class _Feed:
    def __init__(self, document: dict[str, Any]) -> None:
        self._document = document
        self._zone = ZoneInfo(document["site"]["time_zone"])
        start_ms, end_ms = (local_midnight_ms(date.fromisoformat(document["period"][name]),
                                              self._zone) for name in ("from", "to"))
        self._grid = IntervalGrid.between(start_ms, end_ms, document["intervals"]["length_s"],
                                          self._zone)
        issued = document["issued_at"]
        self._at = issued or datetime.fromtimestamp(end_ms // 1000, UTC).strftime(
            "%Y-%m-%dT%H:%M:%SZ")
        self._base = f"{_RESOURCE}/RetailCustomer/{document['party']['id']}"
        self._point = f"{self._base}/UsagePoint/{document['site']['id']}"

    def build(self) -> bytes:
        """The whole feed."""
        party = self._document["party"]["name"]
        feed = Xml.Element(f"{{{ATOM}}}feed")
        _atom(feed, "id", _id(self._base))
        _atom(feed, "title", f"{party}, {self._document['number'] or 'draft'}")
        _atom(feed, "updated", self._at)
        _link(feed, "self", f"{self._base}/UsagePoint")
        meter, summary = f"{self._point}/MeterReading", f"{self._point}/UsageSummary"
        zone = f"{_RESOURCE}/LocalTimeParameters/{self._document['site']['id']}"
        kind = f"{_RESOURCE}/ReadingType/{self._grid.interval_s}"
        self._entry(feed, self._point, self._usage_point(),
                    f"{party} at {self._document['site']['name']}", [meter, summary, zone])
        self._entry(feed, zone, self._local_time(), self._zone.key)
        self._entry(feed, f"{meter}/1", _espi("MeterReading"), "Energy by interval",
                    [f"{meter}/1/IntervalBlock", kind])
        self._entry(feed, kind, self._reading_type(), "Energy of each interval, mWh")
        for day, block in self._blocks():
            self._entry(feed, f"{meter}/1/IntervalBlock/{day:%Y%m%d}", block, day.isoformat())
        first = self._document["period"]["from"].replace("-", "")
        self._entry(feed, f"{summary}/{first}", self._summary(), "Energy of the whole period")
        Xml.indent(feed)
        return bytes(Xml.tostring(feed, encoding="utf-8", xml_declaration=True))

    def _entry(self, feed: Xml.Element, path: str, content: Xml.Element, title: str,
               related: Iterable[str] = ()) -> None:
        entry = _atom(feed, "entry")
        _atom(entry, "id", _id(path))
        _link(entry, "self", path)
        _link(entry, "up", path.rsplit("/", 1)[0])
        for href in related:
            _link(entry, "related", href)
        _atom(entry, "title", title)
        _atom(entry, "content").append(content)
        _atom(entry, "published", self._at)
        _atom(entry, "updated", self._at)

    def _usage_point(self) -> Xml.Element:
        point = _espi("UsagePoint")
        _part(_part(point, "ServiceCategory"), "kind", "0")  # electricity
        return point

    def _local_time(self) -> Xml.Element:
        local = local_time(self._zone, self._grid.start_ms)
        return _parts(_espi("LocalTimeParameters"), dstEndRule=local.end_rule,
                      dstOffset=str(local.saving_s), dstStartRule=local.start_rule,
                      tzOffset=str(local.offset_s))

    def _reading_type(self) -> Xml.Element:
        """Delta data, electricity, normal, forward, energy: the codes of the schema."""
        return _parts(
            _espi("ReadingType"), accumulationBehaviour="4", commodity=ELECTRICITY,
            dataQualifier="12", defaultQuality=QUALITY_VALID, flowDirection="1",
            intervalLength=str(self._grid.interval_s), kind="12", phase="0",
            powerOfTenMultiplier=MILLI, timeAttribute="0", uom=WATT_HOURS)

    def _blocks(self) -> Iterator[tuple[date, Xml.Element]]:
        """One block a local day."""
        bounds, energy = self._grid.boundaries_ms, self._document["intervals"]["energy_wh"]
        estimated = set(self._document["intervals"]["estimated"])
        for day, within in groupby(range(len(energy)),
                                   lambda at: local_date(bounds[at], self._zone)):
            places, block = list(within), _espi("IntervalBlock")
            _interval(block, "interval", bounds[places[0]], bounds[places[-1] + 1])
            for at in places:
                reading = _part(block, "IntervalReading")
                quality = QUALITY_ESTIMATED if at in estimated else QUALITY_VALID
                _part(_part(reading, "ReadingQuality"), "quality", quality)
                _interval(reading, "timePeriod", bounds[at], bounds[at + 1])
                _part(reading, "value", str(round(energy[at] * 1000)))
            yield day, block

    def _summary(self) -> Xml.Element:
        summary, end_s = _espi("UsageSummary"), str(self._grid.end_ms // 1000)
        estimated = self._document["intervals"]["estimated"]
        _interval(summary, "billingPeriod", self._grid.start_ms, self._grid.end_ms)
        _parts(_part(summary, "overallConsumptionLastPeriod"), powerOfTenMultiplier=MILLI,
               timeStamp=end_s, uom=WATT_HOURS,
               value=str(round(self._document["energy"]["energy_wh"] * 1000)))
        return _parts(summary, qualityOfReading=QUALITY_MIXED if estimated else QUALITY_VALID,
                      statusTimeStamp=end_s, commodity=ELECTRICITY)


def _id(path: str) -> str:
    return f"urn:uuid:{uuid.uuid5(_NAMESPACE, path)}"


def _atom(parent: Xml.Element, name: str, text: "str | None" = None) -> Xml.Element:
    child = Xml.SubElement(parent, f"{{{ATOM}}}{name}")
    child.text = text
    return child


def _link(parent: Xml.Element, rel: str, href: str) -> None:
    """What it leads to is in the address: a resource ends with its number or name, a list with
    what it lists."""
    name, last = href.split("/")[-2:]
    kind = f"espi-feed/{last}" if last[0].isupper() else f"espi-entry/{name}"
    _atom(parent, "link").attrib.update({"rel": rel, "href": href, "type": kind})


def _espi(name: str) -> Xml.Element:
    return Xml.Element(f"{{{ESPI}}}{name}")


def _part(parent: Xml.Element, name: str, text: "str | None" = None) -> Xml.Element:
    child = Xml.SubElement(parent, f"{{{ESPI}}}{name}")
    child.text = text
    return child


def _parts(parent: Xml.Element, **texts: str) -> Xml.Element:
    for name, text in texts.items():
        _part(parent, name, text)
    return parent


def _interval(parent: Xml.Element, name: str, start_ms: int, end_ms: int) -> None:
    _parts(_part(parent, name), duration=str((end_ms - start_ms) // 1000),
           start=str(start_ms // 1000))

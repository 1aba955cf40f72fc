"""A statement's intervals as Green Button: an Atom feed of the Energy Services Provider Interface.

Elements stand in the order that the public schema (espi.xsd) demands. Values are whole
milliwatt-hours: unit Wh (72), multiplier 10^-3.
"""

import uuid
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from xml.etree import ElementTree as Xml
from zoneinfo import ZoneInfo

from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leasetimes import local_date

ATOM, ESPI = "http://www.w3.org/2005/Atom", "http://naesb.org/espi"
_NAMESPACE = uuid.UUID("6ba7b811-9dad-11d1-80b4-00c04fd430c8")
"""RFC 4122's for addresses: the same statement has the same ids."""

WATT_HOURS, MILLI = "72", "-3"
QUALITY_VALID, QUALITY_ESTIMATED = "17", "9"
"""Validated; estimated by linear interpolation."""

NO_DST_RULE = "FFFFFFFF"
"""Says that daylight saving is not to be computed: intervals are in UTC anyway."""


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
        self._base = f"/espi/1_1/resource/RetailCustomer/{document['party']['id']}"
        self._point = f"{self._base}/UsagePoint/{document['site']['id']}"

    def build(self) -> bytes:
        """The whole feed."""
        name = self._document["number"] or "draft"
        feed = Xml.Element(f"{{{ATOM}}}feed")
        self._head(feed, self._base, f"{self._document['party']['name']}, {name}")
        meter, zone = f"{self._point}/MeterReading/1", "/espi/1_1/resource/LocalTimeParameters/1"
        kind, summary = "/espi/1_1/resource/ReadingType/1", (
            f"{self._point}/ElectricPowerUsageSummary/1")
        self._entry(feed, self._point, self._usage_point(), "Usage point",
                    [f"{self._point}/MeterReading", f"{self._point}/ElectricPowerUsageSummary",
                     zone])
        self._entry(feed, zone, self._local_time(), "Local time")
        self._entry(feed, meter, _espi("MeterReading"), "Energy by interval",
                    [f"{meter}/IntervalBlock", kind])
        self._entry(feed, kind, self._reading_type(), "Type of reading")
        for number, block in enumerate(self._blocks(), start=1):
            self._entry(feed, f"{meter}/IntervalBlock/{number}", block, "")
        self._entry(feed, summary, self._summary(), "Usage summary")
        Xml.indent(feed)
        return bytes(Xml.tostring(feed, encoding="utf-8", xml_declaration=True))

    def _head(self, parent: Xml.Element, path: str, title: str) -> None:
        seed = f"{self._document['digest']} {self._document['number']} {path}"
        _atom(parent, "id", f"urn:uuid:{uuid.uuid5(_NAMESPACE, seed)}")
        _atom(parent, "title", title)
        _atom(parent, "updated", self._at)
        _atom(parent, "link").attrib.update({"rel": "self", "href": path})

    def _entry(self, feed: Xml.Element, path: str, content: Xml.Element, title: str,
               related: "list[str] | None" = None) -> None:
        entry = _atom(feed, "entry")
        seed = f"{self._document['digest']} {self._document['number']} {path}"
        _atom(entry, "id", f"urn:uuid:{uuid.uuid5(_NAMESPACE, seed)}")
        for rel, href in [("self", path), ("up", path.rsplit("/", 1)[0]),
                          *(("related", href) for href in related or [])]:
            _atom(entry, "link").attrib.update({"rel": rel, "href": href})
        _atom(entry, "title", title)
        _atom(entry, "content").append(content)
        _atom(entry, "published", self._at)
        _atom(entry, "updated", self._at)

    def _usage_point(self) -> Xml.Element:
        point = _espi("UsagePoint")
        _part(_part(point, "ServiceCategory"), "kind", "0")  # electricity
        return point

    def _local_time(self) -> Xml.Element:
        offset = datetime.fromtimestamp(self._grid.start_ms / 1000, self._zone).utcoffset()
        seconds = 0 if offset is None else int(offset.total_seconds())
        return _parts(_espi("LocalTimeParameters"), dstEndRule=NO_DST_RULE, dstOffset="0",
                      dstStartRule=NO_DST_RULE, tzOffset=str(seconds))

    def _reading_type(self) -> Xml.Element:
        """Delta data, electricity, normal, forward, energy: the codes of the schema."""
        return _parts(
            _espi("ReadingType"), accumulationBehaviour="4", commodity="1", dataQualifier="12",
            defaultQuality=QUALITY_VALID, flowDirection="1",
            intervalLength=str(self._grid.interval_s), kind="12", phase="0",
            powerOfTenMultiplier=MILLI, timeAttribute="0", uom=WATT_HOURS)

    def _blocks(self) -> Iterator[Xml.Element]:
        """One block a local day."""
        bounds = self._grid.boundaries_ms
        energy = self._document["intervals"]["energy_wh"]
        estimated = set(self._document["intervals"]["estimated"])
        block, today = _espi("IntervalBlock"), None
        for at, value in enumerate(energy):
            day = local_date(bounds[at], self._zone)
            if day != today:
                if today is not None:
                    yield block
                block, today = _espi("IntervalBlock"), day
                length = sum(bounds[i + 1] - bounds[i] for i in range(at, len(energy))
                             if local_date(bounds[i], self._zone) == day)
                _parts(_part(block, "interval"), duration=str(length // 1000),
                       start=str(bounds[at] // 1000))
            reading = _part(block, "IntervalReading")
            quality = QUALITY_ESTIMATED if at in estimated else QUALITY_VALID
            _part(_part(reading, "ReadingQuality"), "quality", quality)
            _parts(_part(reading, "timePeriod"),
                   duration=str((bounds[at + 1] - bounds[at]) // 1000),
                   start=str(bounds[at] // 1000))
            _part(reading, "value", str(round(value * 1000)))
        yield block

    def _summary(self) -> Xml.Element:
        summary = _espi("ElectricPowerUsageSummary")
        end_s = self._grid.end_ms // 1000
        _parts(_part(summary, "billingPeriod"),
               duration=str((self._grid.end_ms - self._grid.start_ms) // 1000),
               start=str(self._grid.start_ms // 1000))
        _parts(_part(summary, "overallConsumptionLastPeriod"), powerOfTenMultiplier=MILLI,
               timeStamp=str(end_s), uom=WATT_HOURS,
               value=str(round(self._document["energy"]["energy_wh"] * 1000)))
        _part(summary, "statusTimeStamp", str(end_s))
        return summary


def _atom(parent: Xml.Element, name: str, text: "str | None" = None) -> Xml.Element:
    child = Xml.SubElement(parent, f"{{{ATOM}}}{name}")
    child.text = text
    return child


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

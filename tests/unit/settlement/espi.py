"""The structure of Green Button that our feeds must keep, as far as they use it.

Source: the public schemas espi.xsd (NAESB REQ.21 ESPI, version 4.0.20231213) and atom.xsd, and the
relations that the public conformance tests of the Green Button SDK ask for. Said again in a table
of our own: children in order (`?` may be left out, `*` as many as there are), simple types, codes.
"""

import re
from collections import Counter
from collections.abc import Callable
from xml.etree import ElementTree as Xml

ESPI, ATOM = "{http://naesb.org/espi}", "{http://www.w3.org/2005/Atom}"

_SUMMARY = "powerOfTenMultiplier? timeStamp? uom? value? readingTypeRef?"
_TYPES: dict[str, str] = {
    "UsagePoint": "roleFlags? ServiceCategory? status? serviceDeliveryPoint?",
    "ServiceCategory": "kind:service",
    "LocalTimeParameters": "dstEndRule dstOffset dstStartRule tzOffset",
    "MeterReading": "",
    "ReadingType": "accumulationBehaviour? commodity? consumptionTier? currency? dataQualifier? "
                   "defaultQuality? flowDirection? intervalLength? kind? phase? "
                   "powerOfTenMultiplier? timeAttribute? tou? uom? cpp? interharmonic? "
                   "measuringPeriod? argument?",
    "IntervalBlock": "interval? IntervalReading*",
    "interval": "duration start", "timePeriod": "duration start",
    "billingPeriod": "duration start",
    "IntervalReading": "cost? ReadingQuality* timePeriod? value? consumptionTier? tou? cpp?",
    "ReadingQuality": "quality",
    "UsageSummary": "billingPeriod? billLastPeriod? billToDate? costAdditionalLastPeriod? "
                    "costAdditionalDetailLastPeriod* currency? overallConsumptionLastPeriod? "
                    "currentBillingPeriodOverAllConsumption? qualityOfReading? ratchetDemand? "
                    "ratchetDemandPeriod? statusTimeStamp commodity? tariffProfile? readCycle?",
    "overallConsumptionLastPeriod": _SUMMARY,
}


def _within(low: int, high: int) -> Callable[[str], bool]:
    return lambda text: re.fullmatch("-?[0-9]+", text) is not None and low <= int(text) <= high


def _one_of(*codes: int) -> Callable[[str], bool]:
    return lambda text: text in set(map(str, codes))


def _is_rule(text: str) -> bool:
    return re.fullmatch("[0-9A-F]{8}", text) is not None


_TIME = _within(-2**63, 2**63 - 1)
_QUALITY = _one_of(0, *range(7, 20))
_SIMPLE: dict[str, Callable[[str], bool]] = {
    "kind:service": _one_of(*range(11)), "dstEndRule": _is_rule, "dstStartRule": _is_rule,
    "dstOffset": _TIME, "tzOffset": _TIME, "start": _TIME, "timeStamp": _TIME,
    "statusTimeStamp": _TIME, "duration": _within(0, 2**32 - 1),
    "intervalLength": _within(0, 2**32 - 1), "value": _within(-2**47, 2**47),
    "accumulationBehaviour": _one_of(0, 1, 2, 3, 4, 6, 9, 10, 12, 13, 14),
    "commodity": _one_of(*range(27)), "dataQualifier": _one_of(0, 2, 4, 5, 7, 8, 9, 11, 12),
    "defaultQuality": _QUALITY, "quality": _QUALITY, "qualityOfReading": _QUALITY,
    "flowDirection": _one_of(0, 1, 2, 4, 19), "kind": _one_of(0, 3, 8, 12, 37, 38),
    "phase": _within(0, 2**16 - 1), "powerOfTenMultiplier": _one_of(-12, -9, -6, -3, 0, 3, 6, 9),
    "timeAttribute": _one_of(0, 8, 11, 13, 22, 24, 32),
    "uom": _one_of(5, 29, 38, 61, 63, 71, 72, 73),
}


def faults(feed: Xml.Element) -> list[str]:
    """Everything about the feed that the schema or the relations forbid; none is what we want."""
    found = [] if feed.tag == f"{ATOM}feed" else [f"{feed.tag} is no feed"]
    found += _head(feed, {"self": (1, 1)})
    for entry in feed.iter(f"{ATOM}entry"):
        found += _head(entry, {"self": (1, 1), "up": (1, 1), "related": (0, 99)})
        found += _count(entry, "content", 1) + _count(entry, "published", 1)
        for content in entry.iter(f"{ATOM}content"):
            found += [] if len(content) == 1 else ["a content holds one element"]
            for element in content:
                found += _element(element)
    return found + _relations(feed)


def _head(parent: Xml.Element, rels: dict[str, tuple[int, int]]) -> list[str]:
    found = [fault for name in ("id", "title", "updated") for fault in _count(parent, name, 1)]
    found += [] if re.fullmatch("urn:uuid:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
                                parent.findtext(f"{ATOM}id") or "") else ["an id is no UUID"]
    for name in ("published", "updated"):
        text = parent.findtext(f"{ATOM}{name}")
        if text is not None and not re.fullmatch(r"[0-9-]{10}T[0-9:]{8}Z", text):
            found.append(f"{name} {text} is no instant")
    links = parent.findall(f"{ATOM}link")
    found += [f"a link lacks {key}" for link in links for key in ("rel", "href", "type")
              if not link.get(key)]
    counted = Counter(link.get("rel") for link in links)
    return found + [f"{counted[rel]} links {rel}" for rel in {*counted, *rels}
                    if not rels.get(str(rel), (0, 0))[0] <= counted[rel]
                    <= rels.get(str(rel), (0, 0))[1]]


def _count(parent: Xml.Element, name: str, wanted: int) -> list[str]:
    found = len(parent.findall(f"{ATOM}{name}"))
    return [] if found == wanted else [f"{found} {name} in {parent.tag}"]


def _element(element: Xml.Element) -> list[str]:
    """The element's children in order and number, each of its type."""
    name = element.tag.removeprefix(ESPI)
    if name not in _TYPES:
        return [f"{element.tag} is not known"]
    pattern, found = "", []
    for part in _TYPES[name].split():
        child = part.rstrip("?*").split(":")[0]
        pattern += f"(?:<{child}>)" + (part[-1] if part[-1] in "?*" else "")
        for each in element.findall(f"{ESPI}{child}"):
            found += _child(each, part.rstrip("?*"))
    order = "".join(f"<{child.tag.removeprefix(ESPI)}>" for child in element)
    return found + ([] if re.fullmatch(pattern, order) else [f"{name} holds {order}"])


def _child(element: Xml.Element, kind: str) -> list[str]:
    if kind in _TYPES:
        return _element(element)
    text = element.text or ""
    return [] if kind in _SIMPLE and _SIMPLE[kind](text) and not len(element) else [
        f"{kind} {text!r}"]


def _relations(feed: Xml.Element) -> list[str]:
    """Ids and addresses are unique; each resource leads to its neighbours."""
    found = []
    for what in (f"{ATOM}id", f"{ATOM}entry/{ATOM}link[@rel='self']"):
        values = [each.get("href") or each.text for each in feed.findall(f".//{what}")]
        found += [] if len(set(values)) == len(values) else [f"{what} is not unique"]
    related_to = {
        "UsagePoint": [("LocalTimeParameters", "self")],
        "MeterReading": [("ReadingType", "self")]}
    for name, others in related_to.items():
        for entry in entries(feed, name):
            for other, rel in others:
                hits = [each for each in entries(feed, other) if hrefs(each, rel) & hrefs(
                    entry, "related")]
                found += [] if len(hits) == 1 else [f"{name} leads to {len(hits)} {other}"]
    for name, parent in (("MeterReading", "UsagePoint"), ("UsageSummary", "UsagePoint"),
                         ("IntervalBlock", "MeterReading")):
        for entry in entries(feed, name):
            hits = [each for each in entries(feed, parent) if hrefs(each, "related") & hrefs(
                entry, "up")]
            found += [] if len(hits) == 1 else [f"{name} lies under {len(hits)} {parent}"]
    return found


def entries(feed: Xml.Element, name: str) -> list[Xml.Element]:
    """The entries that hold an element of this name."""
    return [entry for entry in feed.iter(f"{ATOM}entry")
            if entry.find(f"{ATOM}content/{ESPI}{name}") is not None]


def hrefs(entry: Xml.Element, rel: str) -> set[str]:
    """Where the entry's links of this relation lead."""
    return {link.get("href", "") for link in entry.findall(f"{ATOM}link") if link.get("rel") == rel}

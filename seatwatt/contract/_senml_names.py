"""What a resolved SenML name stands for, on a device topic and on a pack topic."""

from __future__ import annotations

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import QUANTITIES, Nature, Quantity
from seatwatt.contract.readings import Series, SeriesBook
from seatwatt.contract.rules import Rule
from seatwatt.contract.topics import Topic

PACK = "pack"
"""The record `gateway/{zone}/{gateway}/pack` of a pack names the pack; it is no reading."""

Known = tuple[str, Series | None, float, float, float]
"""Unit as written, series (None: the pack's id), factor to the canonical unit, lowest, highest.

The factor is 0 for what is no number: states, texts and the pack's id.
"""


class Refused(Exception):
    """A record breaks a rule; caught where the message is judged, never seen outside."""

    def __init__(self, rule: Rule, detail: str) -> None:
        super().__init__(detail)
        self.rule, self.detail = rule, detail


class Names:
    """The names that may stand on one topic, and those that were met: base name -> name -> Known.

    Packs of one site share theirs, except for the pack's id.
    """

    def __init__(self, topic: Topic, book: SeriesBook) -> None:
        self._topic, self._book = topic, book
        self._met: dict[str, dict[str, Known]] = {}

    @classmethod
    def of(cls, topic: Topic, book: SeriesBook) -> Names:
        """What `book` remembers of the topic's names."""
        return book.notes(topic, lambda: cls(topic, book))

    def under(self, base_name: str) -> dict[str, Known]:
        """Names met below a base name, without it."""
        met = self._met.get(base_name)
        if met is None:
            met = self._met[base_name] = {}
            self._book.noted()
        return met

    def learn(self, base_name: str, name: str, unit: str) -> Known | None:
        """What the name stands for, remembered; None when it or its unit breaks a rule."""
        try:
            series = self.series(base_name + name)
        except Refused:
            return None
        if series is None:
            known: Known = (unit, None, 0.0, 0.0, 0.0)
        else:
            quantity = series.quantity
            factor = quantity.units.get(unit)
            if factor is None:
                return None
            if quantity.nature in (Nature.STATE, Nature.TEXT):
                factor = 0.0
            known = (unit, series, factor, quantity.low, quantity.high)
        self.under(base_name)[name] = known
        self._book.noted()
        return known

    def series(self, name: str) -> Series | None:
        """The series of a resolved name, None for the pack's id. Refused: T03, T12."""
        parts = name.split("/")
        if self._topic.kind == PACK:
            return self._in_pack(name, parts)
        here = [self._topic.kind, self._topic.zone, self._topic.device]
        if len(parts) == 4 and parts[:3] != here:
            raise Refused(Rule.T12, f"{short(name)} on the topic of {'/'.join(here)}")
        if len(parts) not in (1, 4):
            raise Refused(Rule.T03, f"{short(name)}; expected a quantity of {self._topic.kind}")
        return self._book.get(self._topic.site, Device(*here),
                              _quantity(self._topic.kind, parts[-1]))

    def _in_pack(self, name: str, parts: list[str]) -> Series | None:
        if len(parts) != 4:
            raise Refused(Rule.T03, f"{short(name)}; expected kind/zone/device/quantity")
        if parts[0] == "gateway" and parts[3] == PACK:
            if parts[1:3] != [self._topic.zone, self._topic.device]:
                raise Refused(Rule.T12, f"{short(name)} in a pack of "
                                        f"{self._topic.zone}/{self._topic.device}")
            return None
        try:
            device = Device(*parts[:3])
        except InputError as error:
            raise Refused(Rule.T03, f"{short(name)}: {error.problem}") from None
        return self._book.get(self._topic.site, device, _quantity(device.kind, parts[3]))


def _quantity(kind: str, name: str) -> Quantity:
    found = QUANTITIES.get((kind, name))
    if found is None:
        raise Refused(Rule.T03, f"{short(name)} is no quantity of {kind}")
    return found


def short(value: object) -> str:
    """A value as a refusal shows it."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."

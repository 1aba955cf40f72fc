"""Devices and their names."""

import re
from dataclasses import dataclass
from typing import Self

from seatwatt.contract.errors import InputError

_IDENTIFIER = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
IDENTIFIER_RULE = "a-z, 0-9 and -, not starting with -, 1 to 40 characters"

KINDS = ("seat", "meter", "ups", "room", "uplink", "gateway")


def is_identifier(text: str) -> bool:
    """Whether `text` may name a site, zone, device, tenant or party."""
    return _IDENTIFIER.fullmatch(text) is not None


def check_identifier(where: str, text: object) -> str:
    """`text` itself; InputError when it is not an identifier."""
    if not isinstance(text, str) or not is_identifier(text):
        raise InputError(where, f"{text!r} is not an identifier", IDENTIFIER_RULE)
    return text


@dataclass(frozen=True, slots=True, order=True)
class Device:
    """One device of a site, written `kind/zone/device`: `seat/hall-a/017`."""

    kind: str
    zone: str
    name: str

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError("device kind", f"{self.kind!r} is unknown", ", ".join(KINDS))
        check_identifier("device zone", self.zone)
        check_identifier("device name", self.name)

    def __str__(self) -> str:
        return f"{self.kind}/{self.zone}/{self.name}"

    @classmethod
    def parse(cls, text: str, kind: str | None = None) -> Self:
        """From `kind/zone/device`; `zone/device` too where `kind` is given as the default."""
        parts = text.split("/")
        if len(parts) == 2 and kind is not None:
            parts = [kind, *parts]
        if len(parts) != 3:
            raise InputError("device", f"{text!r} is not a device", "kind/zone/device")
        return cls(*parts)

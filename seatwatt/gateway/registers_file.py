"""Reading a register map: the maps that come with the gateway, by model, or a user's own file."""

from functools import partial
from pathlib import Path

from seatwatt.contract._fields import (
    Fields,
    as_number,
    as_text,
    as_whole,
    built,
    shown,
)
from seatwatt.contract.errors import InputError
from seatwatt.contract.quantities import Nature, quantity
from seatwatt.gateway.registers import REGISTERS_MAX, Field, RegisterMap, absent_of
from seatwatt.store.sitefiles import line_of, read_yaml

MAPS = Path(__file__).with_name("maps")

_MAP = ("model", "title", "source", "function", "word_order", "registers_max", "gap_max", "fields")
_FIELD = ("quantity", "address", "type", "function", "word_order", "scale", "unit", "absent")


def models() -> list[str]:
    """The models whose maps come with the gateway."""
    return sorted(path.stem for path in MAPS.glob("*.yaml"))


def load_map(model: str, beside: Path) -> RegisterMap:
    """The map of a known model, or of a YAML file (`./own.yaml`, relative to the folder
    `beside`). Raises InputError: file, line, field and what was expected."""
    if not model.endswith((".yaml", ".yml")):
        if model not in models():
            raise InputError("model", f"{model!r} is unknown",
                             f"{', '.join(models())}, or a map file such as ./own.yaml")
        return read_map(MAPS / f"{model}.yaml")
    return read_map(beside / model)


def read_map(path: Path) -> RegisterMap:
    """The map that a YAML file holds."""
    document, places = read_yaml(path)
    try:
        return _map(Fields("", document, _MAP))
    except InputError as error:
        raise InputError(f"{path}:{line_of(error.where, places)}: {error.where}",
                         error.problem, error.expected) from None


def _map(fields: Fields) -> RegisterMap:
    function = fields.get("function", as_whole, 4)
    low_first = fields.get("word_order", _low_word_first, False)
    rows = tuple(_field(Fields(path, item, _FIELD), function, low_first)
                 for path, item in fields.each("fields"))
    return built("", partial(
        RegisterMap, model=fields.need("model", as_text), title=fields.get("title", as_text, ""),
        registers_max=fields.get("registers_max", as_whole, REGISTERS_MAX),
        gap_max=fields.get("gap_max", as_whole, 0), fields=rows))


def _field(fields: Fields, function: int, low_first: bool) -> Field:
    name = fields.need("quantity", _meter_quantity)
    type_ = fields.need("type", as_text)
    return built(fields.path, partial(
        Field, quantity=name, type=type_, address=fields.need("address", _address),
        function=fields.get("function", as_whole, function),
        low_word_first=fields.get("word_order", _low_word_first, low_first),
        scale=fields.get("scale", as_number, 1.0) * _factor(fields, name),
        absent=_absent(fields, type_)))


def _factor(fields: Fields, name: str) -> float:
    row = quantity("meter", name)
    unit = fields.get("unit", as_text, row.unit)
    if unit not in row.units:
        raise InputError(fields.at("unit"), f"{unit!r} is no unit of {name}",
                         ", ".join(filter(None, row.units)))
    return row.units[unit]


def _absent(fields: Fields, type_: str) -> tuple[int, ...]:
    if not fields.has("absent"):
        return absent_of(type_) if type_.lstrip("uintfloa").isdigit() else ()
    return tuple(_pattern(where, item, type_) for where, item in fields.each("absent"))


def _pattern(where: str, value: object, type_: str) -> int:
    """A bit pattern as the meter's manual prints it; above the sign bit it is a negative number."""
    number = _address(where, value)
    bits = int(type_.lstrip("uintfloa"))
    return number - 2**bits if type_.startswith("int") and number >= 2 ** (bits - 1) else number


def _address(where: str, value: object) -> int:
    """A whole number, also in the notation 0x0048."""
    if isinstance(value, str):
        try:
            return int(value, 16) if value.lower().startswith("0x") else int(value)
        except ValueError:
            raise InputError(where, f"{shown(value)} is not a whole number",
                             "such as 72 or 0x0048") from None
    return as_whole(where, value)


def _low_word_first(where: str, value: object) -> bool:
    if value not in ("high-first", "low-first", "big", "little"):
        raise InputError(where, f"{shown(value)} is unknown", "high-first or low-first")
    return value in ("low-first", "little")


def _meter_quantity(where: str, value: object) -> str:
    name = as_text(where, value)
    try:
        nature = quantity("meter", name).nature
    except InputError as error:
        raise InputError(where, error.problem, error.expected) from None
    if nature in (Nature.TEXT, Nature.STATE):
        raise InputError(where, f"{name} is no number", "a gauge or a register")
    return name

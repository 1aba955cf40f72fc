"""Register maps: worked bytes, absent patterns, fewest requests, and what is refused."""

from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.contract.errors import InputError
from seatwatt.gateway.registers import FORMATS, Field, RegisterMap, absent_of, is_register, plan
from seatwatt.gateway.registers_file import load_map, models, read_map

HERE = Path()


def words(text: str) -> list[int]:
    raw = bytes.fromhex(text)
    return [int.from_bytes(raw[i:i + 2], "big") for i in range(0, len(raw), 2)]


def one(type_: str = "float32", address: int = 0, **more: object) -> Field:
    return Field(**{"quantity": "power", "function": 4, "address": address, "type": type_,
                    "absent": absent_of(type_), **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(("type_", "low_first", "scale", "raw", "value"), [
    ("float32", False, 1.0, "43 66 00 00", 230.0),
    ("float32", False, 1.0, "41 83 D7 0A", 16.48),
    ("float32", False, 1.0, "44 9A 50 00", 1234.5),
    ("int64", False, 0.001, "00 00 00 00 00 12 D6 87", 1234.567),
    ("int32", True, 0.1, "08 FD 00 00", 230.1),
    ("int32", True, 0.1, "C5 68 FF FF", -1500.0),
])
def test_worked_bytes(type_: str, low_first: bool, scale: float, raw: str, value: float) -> None:
    field = one(type_, low_word_first=low_first, scale=scale)
    assert field.value(words(raw)) == pytest.approx(value, rel=1e-6)


def test_a_wrong_word_order_gives_what_no_meter_measures() -> None:
    swapped = one(low_word_first=True).value(words("43 66 00 00"))
    assert swapped == pytest.approx(2.4178e-41, rel=1e-3)


@pytest.mark.parametrize(("type_", "raw"), [
    ("float32", "7F C0 00 00"), ("float32", "FF C0 00 00"), ("float32", "7F 80 00 00"),
    ("int16", "7F FF"), ("int16", "80 00"), ("uint16", "FF FF"), ("int32", "7F FF FF FF"),
    ("int64", "80 00 00 00 00 00 00 00"), ("uint32", "FF FF FF FF"),
])
def test_not_available_is_no_reading(type_: str, raw: str) -> None:
    assert one(type_).value(words(raw)) is None


def test_the_maps_that_come_with_the_gateway() -> None:
    assert models() == ["em340", "iem3155", "sdm120", "sdm630"]
    for model in models():
        registers = load_map(model, HERE)
        assert registers.model == model
        names = {quantity.name for _, quantity in registers.for_kind("meter")}
        assert {"energy_import", "energy_export", "power", "voltage_l1", "current_l1"} <= names
        assert {q.name for _, q in registers.for_kind("seat")} == {
            "energy", "power", "voltage", "current"}


@pytest.mark.parametrize(("model", "requests"), [
    ("sdm120", 1), ("sdm630", 1), ("iem3155", 3), ("em340", 2)])
def test_how_few_requests_read_a_meter(model: str, requests: int) -> None:
    registers = load_map(model, HERE)
    assert len(plan(registers.fields, registers.registers_max, registers.gap_max)) == requests


def test_kilowatts_and_kilowatt_hours_become_watts_and_watt_hours() -> None:
    iem = {field.quantity: field for field in load_map("iem3155", HERE).fields}
    assert iem["power"].value(words("3F C0 00 00")) == 1500.0
    assert iem["energy_import"].value(words("00 00 00 00 00 12 D6 87")) == 1_234_567.0
    em340 = {field.quantity: field for field in load_map("em340", HERE).fields}
    assert em340["energy_import"].value(words("30 39 00 00")) == 1_234_500.0
    assert em340["voltage_l1"].value(words("08 FD 00 00")) == 230.1


@given(st.lists(st.tuples(st.integers(0, 300), st.sampled_from(["int16", "float32", "int64"]),
                          st.sampled_from([3, 4])), min_size=1, max_size=12),
       st.integers(4, 60), st.integers(0, 30))
def test_every_field_is_read_once_within_the_limits(
        wanted: list[tuple[int, str, int]], most: int, gap: int) -> None:
    fields: list[Field] = []
    for address, type_, function in sorted(wanted, key=lambda row: (row[2], row[0])):
        new = one(type_, address, function=function)
        if not fields or fields[-1].function != function or new.address >= fields[-1].end:
            fields.append(new)
    blocks = plan(fields, most, gap)
    assert [field for block in blocks for field in block.fields] == fields
    for block in blocks:
        assert block.count <= most
        assert all(block.address <= f.address and f.end <= block.address + block.count
                   for f in block.fields)
    assert len(blocks) == fewest(fields, most, gap)


def fewest(fields: list[Field], most: int, gap: int) -> int:
    """By trying where each request may begin (dynamic programming), not by greed."""
    best = [0] + [10**6] * len(fields)
    for end in range(1, len(fields) + 1):
        for start in range(end):
            part = fields[start:end]
            together = all(a.function == b.function and b.address - a.end <= gap
                           for a, b in pairwise(part))
            if together and part[-1].end - part[0].address <= most:
                best[end] = min(best[end], best[start] + 1)
    return best[-1]


@given(st.sampled_from(sorted(FORMATS)), st.binary(min_size=8, max_size=8))
def test_any_bytes_are_a_number_or_no_reading(type_: str, raw: bytes) -> None:
    field = one(type_)
    value = field.value([int.from_bytes(raw[i:i + 2], "big") for i in range(0, 8, 2)][:field.words])
    assert value is None or abs(value) < float("inf")


MAP = """\
model: own
function: 3
word_order: low-first
registers_max: 40
fields:
  - {quantity: energy_import, address: 0x0048, type: uint32, unit: kWh, scale: 0.01}
  - {quantity: power, address: 80, type: int16, absent: [0x8000]}
"""


def test_a_users_own_map(tmp_path: Path) -> None:
    (tmp_path / "own.yaml").write_text(MAP)
    registers = load_map("./own.yaml", tmp_path)
    energy, power = registers.fields
    assert (energy.address, energy.function, energy.scale) == (72, 3, 10.0)
    assert energy.value(words("30 39 00 00")) == 123_450.0
    assert power.value(words("80 00")) is None
    assert power.value(words("7F FF")) == 32767.0
    assert [is_register(q) for _, q in registers.for_kind("meter")] == [True, False]


@pytest.mark.parametrize(("old", "new", "says"), [
    ("80, type: int16", "73, type: int16",
     "own.yaml:5: fields: energy_import at 0x0048 and power at 0x0049 overlap"),
    ("quantity: power", "quantity: powr", "fields[1].quantity: 'powr' is unknown"),
    ("quantity: power", "quantity: energy_import", "energy_import is given twice"),
    ("int16", "int17", "fields[1].type: 'int17' is unknown; expected int16"),
    ("function: 3", "function: 6", "function: 6 is unknown; expected 3 (holding) or 4 (input)"),
    ("address: 80", "address: 70000", "address: 70000 is out of range"),
    ("address: 80", "address: x", "address: 'x' is not a whole number; expected such as 72 or 0x"),
    ("unit: kWh", "unit: V", "unit: 'V' is no unit of energy_import; expected Wh, kWh, J"),
    ("low-first", "upside-down", "word_order: 'upside-down' is unknown"),
    ("scale: 0.01", "scale: 0", "scale: 0.0 is no factor"),
    ("registers_max: 40", "registers_max: 200", "registers_max: 200 is out of range"),
    ("registers_max: 40", "registers: 40", "registers: is unknown"),
])
def test_a_wrong_map_says_what_and_where(tmp_path: Path, old: str, new: str, says: str) -> None:
    path = tmp_path / "own.yaml"
    path.write_text(MAP.replace(old, new))
    with pytest.raises(InputError) as caught:
        read_map(path)
    assert says in str(caught.value)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_unknown_model_names_those_that_are_known() -> None:
    with pytest.raises(InputError, match="model: 'sdm999' is unknown; expected em340, iem3155"):
        load_map("sdm999", HERE)


def test_a_map_without_fields_is_refused() -> None:
    with pytest.raises(InputError, match="fields: there is none"):
        RegisterMap(model="empty", fields=())

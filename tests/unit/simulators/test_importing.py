"""Public data sets become readings; a damaged file is one line that says where."""

import gzip
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.simulators import importing
from tests.shared import shared

CHINA = ZoneInfo("Asia/Shanghai")


def packed(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(gzip.compress(text.encode()))
    return file


@pytest.mark.parametrize(("meter", "device"), [
    ("mains", "meter/plant/mains"), ("lifts", "meter/plant/lifts"), ("ahu0", "meter/plant/ahu0"),
    ("floor3", "meter/floor3/floor3"), ("ahu5", "meter/floor5/ahu5"),
    ("ups_sockets3", "meter/floor3/ups-sockets3"), ("light3", "meter/floor3/light3")])
def test_a_meter_of_the_building_finds_its_zone(tmp_path: Path, meter: str, device: str) -> None:
    packed(tmp_path / f"{meter}_energy.csv.gz", "1401695783000.0,160467968.0\n"
                                                "1401695813000.0,160468320.0\n")
    packed(tmp_path / f"{meter}_power.csv.gz", "1401695783000.0,1.2e-17\n")
    [only] = importing.combed(tmp_path, "combed", power=False)
    assert str(only.series.device) == device
    assert only.times_ms.tolist() == [1401695783000, 1401695813000]
    assert only.values.tolist() == [160467968.0, 160468320.0]
    both = list(importing.combed(tmp_path, "combed", power=True))
    assert [part.series.quantity.name for part in both] == ["energy_import", "power"]
    assert both[1].values.tolist() == [0.0]


@pytest.mark.parametrize(("text", "said"), [
    ("1401695783000.0\n", "1 columns; expected two"),
    ("1000,5\nnonsense,6\n", "could not convert string"),
    ("1000,5\n2000,6\n2000,7\n", "csv.gz:3: the time does not rise"),
])
def test_a_damaged_register_file(tmp_path: Path, text: str, said: str) -> None:
    packed(tmp_path / "mains_energy.csv.gz", text)
    with pytest.raises(InputError, match=said):
        list(importing.combed(tmp_path, "combed", power=False))


@pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
def test_a_register_file_with_a_byte_order_mark(tmp_path: Path, codec: str) -> None:
    file = tmp_path / "solar.csv"
    file.write_text("1522670400,2520588\n", encoding=codec)
    with pytest.raises(InputError, match=r"solar\.csv:1: it starts with a byte-order mark"):
        list(importing.toon(file, "home", Device("meter", "house", "solar")))


def test_a_file_that_only_claims_to_be_gzipped(tmp_path: Path) -> None:
    (tmp_path / "mains_energy.csv.gz").write_text("1000,5\n")
    with pytest.raises(InputError, match="cannot be read: Not a gzipped file"):
        list(importing.combed(tmp_path, "combed", power=False))


@pytest.mark.parametrize("importer", [
    lambda folder: importing.combed(folder, "s", power=False),
    lambda folder: importing.desk_presence(folder, "s", CHINA)])
def test_a_folder_without_the_data_set(tmp_path: Path, importer: object) -> None:
    assert callable(importer)
    with pytest.raises(InputError, match="no file"):
        list(importer(tmp_path))


def test_a_displays_register(tmp_path: Path) -> None:
    file = tmp_path / "solar.csv"
    file.write_text("1522670400,2520588\n1522674000,2520886\n")
    [part] = importing.toon(file, "home", Device("meter", "house", "solar"))
    assert part.times_ms.tolist() == [1522670400_000, 1522674000_000]
    assert part.values.tolist() == [2520588.0, 2520886.0]


def desks(folder: Path, rows: str) -> Path:
    file = folder / "Model_predicted_results" / "MAC_3.csv"
    file.parent.mkdir(parents=True)
    file.write_text("Datetime,Real_state,a,b\n" + rows, encoding="utf-8-sig")
    return folder


def test_presence_at_a_desk_in_local_time(tmp_path: Path) -> None:
    desks(tmp_path, "2025-05-15 08:38:00,outside,x,x\n2025-05-15 08:39:00,arrival,x,x\n"
                    "2025-05-15 08:40:00,stay,x,x\n2025/5/15 8:41,leave,x,x\n")
    folder = tmp_path / "OCC_scenario" / "ac_sensor_data"
    folder.mkdir(parents=True)
    (folder / "ac1_accumulated_energy_consumption.csv").write_text(
        "Time,Accumulated_Energy_Consumption(Wh)\n2025/5/15 0:15,5605460\n")
    seat, cooling = importing.desk_presence(tmp_path, "desks", CHINA)
    assert str(seat.series.device) == "seat/office/003"
    assert seat.values.tolist() == [0.0, 1.0, 1.0, 0.0]
    assert seat.times_ms[0] == 1_747_269_480_000
    assert (str(cooling.series.device), cooling.values.tolist()) == ("meter/office/ac1",
                                                                    [5605460.0])


@pytest.mark.parametrize(("row", "said"), [
    ("2025-05-15 08:38:00,asleep,x,x\n", "MAC_3.csv:2: 'asleep' is no state"),
    ("yesterday,stay,x,x\n", "MAC_3.csv:2: 'yesterday' is not a time"),
    ("2025-05-15 08:38:00\n", "MAC_3.csv:2: 1 columns")])
def test_a_damaged_desk(tmp_path: Path, row: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        list(importing.desk_presence(desks(tmp_path, row), "desks", CHINA))


def test_series_are_merged_in_order_of_time(tmp_path: Path) -> None:
    packed(tmp_path / "a_energy.csv.gz", "1000,1\n3000,3\n")
    packed(tmp_path / "b_energy.csv.gz", "1000,10\n2000,20\n")
    batch = importing.merged(list(importing.combed(tmp_path, "s", power=False)))
    assert batch.taken_at_ms == [1000, 1000, 2000, 3000]
    assert batch.values == [1.0, 10.0, 20.0, 3.0]
    assert len(importing.merged([])) == 0


def test_the_real_desks() -> None:
    parts = list(importing.desk_presence(shared("data/desk-presence"), "desks", CHINA))
    seats = [part for part in parts if part.series.device.kind == "seat"]
    assert len(seats) == 8
    assert len(parts) == 11
    # Minutes of "stay" by seat as the data set's own notes count them, plus the arrivals.
    stays = [1710, 80, 1440, 1017, 1333, 1028, 1798, 918]
    assert all(stay <= part.values.sum() <= stay + 60
               for stay, part in zip(stays, seats, strict=True))


def test_the_real_solar_register_with_its_exchange() -> None:
    file = shared("data/registers-toon/"
                  "elec_solar_quantity_CurrentElectricityQuantity_5yrhours.csv.gz")
    [part] = importing.toon(file, "home", Device("meter", "house", "solar"))
    steps = np.diff(part.values)
    assert (steps.min(), part.values[steps.argmin()]) == (-4_424_260.0, 4_424_261.0)
    assert part.values[-1] == 10_895_172.0

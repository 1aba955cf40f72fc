"""Public data sets as readings: registers of a building, of a household, presence at desks.

Each importer returns series with their columns; `merged` puts them into one order of time, and
`messages.py` wraps them for the wire. Every error names file and line.
"""

import csv
import gzip
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from seatwatt.contract.devices import Device, check_identifier
from seatwatt.contract.encoding import HEAD_BYTES, check_encoding
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import to_ms
from seatwatt.contract.quantities import quantity
from seatwatt.contract.readings import ReadingBatch, Series, SeriesBook

Numbers = NDArray[np.float64]


@dataclass(frozen=True, slots=True, eq=False)
class Imported:
    """One series of a data set, in the order of its file."""

    series: Series
    times_ms: NDArray[np.int64]
    values: Numbers


def combed(folder: Path, site: str, power: bool) -> Iterator[Imported]:
    """COMBED: `<meter>_energy.csv.gz`, epoch milliseconds and a register in Wh; with `power` also
    `<meter>_power.csv.gz` in W.

    A meter with a number above 0 belongs to that floor's zone (`ahu5` -> `meter/floor5/ahu5`), any
    other to the plant (`mains` -> `meter/plant/mains`); underscores become hyphens.
    """
    book = SeriesBook()
    kinds = [("energy", "energy_import"), *([("power", "power")] if power else [])]
    files = [(file, name, suffix) for suffix, name in kinds
             for file in sorted(folder.glob(f"*_{suffix}.csv.gz"))]
    if not files:
        raise InputError(str(folder), "no file *_energy.csv.gz", "the COMBED data set")
    for file, name, suffix in files:
        device = _combed_device(file.name.removesuffix(f"_{suffix}.csv.gz"))
        rows = two_columns(file)
        times_ms = np.rint(rows[:, 0]).astype(np.int64)
        _rising(file, times_ms)
        # A float32 noise such as -1.2e-17 W is no power.
        values = rows[:, 1] if name != "power" else rows[:, 1].round(3) + 0.0
        yield Imported(book.get(site, device, quantity("meter", name)), times_ms, values)


def _combed_device(meter: str) -> Device:
    name = meter.replace("_", "-")
    floor = name[-1:] if name[-1:].isdigit() and name[-1:] != "0" else ""
    return Device("meter", f"floor{floor}" if floor else "plant", name)


def toon(file: Path, site: str, device: Device) -> Iterator[Imported]:
    """A Toon display's export: epoch seconds and a register in Wh, no header."""
    rows = two_columns(file)
    times_ms = np.rint(rows[:, 0] * 1000).astype(np.int64)
    _rising(file, times_ms)
    yield Imported(SeriesBook().get(site, device, quantity(device.kind, "energy_import")),
                   times_ms, rows[:, 1])


def two_columns(file: Path) -> Numbers:
    """A CSV of two numbers a line, plain or gzipped: (rows, 2)."""
    opener = gzip.open if file.suffix == ".gz" else open
    try:
        with opener(file, "rb") as raw:
            check_encoding(str(file), raw.read(HEAD_BYTES))
            raw.seek(0)
            rows = np.loadtxt(raw, delimiter=",", ndmin=2, encoding="utf-8")
    except OSError as error:
        raise InputError(str(file), f"cannot be read: {error.strerror or error}",
                         "a CSV file, plain or gzipped") from None
    except (ValueError, UnicodeDecodeError, EOFError) as error:
        raise InputError(str(file), str(error).split(";")[0], "time,value in every line") from None
    if rows.shape[1] != 2:
        raise InputError(str(file), f"{rows.shape[1]} columns", "two: time,value")
    return np.asarray(rows, dtype=np.float64)


def _rising(file: Path, times_ms: NDArray[np.int64]) -> None:
    wrong = np.flatnonzero(np.diff(times_ms) <= 0)
    if len(wrong):
        line = int(wrong[0]) + 2
        raise InputError(f"{file}:{line}", "the time does not rise", "times in rising order")


PRESENT = {"arrival": 1.0, "stay": 1.0, "leave": 0.0, "outside": 0.0}


def desk_presence(folder: Path, site: str, zone: ZoneInfo) -> Iterator[Imported]:
    """Desk presence: `Model_predicted_results/MAC_<n>.csv` (truth by the minute) as the occupied
    state of seat/office/00n, and the air conditioners' registers as meter/office/ac<n>."""
    book = SeriesBook()
    files = sorted(folder.glob("Model_predicted_results/MAC_*.csv"))
    if not files:
        raise InputError(str(folder), "no file Model_predicted_results/MAC_*.csv",
                         "the desk presence data set")
    for file in files:
        seat = Device("seat", "office", file.stem.removeprefix("MAC_").zfill(3))
        rows = [(at, _state(where, state)) for where, at, state in _stamped(file, zone)]
        yield _column(book.get(site, seat, quantity("seat", "occupied")), rows)
    suffix = "_accumulated_energy_consumption.csv"
    for name in sorted({file.name for file in folder.glob(f"*/ac_sensor_data/*{suffix}")}):
        device = Device("meter", "office", check_identifier("meter", name.removesuffix(suffix)))
        rows = [(at, _number(where, value)) for file in folder.glob(f"*/ac_sensor_data/{name}")
                for where, at, value in _stamped(file, zone)]
        yield _column(book.get(site, device, quantity("meter", "energy_import")), sorted(rows))


def _state(where: str, text: str) -> float:
    if text not in PRESENT:
        raise InputError(where, f"{text!r} is no state", ", ".join(PRESENT))
    return PRESENT[text]


def _number(where: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise InputError(where, f"{text!r} is not a number", "a register in Wh") from None


def _stamped(file: Path, zone: ZoneInfo) -> Iterator[tuple[str, int, str]]:
    """(file:line, milliseconds, second column) of a CSV with a header and local times, written
    `2025/5/15 0:15` or `2025-05-15 00:15:00`. The set is published with byte-order marks."""
    try:
        with file.open(encoding="utf-8-sig", newline="") as lines:
            rows = csv.reader(lines)
            next(rows, None)
            for row in rows:
                where = f"{file}:{rows.line_num}"
                if len(row) < 2:
                    raise InputError(where, f"{len(row)} columns", "a time and a value")
                yield where, _local_ms(where, row[0], zone), row[1]
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(str(file), f"cannot be read: {error}", "a CSV file in UTF-8") from None


def _local_ms(where: str, text: str, zone: ZoneInfo) -> int:
    for form in ("%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M", "%Y-%m-%d %H:%M", "%Y/%m/%d %H:%M:%S"):
        try:
            return to_ms(datetime.strptime(text.strip(), form).replace(tzinfo=zone))
        except ValueError:
            continue
    raise InputError(where, f"{text!r} is not a time", "such as 2025-05-15 00:15:00")


def _column(series: Series, rows: list[tuple[int, float]]) -> Imported:
    return Imported(series, np.array([at for at, _ in rows], dtype=np.int64),
                    np.array([value for _, value in rows], dtype=np.float64))


def merged(parts: list[Imported]) -> ReadingBatch:
    """All readings in order of time; of equal times, in the order of the series."""
    if not parts:
        return ReadingBatch()
    times = np.concatenate([part.times_ms for part in parts])
    values = np.concatenate([part.values for part in parts])
    rows = np.repeat(np.arange(len(parts)), [len(part.times_ms) for part in parts])
    order = np.argsort(times, kind="stable")
    return ReadingBatch([parts[i].series for i in rows[order].tolist()], times[order].tolist(),
                        values[order].tolist())

"""By how much each party shares a line: one whole number a party, basis by basis."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from seatwatt.billing.bill import BillLine
from seatwatt.billing.exact import Ints
from seatwatt.billing.result import Apportionment
from seatwatt.contract.errors import InputError


def weights_of(line: BillLine, source: str | None, apportionment: Apportionment) -> list[int]:
    """Weights of a line, one each of `apportionment.parties`: milliwatt-hours, milliseconds or
    numbers. `source` is whose energy counts; None: all. Not for `lines`.

    Raises InputError when the line names a band, source or party that the site does not know.
    """
    return _BASES[line.share_by](line, source, apportionment)


def peak_interval(supply_milliwh: Ints, measured: NDArray[np.bool_]) -> int | None:
    """The interval of the highest measured energy, the first of equals; None when no interval is
    measured: what is missing or spread over a gap never sets a maximum demand."""
    candidates = np.flatnonzero(measured)
    if len(candidates) == 0:
        return None
    return int(candidates[np.argmax(supply_milliwh[candidates])])


def supply_of(source: str | None, apportionment: Apportionment
              ) -> tuple[Ints, NDArray[np.bool_]]:
    """[n] energy of a source and where it is measured; None: of all sources together."""
    if source is None:
        measured: NDArray[np.bool_] = np.logical_and.reduce(apportionment.supply_measured, axis=0)
        return np.add.reduce(apportionment.supply_milliwh, axis=0), measured
    at = source_index(source, apportionment)
    return apportionment.supply_milliwh[at], apportionment.supply_measured[at]


def source_index(source: str, apportionment: Apportionment) -> int:
    """Where the source stands; InputError when the site has no such source."""
    if source not in apportionment.sources:
        raise InputError("source", f"{apportionment.site} has no {source} meter",
                         ", ".join(apportionment.sources))
    return apportionment.sources.index(source)


def band_index(band: str, apportionment: Apportionment) -> int:
    """Where the band stands; InputError when the site has no such band."""
    if band not in apportionment.bands:
        raise InputError("band", f"{apportionment.site} has no band {band!r}",
                         ", ".join(apportionment.bands))
    return apportionment.bands.index(band)


def _parties_energy(source: str | None, apportionment: Apportionment) -> Ints:
    """[n, parties]."""
    if source is None:
        return apportionment.energy_milliwh
    energy: Ints = apportionment.by_source_milliwh[source_index(source, apportionment)]
    return energy


def _energy(line: BillLine, source: str | None, apportionment: Apportionment) -> list[int]:
    energy = _parties_energy(source, apportionment)
    if line.band is not None:
        energy = energy[apportionment.band_of == band_index(line.band, apportionment)]
    return _ints(energy.sum(axis=0))


def _demand(_line: BillLine, source: str | None, apportionment: Apportionment) -> list[int]:
    peak = peak_interval(*supply_of(source, apportionment))
    if peak is None:
        raise InputError("share_by", "no interval of the period is measured",
                         "readings: missing data never sets a maximum demand")
    return _ints(_parties_energy(source, apportionment)[peak])


def _own_demand(_line: BillLine, source: str | None, apportionment: Apportionment) -> list[int]:
    """A party that only ever fed energy in demands nothing."""
    _, measured = supply_of(source, apportionment)
    return _ints(_parties_energy(source, apportionment)[measured].max(axis=0, initial=0))


def _seats(_line: BillLine, _source: str | None, apportionment: Apportionment) -> list[int]:
    return _ints(apportionment.held_ms.sum(axis=0))


def _occupied_hours(_line: BillLine, _source: str | None, apportionment: Apportionment
                    ) -> list[int]:
    """Time in a vacant seat weighs for nobody: the operator did not sit there."""
    return [*_ints(apportionment.occupied_ms.sum(axis=0))[:-1], 0]


def _equal(_line: BillLine, _source: str | None, apportionment: Apportionment) -> list[int]:
    """Tenants that held a seat at any time."""
    return [*_ints(np.logical_or.reduce(apportionment.held_ms, axis=0))[:-1], 0]


def _fixed(line: BillLine, _source: str | None, apportionment: Apportionment) -> list[int]:
    for party, _ in line.weights:
        if party not in apportionment.parties:
            raise InputError(f"weights.{party}", f"{apportionment.site} has no such party",
                             ", ".join(apportionment.parties))
    weights = dict(line.weights)
    return [weights.get(party, 0) for party in apportionment.parties]


def _ints(values: NDArray[np.int64] | NDArray[np.bool_]) -> list[int]:
    return [int(value) for value in values]


_BASES: dict[str, Callable[[BillLine, str | None, Apportionment], list[int]]] = {
    "energy": _energy, "demand": _demand, "own_demand": _own_demand, "seats": _seats,
    "occupied_hours": _occupied_hours, "equal": _equal, "fixed": _fixed}

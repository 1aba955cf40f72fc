"""Provisional charges: a dated tariff and the metered energy make a bill, until the real one comes.
"""

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from seatwatt.billing.bill import BASES, Bill, BillLine, Period
from seatwatt.billing.money_bases import band_index, peak_interval, supply_of
from seatwatt.billing.money_currency import decimals_of
from seatwatt.billing.result import Apportionment
from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import InputError

PER = ("kwh", "kw", "month", "percent")
_SHARE_BY = {"kwh": "energy", "kw": "demand", "month": "energy", "percent": "lines"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TariffLine:
    """One price: per kWh (of a band, if one is named), per kW of maximum demand, per month, or
    per cent of other lines."""

    id: str
    price: Decimal
    """In whole currency units, or per cent."""
    per: str
    band: str | None = None
    at_least_kw: Decimal = Decimal(0)
    """For `kw`: the least demand that is billed (a quarter of the sanctioned load, say)."""
    of: tuple[str, ...] = ()
    """For `percent`: the lines it is taken of, all of them earlier ones."""
    share_by: str = ""
    """Empty: energy, demand or lines, as `per` suggests."""
    pass_through: bool = True

    def __post_init__(self) -> None:
        if self.per not in PER:
            raise InputError("per", f"{self.per!r} is unknown", ", ".join(PER))
        if (self.per == "percent") != bool(self.of):
            raise InputError("of", "per: percent, and that alone, is taken of other lines",
                             "per: percent with of: [ids of earlier lines]")
        if self.band is not None and self.per != "kwh":
            raise InputError("band", f"it has no meaning with per: {self.per}", "per: kwh")
        if (self.at_least_kw and self.per != "kw") or self.at_least_kw < 0:
            raise InputError("at_least_kw", f"{self.at_least_kw} has no meaning with "
                             f"per: {self.per}", "0 or more with per: kw")
        bases = [basis for basis in BASES if basis != "fixed"
                 and (basis != "lines" or self.per == "percent")]
        if self.share_by and self.share_by not in bases:
            raise InputError("share_by", f"{self.share_by!r} is no basis of a price "
                             f"per {self.per}", ", ".join(bases))
        _bill_line(self, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tariff:
    """Prices in force during [from_, to), and the document that says so."""

    id: str
    supplier: str
    document: str
    """Where the prices were published: gazette, order, date."""
    currency: str
    from_: date
    to: date | None = None
    source: str | None = None
    lines: tuple[TariffLine, ...]

    def __post_init__(self) -> None:
        check_identifier("tariff", self.id)
        decimals_of(self.currency)
        if not self.document.strip():
            raise InputError("document", "it is empty", "where the prices were published")
        if self.to is not None and self.from_ >= self.to:
            raise InputError("to", f"{self.from_} is not before {self.to}", "from before to")
        if not self.lines:
            raise InputError("lines", "there is none", "at least one line")
        names: list[str] = []
        for index, line in enumerate(self.lines):
            if line.id in names:
                raise InputError(f"lines[{index}].id", f"{line.id!r} is given twice",
                                 "each line once")
            for name in line.of:
                if name not in names:
                    raise InputError(f"lines[{index}].of", f"no line {name!r} stands before it",
                                     ", ".join(names) or "an earlier line")
            names.append(line.id)


def provisional_bill(tariff: Tariff, period: Period, apportionment: Apportionment) -> Bill:
    """What the supplier would ask for the energy of `apportionment`, each line rounded once, half
    up. InputError when the tariff is not in force throughout, or no interval is measured where a
    demand is priced."""
    if tariff.from_ > period.from_ or (tariff.to is not None and tariff.to < period.to):
        raise InputError(f"tariff {tariff.id}", f"it is not in force throughout {period}",
                         f"days from {tariff.from_}" + (f" to {tariff.to}" if tariff.to else ""))
    amounts: dict[str, Decimal] = {}
    for index, line in enumerate(tariff.lines):
        try:
            amounts[line.id] = line.price * _quantity(line, tariff, period, apportionment, amounts)
        except InputError as error:
            raise error.within(f"tariff {tariff.id}: lines[{index}]") from None
    return Bill(
        id=f"{tariff.id}-provisional"[:40].rstrip("-"), supplier=tariff.supplier, period=period,
        currency=tariff.currency, source=tariff.source, provisional=True,
        lines=tuple(_bill_line(line, _minor(amounts[line.id], tariff.currency))
                    for line in tariff.lines))


def _quantity(line: TariffLine, tariff: Tariff, period: Period, apportionment: Apportionment,
              amounts: dict[str, Decimal]) -> Decimal:
    """How many times the price is due: kWh, kW, months, or a hundredth of an amount."""
    if line.per == "percent":
        return sum((amounts[name] for name in line.of), Decimal(0)) / 100
    if line.per == "month":
        return _months(period)
    supply, measured = supply_of(tariff.source, apportionment)
    if line.per == "kwh":
        if line.band is not None:
            supply = supply[apportionment.band_of == band_index(line.band, apportionment)]
        return Decimal(int(supply.sum())) / 1_000_000
    peak = peak_interval(supply, measured)
    if peak is None:
        raise InputError("per", "no interval of the period is measured", "readings")
    demand_kw = Decimal(int(supply[peak]) * 3600) / (apportionment.grid.interval_s * 1_000_000)
    return max(demand_kw, line.at_least_kw)


def _months(period: Period) -> Decimal:
    """Whole and partial calendar months, a partial one by its days."""
    months = Decimal(0)
    first = period.from_.replace(day=1)
    while first < period.to:
        following = date(first.year + first.month // 12, first.month % 12 + 1, 1)
        days = min(period.to, following) - max(period.from_, first)
        months += Decimal(days.days) / (following - first).days
        first = following
    return months


def _minor(amount: Decimal, currency: str) -> int:
    return int((amount.scaleb(decimals_of(currency))).to_integral_value(ROUND_HALF_UP))


def _bill_line(line: TariffLine, amount_minor: int) -> BillLine:
    share_by = line.share_by or _SHARE_BY[line.per]
    return BillLine(id=line.id, amount_minor=amount_minor, share_by=share_by,
                    band=line.band if share_by == "energy" else None,
                    lines=line.of if share_by == "lines" else (), pass_through=line.pass_through)

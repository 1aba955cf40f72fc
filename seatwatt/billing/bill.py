"""A supplier's bill as typed lines: the nouns, each of which checks itself."""

from dataclasses import dataclass
from datetime import date
from graphlib import CycleError, TopologicalSorter

from seatwatt.billing.money_currency import decimals_of, format_amount
from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.contract.meters import SOURCES

BASES = ("energy", "demand", "own_demand", "seats", "occupied_hours", "equal", "fixed", "lines")
"""What a line may be shared by."""

BY_SOURCE = ("energy", "demand", "own_demand")
"""Bases that weigh energy, and so may name whose."""

ROUNDING = "rounding"
"""Name of the line that holds what the printed payable was rounded by."""

ROUNDING_UNITS_MAX = 2
"""Whole currency units by which the printed payable may differ from the lines: printed bills
round each line to whole units, and real ones miss their own sum by up to 2."""


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Period:
    """Local days [from_, to)."""

    from_: date
    to: date

    def __post_init__(self) -> None:
        if self.from_ >= self.to:
            raise InputError("period", f"{self.from_} is not before {self.to}", "from before to")

    def __str__(self) -> str:
        return f"{self.from_} to {self.to}"


@dataclass(frozen=True, slots=True, kw_only=True)
class BillLine:
    """One line of a bill and the basis by which the parties share it."""

    id: str
    amount_minor: int
    share_by: str
    band: str | None = None
    """For `energy`: this tariff band alone."""
    source: str | None = None
    """For BY_SOURCE: whose energy; None: the bill's source."""
    of_period: Period | None = None
    """For `energy`: an earlier period, whose parties pay in that period's proportions."""
    lines: tuple[str, ...] = ()
    """For `lines`: whose money is the measure."""
    weights: tuple[tuple[str, int], ...] = ()
    """For `fixed`: party -> whole number."""
    pass_through: bool = True
    """Whether the parties share it; otherwise the operator carries it whole."""

    def __post_init__(self) -> None:
        check_identifier("id", self.id)
        if self.id == ROUNDING:
            raise InputError("id", "'rounding' is the name of the line that Seatwatt adds",
                             "another id")
        if self.share_by not in BASES:
            raise InputError("share_by", f"{self.share_by!r} is unknown", ", ".join(BASES))
        if self.source is not None and self.source not in SOURCES:
            raise InputError("source", f"{self.source!r} is unknown", ", ".join(SOURCES))
        self._check_belongs("band", ("energy",))
        self._check_belongs("of_period", ("energy",))
        self._check_belongs("source", BY_SOURCE)
        self._check_belongs("lines", ("lines",))
        self._check_belongs("weights", ("fixed",))
        if self.share_by == "lines" and not self.lines:
            raise InputError("lines", "no line is named", "ids of other lines of the bill")
        self._check_weights()

    def _check_belongs(self, name: str, bases: tuple[str, ...]) -> None:
        if getattr(self, name) and self.share_by not in bases:
            raise InputError(name, f"it has no meaning with share_by: {self.share_by}",
                             f"share_by: {' or '.join(bases)}")

    def _check_weights(self) -> None:
        for party, weight in self.weights:
            check_identifier("weights", party)
            if weight < 0:
                raise InputError(f"weights.{party}", f"{weight} is negative", "0 or more")
        if self.share_by == "fixed" and not any(weight for _, weight in self.weights):
            raise InputError("weights", "share_by: fixed has no weights",
                             "party: whole number above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What a supplier asks for a period. Amounts are integers of the currency's minor unit."""

    id: str
    supplier: str
    period: Period
    currency: str
    lines: tuple[BillLine, ...]
    source: str | None = None
    """Whose energy it prices; None: all sources, or none (costs that are not energy)."""
    units: tuple[tuple[str, int], ...] = ()
    """As printed, in thousandths: `peak_kwh`, `kwh`, `demand_kw` -> Wh or W."""
    payable_minor: int | None = None
    """As printed; None: what the lines add up to."""
    provisional: bool = False
    """Made from a tariff until the supplier's own bill comes."""

    def __post_init__(self) -> None:
        check_identifier("bill", self.id)
        decimals_of(self.currency)
        if self.source is not None and self.source not in SOURCES:
            raise InputError("source", f"{self.source!r} is unknown", ", ".join(SOURCES))
        if not self.lines:
            raise InputError("lines", "there is none", "at least one line")
        self._check_lines()
        self._check_units()
        self._check_payable()

    @property
    def rounding_minor(self) -> int:
        """What the printed payable differs by from the sum of the lines."""
        if self.payable_minor is None:
            return 0
        return self.payable_minor - self._sum_minor()

    @property
    def total_minor(self) -> int:
        """What is to be paid: lines and rounding."""
        return self._sum_minor() + self.rounding_minor

    def in_order(self) -> list[BillLine]:
        """The lines, each after those it is measured by."""
        lines = {line.id: line for line in self.lines}
        order = TopologicalSorter({line.id: line.lines for line in self.lines}).static_order()
        return [lines[name] for name in order]

    def periods(self) -> tuple[Period, ...]:
        """Its own period, then the earlier ones that its lines name."""
        named = (line.of_period for line in self.lines)
        return tuple(dict.fromkeys([self.period, *(period for period in named if period)]))

    def _sum_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    def _check_lines(self) -> None:
        names = [line.id for line in self.lines]
        for index, line in enumerate(self.lines):
            if line.id in names[:index]:
                raise InputError(f"lines[{index}].id", f"{line.id!r} is given twice",
                                 "each line once")
            for name in line.lines:
                if name not in names:
                    raise InputError(f"lines[{index}].lines", f"there is no line {name!r}",
                                     ", ".join(names))
        try:
            self.in_order()
        except CycleError as error:
            circle = error.args[1]
            index = names.index(circle[0])
            raise InputError(f"lines[{index}].lines", "lines measure one another in a circle: "
                             + " -> ".join(circle), "lines that do not come back") from None

    def _check_units(self) -> None:
        for name, printed in self.units:
            if not name.endswith("_kwh") and name not in ("kwh", "demand_kw"):
                raise InputError(f"units.{name}", "is unknown",
                                 "kwh, demand_kw, or a band such as peak_kwh")
            if printed < 0:
                raise InputError(f"units.{name}", "is negative", "0 or more")

    def _check_payable(self) -> None:
        if self.payable_minor is None:
            return
        if abs(self.rounding_minor) > ROUNDING_UNITS_MAX * 10 ** decimals_of(self.currency):
            lines = format_amount(self._sum_minor(), self.currency)
            payable = format_amount(self.payable_minor, self.currency)
            raise InputError("payable", f"the lines add up to {lines}, but {payable} is to be paid",
                             f"a difference of at most {ROUNDING_UNITS_MAX} {self.currency}")

"""From energy to money: every line of a bill shared among the parties, to the minor unit."""

from collections.abc import Mapping
from dataclasses import dataclass

from seatwatt.billing.bill import ROUNDING, Bill, BillLine, Period
from seatwatt.billing.bill_checks import nobody_weighs
from seatwatt.billing.exact import split
from seatwatt.billing.money_bases import weights_of
from seatwatt.billing.result import Apportionment, Unbalanced
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import local_midnight_ms
from seatwatt.contract.meters import OPERATOR


@dataclass(frozen=True, slots=True, kw_only=True)
class ChargedLine:
    """A line and what it puts on each party; the shares add up to its amount."""

    id: str
    share_by: str
    """A basis, or `operator` for a line that is not passed through."""
    amount_minor: int
    weights: tuple[int, ...]
    shares_minor: tuple[int, ...]
    of_period: Period | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Charges:
    """A bill shared out. `parties` are sorted with `operator` last, as are all shares."""

    bill: Bill
    parties: tuple[str, ...]
    lines: tuple[ChargedLine, ...]
    """In the bill's order, a rounding line last."""

    def of(self, party: str) -> dict[str, int]:
        """Line -> what it puts on this party, in minor units; empty for a party unknown here."""
        if party not in self.parties:
            return {}
        at = self.parties.index(party)
        return {line.id: line.shares_minor[at] for line in self.lines}

    def totals_minor(self) -> tuple[int, ...]:
        """What each party pays."""
        return tuple(sum(shares) for shares in zip(*(line.shares_minor for line in self.lines),
                                                   strict=True))


def charge(bill: Bill, apportionments: Mapping[Period, Apportionment]) -> Charges:
    """Share `bill` out. `apportionments` holds one of each of `bill.periods()`.

    Raises InputError when a line cannot be shared (a basis nobody has weight for, a band or source
    that the site does not have), Unbalanced should the shares ever miss the bill.
    """
    sharing = _Sharing(bill, apportionments)
    charged = {line.id: sharing.share(line) for line in bill.in_order()}
    lines = [charged[line.id] for line in bill.lines]
    if bill.rounding_minor:
        lines.append(sharing.rounding())
    charges = Charges(bill=bill, parties=sharing.parties, lines=tuple(lines))
    _check(charges)
    return charges


class _Sharing:
    """One bill being shared; knows what the lines so far put on each party."""

    def __init__(self, bill: Bill, apportionments: Mapping[Period, Apportionment]) -> None:
        self._bill, self._apportionments = bill, apportionments
        for period in bill.periods():
            _check_period(period, apportionments)
        names = {party for period in bill.periods() for party in apportionments[period].parties}
        self.parties = (*sorted(names - {OPERATOR}), OPERATOR)
        self._put: dict[str, tuple[int, ...]] = {}

    def share(self, line: BillLine) -> ChargedLine:
        """The line's shares; those it is measured by must have been shared before."""
        try:
            weights = self._weights(line) if line.pass_through else self._operator()
            shares = self._split(line, weights)
        except InputError as error:
            index = self._bill.lines.index(line)
            raise InputError(f"bill {self._bill.id}: lines[{index}].{error.where}",
                             f"{line.id}: {error.problem}", error.expected) from None
        self._put[line.id] = shares
        return ChargedLine(id=line.id, share_by=line.share_by if line.pass_through else OPERATOR,
                           amount_minor=line.amount_minor, weights=weights, shares_minor=shares,
                           of_period=line.of_period)

    def rounding(self) -> ChargedLine:
        """Shared by what all passed lines put on each party; the operator's where that is
        nothing."""
        passed = [line.id for line in self._bill.lines if line.pass_through]
        weights = self._put_by(passed)
        if sum(weights) == 0:
            weights = self._operator()
        amount = self._bill.rounding_minor
        return ChargedLine(id=ROUNDING, share_by="lines", amount_minor=amount, weights=weights,
                           shares_minor=tuple(split(amount, weights)))

    def _weights(self, line: BillLine) -> tuple[int, ...]:
        if line.share_by == "lines":
            return self._put_by(line.lines)
        apportionment = self._apportionments[line.of_period or self._bill.period]
        found = weights_of(line, line.source or self._bill.source, apportionment)
        weights = dict(zip(apportionment.parties, found, strict=True))
        return tuple(weights.get(party, 0) for party in self.parties)

    def _put_by(self, lines: "list[str] | tuple[str, ...]") -> tuple[int, ...]:
        return tuple(sum(self._put[name][at] for name in lines)
                     for at in range(len(self.parties)))

    def _operator(self) -> tuple[int, ...]:
        return (*(0 for _ in self.parties[1:]), 1)

    def _split(self, line: BillLine, weights: tuple[int, ...]) -> tuple[int, ...]:
        if line.amount_minor == 0:
            return tuple(0 for _ in weights)
        if sum(weights) == 0:
            raise nobody_weighs(line, self._bill, cancels=any(weights))
        return tuple(split(line.amount_minor, weights))


def _check_period(period: Period, apportionments: Mapping[Period, Apportionment]) -> None:
    if period not in apportionments:
        raise InputError("period", f"{period} is not apportioned", "readings of that period")
    grid = apportionments[period].grid
    bounds = tuple(local_midnight_ms(day, grid.zone) for day in (period.from_, period.to))
    if bounds != (grid.start_ms, grid.end_ms):
        raise Unbalanced(f"the apportionment given for {period} is of another period")


def _check(charges: Charges) -> None:
    """The proof, made again from the result: lines meet their amounts, parties the payable."""
    for line in charges.lines:
        if sum(line.shares_minor) != line.amount_minor:
            raise Unbalanced(f"bill {charges.bill.id}: the shares of {line.id} miss its amount")
    if sum(charges.totals_minor()) != charges.bill.total_minor:
        raise Unbalanced(f"bill {charges.bill.id}: the parties' totals miss what is to be paid")

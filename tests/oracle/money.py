"""Money by the book, slowly: a second implementation of how a bill is shared out.

It reads the bill file's own mapping, uses exact fractions, and shares no code with the product.
Energy is given as {source: [{party: mWh} an interval]}, with the band of each interval.
"""

from collections import defaultdict
from fractions import Fraction
from typing import Any

Amounts = dict[str, int]


def split(amount: int, weights: Amounts, parties: list[str]) -> Amounts:
    """Hamilton: floors of the quotas' absolute parts, then one unit to each largest remainder."""
    total = sum(weights.values())
    sign = -1 if amount < 0 else 1
    quotas = {party: Fraction(abs(amount) * weights[party], total) for party in parties}
    parts = {party: quota.numerator // quota.denominator for party, quota in quotas.items()}
    left = abs(amount) - sum(parts.values())
    for party in sorted(parties, key=lambda p: (parts[p] - quotas[p], parties.index(p)))[:left]:
        parts[party] += 1
    return {party: sign * part for party, part in parts.items()}


class Month:
    """What the meters and leases say of one period."""

    def __init__(self, parties: list[str], bands: list[str],
                 energy: dict[str, list[Amounts]], measured: list[bool], held: Amounts) -> None:
        self.parties, self.bands, self.energy = parties, bands, energy
        self.measured, self.held = measured, held

    def of(self, source: str | None, at: int) -> Amounts:
        """Each party's energy in one interval."""
        sources = [source] if source else list(self.energy)
        return {party: sum(self.energy[name][at][party] for name in sources)
                for party in self.parties}

    def weights(self, line: dict[str, Any], source: str | None) -> Amounts:
        """By the line's basis."""
        intervals, basis = range(len(self.bands)), line["share_by"]
        if basis == "energy":
            wanted = [at for at in intervals if line.get("band") in (None, self.bands[at])]
            return {p: sum(self.of(source, at)[p] for at in wanted) for p in self.parties}
        measured = [at for at in intervals if self.measured[at]]
        if basis == "demand":
            peak = max(measured, key=lambda at: (sum(self.of(source, at).values()), -at))
            return self.of(source, peak)
        if basis == "own_demand":
            return {p: max([0, *(self.of(source, at)[p] for at in measured)])
                    for p in self.parties}
        if basis == "seats":
            return dict(self.held)
        if basis == "equal":
            return {p: int(p != "operator" and self.held[p] > 0) for p in self.parties}
        return {p: line["weights"].get(p, 0) for p in self.parties}


def charge(bill: dict[str, Any], month: Month, earlier: Month) -> dict[str, Amounts]:
    """Line -> party -> minor units. `earlier` is what `of_period` means, whichever it says."""
    lines = {line["id"]: line for line in bill["lines"]}
    done: dict[str, Amounts] = {}
    parties = month.parties

    def put(names: list[str]) -> Amounts:
        sums: Amounts = defaultdict(int)
        for name in names:
            for party, amount in share(name).items():
                sums[party] += amount
        return {party: sums[party] for party in parties}

    def share(name: str) -> Amounts:
        if name not in done:
            line = lines[name]
            amount = round(Fraction(line["amount"]) * 100)
            if not line.get("pass_through", True):
                weights = {party: int(party == "operator") for party in parties}
            elif line["share_by"] == "lines":
                weights = put(line["lines"])
            else:
                of = earlier if line.get("of_period") else month
                weights = of.weights(line, line.get("source") or bill.get("source"))
            done[name] = (split(amount, weights, parties) if amount
                          else dict.fromkeys(parties, 0))
        return done[name]

    result = {name: share(name) for name in lines}
    rounding = round(Fraction(bill["payable"]) * 100) - sum(
        sum(amounts.values()) for amounts in result.values())
    if rounding:
        passed = put([name for name, line in lines.items() if line.get("pass_through", True)])
        if not sum(passed.values()):
            passed = {party: int(party == "operator") for party in parties}
        result["rounding"] = split(rounding, passed, parties)
    return result

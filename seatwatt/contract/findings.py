"""Findings: what the rules say about registers and balances, as values."""

from dataclasses import dataclass

from seatwatt.contract.rules import Rule


@dataclass(frozen=True, slots=True)
class Finding:
    """Rule, subject and time of one judgement; times in UTC milliseconds, `[from_ms, to_ms)`.

    `subject` is a device as `kind/zone/device`, or `supply` for the root of the meter tree.
    """

    rule: Rule
    subject: str
    from_ms: int
    to_ms: int
    detail: str
    informative: bool = False
    """Told, but blocks nothing: an operator accepted the reading, or it lies beside the period."""

    @property
    def blocks(self) -> bool:
        """Whether an operator must settle it before a statement can be issued."""
        return self.rule.blocks and not self.informative

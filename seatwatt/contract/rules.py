"""The numbered rules. T rules refuse a message, R rules judge registers, B rules the balance.

`docs/rules.md` lists the same numbers and titles; a test holds the two together.
"""

from dataclasses import dataclass
from enum import Enum


@dataclass(frozen=True, slots=True)
class RuleText:
    """What a rule says, and whether its finding blocks issuing a statement."""

    title: str
    blocks: bool = False


class Rule(Enum):
    """Every rule; the name is the number that is stored and shown."""

    T01 = RuleText("not SenML JSON")
    T02 = RuleText("unknown topic")
    T03 = RuleText("unknown quantity")
    T04 = RuleText("unit not accepted for the quantity")
    T05 = RuleText("no absolute time")
    T06 = RuleText("before the year 2000: a clock that was never set")
    T07 = RuleText("more than five minutes ahead")
    T08 = RuleText("out of bounds")
    T09 = RuleText("not a finite number")
    T10 = RuleText("message too large")
    T11 = RuleText("value of the wrong type for the quantity")
    T12 = RuleText("record names another device than its topic")
    T13 = RuleText("refused by the store")

    R01 = RuleText("no reading before the period starts", blocks=True)
    R02 = RuleText("no reading after the period ends", blocks=True)
    R03 = RuleText("spike: one reading above its neighbours, dropped")
    R04 = RuleText("dip: one reading below its neighbours, dropped")
    R05 = RuleText("register rolled over at its modulus")
    R06 = RuleText("register was reset")
    R07 = RuleText("leap: undeclared exchange or fault", blocks=True)
    R08 = RuleText("estimated: readings further apart than max_gap")

    B01 = RuleText("children read more than their parent")
    B02 = RuleText("unaccounted energy above alarm_pct")
    B03 = RuleText("billed units differ from the meters by more than 2 %")
    B04 = RuleText("register that the site does not declare")

    @property
    def title(self) -> str:
        """The rule in a few words."""
        return self.value.title

    @property
    def blocks(self) -> bool:
        """Whether a finding of this rule must be settled before a statement is issued."""
        return self.value.blocks

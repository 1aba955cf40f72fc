"""What the drivers of UPSs share: variables into samples, problems told once."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from seatwatt.contract.devices import Device
from seatwatt.gateway.ports import Clock, Fault, Report, Sample
from seatwatt.gateway.statuses import ups_report


@dataclass(slots=True)
class Judge:
    """Turns the variables of one UPS into samples. A value that is never believed is reported
    when it begins, and again when it changes, not at every poll."""

    device: Device
    clock: Clock
    report: Report
    _told: frozenset[str] = field(default_factory=frozenset)

    def samples(self, variables: Mapping[str, str]) -> list[Sample]:
        """The readings in `variables`, taken now."""
        at_ms = self.clock()
        found = ups_report(variables)
        problems = {_start(problem): problem for problem in found.problems}
        for start, problem in problems.items():
            if start not in self._told:
                self.report(Fault(self.device, at_ms, problem))
        self._told = frozenset(problems)
        return [Sample(self.device, quantity, at_ms, value)
                for quantity, value in found.values.items()]


def _start(problem: str) -> str:
    """What a problem is about: its variable, or the whole text of a status."""
    return problem if problem.startswith("ups.status") else problem.split()[0]

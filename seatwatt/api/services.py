"""What the app needs from outside, given to it by a composition root."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar, TypeVarTuple

from sqlalchemy import Engine

from seatwatt.api.aside import Aside
from seatwatt.api.energy_table import EnergyTable
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site
from seatwatt.ledger.sites import Declared
from seatwatt.settings import ApiSettings
from seatwatt.settlement.keeping import Keeper, Trust
from seatwatt.settlement.sources import Source
from seatwatt.store.ports import JobWriter, Reader


class Declarations(Protocol):
    """The declared sites (the ledger)."""

    def ids(self) -> list[str]:
        """Ids of all declared sites, sorted."""

    def load(self, site_id: str) -> Declared:
        """The site; InputError when there is none."""

    def ping(self) -> None:
        """Return when the ledger answers; raise a SeatwattError that says why not."""


class Settled(Protocol):
    """What billing made of one site and period."""

    @property
    def grid(self) -> IntervalGrid:
        """The intervals."""

    def energy(self, by: str) -> EnergyTable:
        """Energy per interval by `meter`, `seat`, `zone` or `tenant`."""

    def document(self) -> dict[str, object]:
        """The object of `seatwatt apportion --json`."""

    def explain(self, party: str) -> dict[str, object] | None:
        """How the party's total arises; None when there is no such party."""

    def seats_of(self, party: str) -> EnergyTable:
        """The party's own part of each seat it held, over the whole period as one span."""


Ts = TypeVarTuple("Ts")
R = TypeVar("R")
Publish = Callable[[Sequence[tuple[str, bytes]]], None]
Settle = Callable[[Site, Source, int, int], Settled]


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Everything a route or a job may use; tests pass fakes of our own ports."""

    reader: Reader
    writer: JobWriter
    ledger: Engine
    declarations: Declarations
    settle: Settle
    publish: Publish
    """Gives messages (topic, payload) to the broker and returns when it has taken all."""
    clock: Callable[[], int]
    """UTC milliseconds now."""
    settings: ApiSettings
    aside: Aside | None = None
    """Computes in a process of its own; without one, whoever calls `run` does so himself."""

    def run(self, work: "Callable[[Services, *Ts], R]", *args: *Ts) -> R:
        """`work(services, *args)`, where it holds nobody up; as `Aside.run` says."""
        if self.aside is None:
            return work(self, *args)
        result: R = self.aside.run(work, self.clock(), *args)
        return result

    def keeper(self) -> Keeper:
        """Registers from kept days."""
        now_ms = self.clock()
        return Keeper(self.ledger, self.reader, now_ms, Trust.usual(now_ms))

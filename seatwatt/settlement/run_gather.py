"""Gathering what a run is computed from: declarations from the ledger, registers from the store."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from sqlalchemy import Engine

from seatwatt import __version__
from seatwatt.billing.bill import Bill, Period
from seatwatt.billing.bill_file import parse_bill
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.site import Site
from seatwatt.contract.sitedocument import site_document
from seatwatt.contract.sitefile import parse_site
from seatwatt.ledger.hand_readings import HandReading, list_hand_readings
from seatwatt.ledger.papers import Paper, list_papers
from seatwatt.ledger.sites import load_declared
from seatwatt.metering.registers import RegisterColumn
from seatwatt.metering.site import site_energy
from seatwatt.settlement.charging import by_occupied_hours, span_ms
from seatwatt.settlement.keeping import Keeper
from seatwatt.settlement.readings import read_occupancy
from seatwatt.settlement.run_inputs import Adjustment, PeriodInputs, RunInputs
from seatwatt.settlement.settle import shares_by_occupancy
from seatwatt.settlement.undeclared import undeclared_registers

Registers = dict[tuple[Device, str], RegisterColumn]


def gather(keeper: Keeper, site_id: str, period: Period, adjustments: Sequence[Adjustment] = ()
           ) -> RunInputs:
    """Everything as it stands now. InputError for what is not declared or cannot be used."""
    given = papers_of(keeper.engine, site_id, period)
    site, bills = parse_site(given.site), [parse_bill(document) for document in given.bills]
    by_hand = list_hand_readings(keeper.engine, site_id)
    return replace(given, adjustments=adjustments, periods={
        each: _read(site, keeper, each, by_hand, bills) for each in periods_of(given)})


def papers_of(engine: Engine, site_id: str, period: Period) -> RunInputs:
    """Everything but readings: what is declared, billed, and read by hand."""
    declared = load_declared(engine, site_id)
    site = declared.site
    bills = bills_of(list_papers(engine, site_id, "bill"), period)
    tariffs = [paper.document for paper in list_papers(engine, site_id, "tariff")
               if paper.from_ is not None and paper.from_ <= period.from_
               and (paper.to is None or period.to <= paper.to)]
    return RunInputs(
        software=__version__, site=site_document(site), site_revision=declared.revision,
        period=period, bills=bills, tariffs=tariffs, occupancy_plan=_plan(engine, site_id),
        hand_readings=[_document(given) for given in list_hand_readings(engine, site_id)],
        periods={}, adjustments=())


def periods_of(given: RunInputs) -> list[Period]:
    """The run's own period, and those that its bills are about."""
    bills = [parse_bill(document) for document in given.bills]
    return list(dict.fromkeys([given.period, *(each for bill in bills for each in bill.periods())]))


def bills_of(papers: Iterable[Paper], period: Period) -> list[Mapping[str, Any]]:
    """The bills that belong to a run: those whose last day lies in its period, so that each is
    charged once, whenever it begins."""
    return [paper.document for paper in papers
            if paper.to is not None and period.from_ < paper.to <= period.to]


def _plan(engine: Engine, site_id: str) -> Mapping[str, Any] | None:
    plans = list_papers(engine, site_id, "occupancy")
    if len(plans) > 1:
        names = " and ".join(plan.name for plan in plans)
        raise InputError(f"site {site_id}", f"it has several occupancy plans: {names}", "one")
    return plans[0].document if plans else None


def _read(site: Site, keeper: Keeper, period: Period, by_hand: Sequence[HandReading],
          bills: Sequence[Bill]) -> PeriodInputs:
    grid = IntervalGrid.between(*span_ms(period, site), site.interval_s, site.time_zone)
    sat = shares_by_occupancy(site) or by_occupied_hours(bills)
    read = keeper.period(site, grid, [((given.device, given.quantity), given.taken_at_ms)
                                      for given in by_hand])
    registers = with_hand_readings(read.registers, by_hand)
    return PeriodInputs(
        energies=site_energy(site, grid, registers), readings_digest=read.digest,
        occupancy=read_occupancy(site.id, keeper.reader, grid) if sat else {},
        undeclared=undeclared_registers(site, keeper.reader, grid))


def with_hand_readings(registers: Registers, by_hand: Sequence[HandReading]) -> Registers:
    """The registers with the operators' readings behind them, so that of two at one time the
    operator's stands."""
    found = dict(registers)
    for given in by_hand:
        key = given.device, given.quantity
        column = found.get(key, RegisterColumn(np.zeros(0, np.int64), np.zeros(0, np.float64)))
        found[key] = RegisterColumn(
            np.append(column.times_ms, np.int64(given.taken_at_ms)),
            np.append(column.values_wh, float(given.register_wh)))
    return found


def _document(given: HandReading) -> dict[str, Any]:
    return {"device": str(given.device), "quantity": given.quantity,
            "taken_at_ms": given.taken_at_ms, "register_wh": str(given.register_wh),
            "reason": given.reason, "at_ms": given.at_ms, "who": given.who}

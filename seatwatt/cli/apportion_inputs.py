"""What `apportion` says of its inputs: nothing is dropped silently, no exchange overlooked."""

import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid
from seatwatt.contract.meters import Exchange
from seatwatt.contract.quantities import quantity
from seatwatt.contract.site import Site
from seatwatt.settlement.document import instant_text
from seatwatt.settlement.readings import REGISTERS
from seatwatt.settlement.undeclared import declared_registers
from seatwatt.store.recording import Recording
from seatwatt.store.sitefiles import line_in

NAMED_MAX = 3
"""Devices named one by one before the rest is a number."""


def tell_unused(site: Site, recording: Recording) -> None:
    """A line on standard error for each kind of message or reading that was left out."""
    refused = Counter(message.rule for message in recording.quarantined)
    for rule, count in sorted(refused.items(), key=lambda row: row[0].name):
        first = recording.refused_at.get(rule, "")
        _tell(f"{_counted(count, 'record')} refused: {rule.name} {rule.title}"
              + (f"; first {first}" if first else ""))
    for other, count in sorted(recording.other_sites.items()):
        _tell(f"{_counted(count, 'message')} of another site left out: {other}")
    unknown = sorted(_undeclared(site, recording))
    if unknown:
        more = len(unknown) - NAMED_MAX
        _tell("registers that the site file does not declare left out: "
              + ", ".join(unknown[:NAMED_MAX]) + (f" and {more} more" if more > 0 else ""))


def _tell(text: str) -> None:
    print(f"seatwatt: {text}", file=sys.stderr)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" + ("" if count == 1 else "s")


def _undeclared(site: Site, recording: Recording) -> Iterator[str]:
    """Registers that hang nowhere: what they counted stays in the residual above them."""
    known = declared_registers(site)
    for kind, name in REGISTERS:
        for device, (taken_at_ms, _, _) in recording.columns(quantity(kind, name)).items():
            if device not in known:
                yield f"{device} ({_counted(len(taken_at_ms), 'reading')} of {name})"


def check_exchanges(site_file: Path, site: Site, recording: Recording, grid: IntervalGrid) -> None:
    """An exchange beside its meter's readings is an InputError when it lies in the period, for it
    cannot be applied, and one warning for all of them elsewhere."""
    beside: dict[str, str] = {}
    for index, exchange in enumerate(site.exchanges):
        span = _span_ms(exchange, recording)
        if span is not None and span[0] <= exchange.at_ms <= span[1]:
            continue
        what = f"{exchange.meter} at {instant_text(exchange.at_ms, grid)}"
        where = f"exchanges[{index}].at"
        if grid.start_ms <= exchange.at_ms < grid.end_ms:
            raise InputError(f"{line_in(site_file, where)}: {where}",
                             f"{what} lies outside its series: {_span_text(span, grid)}",
                             "readings before and after it, or another time")
        beside[where] = what
    if beside:
        first, more = next(iter(beside)), len(beside) - NAMED_MAX
        _tell(f"{line_in(site_file, first)}: {_counted(len(beside), 'exchange')} outside the "
              f"period and outside the series not used: {', '.join([*beside.values()][:NAMED_MAX])}"
              + (f" and {more} more" if more > 0 else ""))


def _span_ms(exchange: Exchange, recording: Recording) -> tuple[int, int] | None:
    """The first and the last reading of the exchanged register."""
    kind = exchange.meter.kind
    name = exchange.quantity or ("energy" if kind == "seat" else "energy_import")
    column = recording.columns(quantity(kind, name)).get(exchange.meter)
    if column is None or not len(column[0]):
        return None
    return int(column[0].min()), int(column[0].max())


def _span_text(span: tuple[int, int] | None, grid: IntervalGrid) -> str:
    if span is None:
        return "the meter has no readings"
    first, last = (instant_text(at_ms, grid) for at_ms in span)
    return f"the meter has readings only from {first} to {last}"

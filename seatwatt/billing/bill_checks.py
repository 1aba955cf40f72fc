"""What a site's declarations tell of a bill before any meter is read."""

from collections.abc import Collection

from seatwatt.billing.bands import bands_of
from seatwatt.billing.bill import BY_SOURCE, Bill, BillLine, Period
from seatwatt.billing.claims import claims_of, places_of
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.meters import OPERATOR
from seatwatt.contract.site import OFFPEAK, Site

PERIOD_DAYS_MAX = 400


def check_bill(bill: Bill, site: Site) -> None:
    """Raise InputError for a bill that no readings could make right: periods that cannot be
    settled, bands, sources and parties that the site does not have, a basis by which nobody can
    have weight."""
    check_period("period", bill.period)
    check_names(bill, site)
    for index, line in enumerate(bill.lines):
        _check_of_period(f"lines[{index}].of_period", line.of_period, bill.period)
        if line.pass_through and line.amount_minor and not _can_weigh(line, bill, site):
            error = nobody_weighs(line, bill, cancels=bool(_named_minor(line, bill)))
            raise InputError(f"lines[{index}].{error.where}", f"{line.id}: {error.problem}",
                             error.expected)


def check_period(where: str, period: Period) -> None:
    """InputError for more than PERIOD_DAYS_MAX days: a slip of the pen, which would ask for
    endless readings."""
    if (period.to - period.from_).days > PERIOD_DAYS_MAX or not 2000 <= period.from_.year < 2200:
        raise InputError(where, f"{period} cannot be settled",
                         f"at most {PERIOD_DAYS_MAX} days, between 2000 and 2200")


def _check_of_period(where: str, earlier: Period | None, own: Period) -> None:
    if earlier is None:
        return
    check_period(where, earlier)
    if earlier.to > own.to:
        raise InputError(where, f"{earlier} ends after the bill's own period",
                         f"a period before, or within, {own}")


def check_names(bill: Bill, site: Site) -> None:
    """InputError for a band, source or party that the site does not have."""
    bands, sources = bands_and_sources(site)
    parties = {OPERATOR, *(tenant.id for tenant in site.tenants)}
    if bill.source is not None:
        check_known("source", bill.source, sources)
    for index, line in enumerate(bill.lines):
        if line.band is not None:
            check_known(f"lines[{index}].band", line.band, bands)
        if line.source is not None:
            check_known(f"lines[{index}].source", line.source, sources)
        for name in set(line.lines):
            if line.lines.count(name) > 1:
                raise InputError(f"lines[{index}].lines", f"{name!r} is named twice", "each once")
        for party, _ in line.weights:
            check_known(f"lines[{index}].weights.{party}", party, parties)
    for name, _ in bill.units:
        if name not in ("kwh", "demand_kw"):
            check_known(f"units.{name}", name.removesuffix("_kwh"), bands)


def bands_and_sources(site: Site) -> tuple[set[str], set[str]]:
    """Names of the site's tariff bands, and the kinds of its sources."""
    return ({OFFPEAK, *(rule.band for rule in site.bands)},
            {node.source for node in site.nodes if node.source is not None})


def check_known(where: str, name: str, known: Collection[str]) -> None:
    """InputError for a name that the site does not have."""
    if name not in known:
        raise InputError(where, f"the site does not have {name!r}", ", ".join(sorted(known)))


def nobody_weighs(line: BillLine, bill: Bill, cancels: bool) -> InputError:
    """The error of a line that cannot be shared; `cancels`: weights there are, but they add up to
    nothing."""
    why = "the parties' weights cancel out" if cancels else "nobody has weight"
    band = f" in band {line.band}" if line.band else ""
    return InputError("share_by", f"{why} by {line.share_by}{band} in "
                      f"{line.of_period or bill.period}", "another basis, or pass_through: false")


def _can_weigh(line: BillLine, bill: Bill, site: Site) -> bool:
    """Whether any party could have weight, as far as can be told without readings."""
    if line.share_by == "lines":
        return sum(_named_minor(line, bill)) != 0
    if line.share_by in BY_SOURCE:
        return bands_and_sources(site)[1] != set() and _occurs(line, bill, site)
    if line.share_by == "seats":
        return places_of(site) != ()
    return line.share_by == "fixed" or _any_tenant(_grid(line, bill, site), site)


def _named_minor(line: BillLine, bill: Bill) -> list[int]:
    """Amounts of the lines it is measured by: what they put on the parties adds up to these."""
    amounts = {each.id: each.amount_minor for each in bill.lines}
    return [amounts[name] for name in line.lines if amounts[name]]


def _grid(line: BillLine, bill: Bill, site: Site) -> IntervalGrid:
    """Half hours, on which the edges of bands lie whatever the site's own intervals are."""
    period = line.of_period or bill.period
    start_ms, end_ms = (local_midnight_ms(day, site.time_zone) for day in (period.from_, period.to))
    return IntervalGrid.between(start_ms, end_ms, 1800, site.time_zone)


def _occurs(line: BillLine, bill: Bill, site: Site) -> bool:
    """Whether the line's band, if it names one, has any hour in its period."""
    if line.band is None:
        return True
    names, band_of = bands_of(_grid(line, bill, site), site.bands)
    return names.index(line.band) in band_of


def _any_tenant(grid: IntervalGrid, site: Site) -> bool:
    """Whether any tenant holds a seat; a room that is leased whole, where the site has no seat."""
    places = places_of(site)
    seats = [place for place in places if place[1]] or places
    parties = (*(tenant.id for tenant in site.tenants), OPERATOR)
    return any(places[claim.place] in seats for claim in claims_of(site, grid, places, parties))

"""Occupancy charges: a rate per seat and month, prorated by days held, with dated waivers."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fractions import Fraction
from itertools import pairwise
from zoneinfo import ZoneInfo

from seatwatt.billing.bill import Period
from seatwatt.billing.money_currency import decimals_of
from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import ConflictError, InputError
from seatwatt.contract.site import Lease, Site

Days = dict[date, int]
"""Local day -> number of seats held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SeatRate:
    """What a seat costs a month during the local days [from_, to)."""

    amount_minor: int
    from_: date
    to: date | None = None

    def __post_init__(self) -> None:
        if self.to is not None and self.from_ >= self.to:
            raise InputError("to", f"{self.from_} is not before {self.to}", "from before to")
        if self.amount_minor < 0:
            raise InputError("amount", "it is negative", "0 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """`tenant` pays no occupancy charge for the local days of `period`."""

    tenant: str
    period: Period
    reason: str = ""

    def __post_init__(self) -> None:
        check_identifier("tenant", self.tenant)


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupancyPlan:
    """Rates and waivers of a site, in the currency of the leases."""

    id: str
    currency: str
    rates: tuple[SeatRate, ...]
    waivers: tuple[Waiver, ...] = ()

    def __post_init__(self) -> None:
        check_identifier("occupancy", self.id)
        decimals_of(self.currency)
        if not self.rates:
            raise InputError("rates", "there is none", "at least one rate")
        order = sorted(range(len(self.rates)), key=lambda at: self.rates[at].from_)
        for one, other in pairwise(order):
            end = self.rates[one].to
            if end is None or end > self.rates[other].from_:
                raise ConflictError(f"rates[{other}].from", f"overlaps rates[{one}] on "
                                    f"{self.rates[other].from_}", "one rate a day")

    def rate_minor(self, day: date) -> int:
        """The rate of a month on this day; 0 where none is declared."""
        return sum(rate.amount_minor for rate in self.rates
                   if rate.from_ <= day and (rate.to is None or day < rate.to))

    def waived(self, tenant: str, day: date) -> bool:
        """Whether the tenant pays nothing for this day."""
        return any(waiver.tenant == tenant and waiver.period.from_ <= day < waiver.period.to
                   for waiver in self.waivers)


@dataclass(frozen=True, slots=True, kw_only=True)
class OccupancyCharge:
    """A tenant's calendar month, or the part of it that lies in the period asked for."""

    tenant: str
    period: Period
    seat_days: int
    waived_seat_days: int
    amount_minor: int
    waived_minor: int
    """What the waiver saved, rounded by itself."""


def occupancy_charges(plan: OccupancyPlan, site: Site, period: Period
                      ) -> tuple[OccupancyCharge, ...]:
    """What each tenant owes for seats held in `period`, month by month, rounded half up once.

    A seat counts for a tenant on every local day on which a lease of its holds it, however long
    the shift; two leases of one tenant on one seat count once. InputError for a waiver of an
    unknown tenant.
    """
    known = {tenant.id for tenant in site.tenants}
    for index, waiver in enumerate(plan.waivers):
        if waiver.tenant not in known:
            raise InputError(f"occupancy {plan.id}: waivers[{index}].tenant",
                             f"{waiver.tenant!r} does not exist", ", ".join(sorted(known)))
    held = _seat_days(site, period)
    return tuple(_charge(plan, tenant, month, held[tenant])
                 for tenant in sorted(held) for month in _months(period)
                 if any(month.from_ <= day < month.to for day in held[tenant]))


def _charge(plan: OccupancyPlan, tenant: str, month: Period, held: Days) -> OccupancyCharge:
    days = {day: seats for day, seats in held.items() if month.from_ <= day < month.to}
    waived = {day: seats for day, seats in days.items() if plan.waived(tenant, day)}
    paid = {day: seats for day, seats in days.items() if day not in waived}
    return OccupancyCharge(
        tenant=tenant, period=month, seat_days=sum(days.values()),
        waived_seat_days=sum(waived.values()), amount_minor=_amount(plan, paid),
        waived_minor=_amount(plan, waived))


def _amount(plan: OccupancyPlan, days: Days) -> int:
    exact = sum((Fraction(plan.rate_minor(day) * seats, _days_in_month(day))
                 for day, seats in days.items()), Fraction(0))
    return (2 * exact.numerator + exact.denominator) // (2 * exact.denominator)


def _seat_days(site: Site, period: Period) -> dict[str, Days]:
    zones = {zone.name: zone.seats for zone in site.zones}
    held: dict[str, dict[date, set[tuple[str, str]]]] = defaultdict(lambda: defaultdict(set))
    for lease in site.leases:
        seats = {*lease.seats, *((zone, seat) for zone in lease.zones for seat in zones[zone])}
        first, last = _lease_days(lease, site.time_zone)
        day = max(first, period.from_)
        end = period.to if last is None else min(last, period.to)
        while day < end and seats:
            held[lease.tenant][day] |= seats
            day += timedelta(days=1)
    return {tenant: {day: len(seats) for day, seats in days.items()}
            for tenant, days in held.items()}


def _lease_days(lease: Lease, zone: ZoneInfo) -> tuple[date, date | None]:
    """Local days [first, end) that the lease touches: a day pass of two hours is a day."""
    first = lease.from_
    if isinstance(first, datetime):
        first = first.astimezone(zone).date()
    end = lease.to
    if isinstance(end, datetime):
        local = end.astimezone(zone) - timedelta(microseconds=1)
        end = local.date() + timedelta(days=1)
    return first, end


def _months(period: Period) -> list[Period]:
    months, first = [], period.from_
    while first < period.to:
        following = first.replace(day=1) + timedelta(days=_days_in_month(first))
        months.append(Period(from_=first, to=min(following, period.to)))
        first = following
    return months


def _days_in_month(day: date) -> int:
    following = date(day.year + day.month // 12, day.month % 12 + 1, 1)
    return (following - day.replace(day=1)).days

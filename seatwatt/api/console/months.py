"""Which period a page shows: a calendar month of the site, the running one up to the last hour."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from seatwatt.contract.errors import InputError

_MONTH = re.compile(r"(\d{4})-(\d{2})")


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """`from_` and `to` as the routes take them; `open`: the month still runs, or is to come."""

    month: date
    from_: str
    to: str
    open: bool

    @property
    def before(self) -> str:
        """The month before, as the page's query names it."""
        return f"{self.month - timedelta(days=1):%Y-%m}"

    @property
    def after(self) -> str | None:
        """The month after; None when that has not begun."""
        return None if self.open else f"{_next(self.month):%Y-%m}"

    @property
    def after_last(self) -> date:
        """The first day that is not in the month."""
        return _next(self.month)


def shown_month(asked: str, now_ms: int, zone_name: str | None) -> Shown:
    """The month that was asked for (`2026-10`), else the one that runs; on its first hours the one
    before. InputError for what is no month."""
    zone = ZoneInfo(zone_name or "UTC")
    # Readings of the hour that just ended may still be on their way.
    until = datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone) - timedelta(hours=1)
    until = until.replace(minute=0, second=0, microsecond=0)
    first = _asked(asked) if asked else until.date().replace(day=1)
    if not asked and until.date() == first and until.hour == 0:
        first = (first - timedelta(days=1)).replace(day=1)
    if _next(first) <= until.date():
        return Shown(month=first, from_=first.isoformat(), to=_next(first).isoformat(), open=False)
    if first > until.date() or (first == until.date() and until.hour == 0):
        raise InputError("month", f"{first:%Y-%m} has not begun", f"at most {until:%Y-%m}")
    return Shown(month=first, from_=first.isoformat(), to=until.isoformat(), open=True)


def _asked(text: str) -> date:
    found = _MONTH.fullmatch(text)
    if found is None or not (1971 <= int(found[1]) < 2200 and 1 <= int(found[2]) <= 12):
        raise InputError("month", f"{text!r} is no month", "such as 2026-10")
    return date(int(found[1]), int(found[2]), 1)


def _next(first: date) -> date:
    return date(first.year + first.month // 12, first.month % 12 + 1, 1)

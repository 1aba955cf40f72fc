"""What several commands ask of the machine they run on: who, when, and where things rest."""

import getpass
import os
import time
from datetime import date

from sqlalchemy import Engine

from seatwatt.billing.bill import Period
from seatwatt.contract.errors import InputError
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.runs import Mark
from seatwatt.settings import LedgerSettings


def ledger() -> Engine:
    """The ledger of the environment's settings."""
    return open_engine(LedgerSettings.load())


def now_ms() -> int:
    """This moment: a command is where the clock is read."""
    return time.time_ns() // 1_000_000


def login() -> str:
    """Who runs the command."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"user {os.getuid()}"  # in a container the number may have no name


def mark(by: str) -> Mark:
    """Somebody, now; your login when nobody is named."""
    return Mark(at_ms=now_ms(), who=by or login())


def period_of(month: str, from_: str, to: str) -> Period:
    """`--month 2026-10`, or `--from` and `--to` as local dates."""
    if bool(month) == bool(from_ and to):
        raise InputError("--month", "the period is unclear", "--month 2026-10, or --from and --to")
    if not month:
        return Period(from_=_day("--from", from_), to=_day("--to", to))
    first = _day("--month", f"{month}-01")
    return Period(from_=first,
                  to=date(first.year + first.month // 12, first.month % 12 + 1, 1))


def _day(option: str, text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InputError(option, f"{text!r} is not a date", "2026-10-01, or a month 2026-10"
                         ) from None

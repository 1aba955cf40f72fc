"""Errors, sorted by what the reader must do.

SeatwattError
├── InputError            an input is wrong: one line, exit status 2, HTTP 422
│   └── ConflictError     right in itself, at odds with what is declared: HTTP 409
├── SettingsError         we are set up wrongly: stop at start with one line
└── StoreError            the store did not take or give readings
    ├── StoreUnavailable      outside is down or slow: keep everything, try again later
    ├── StoreMisconfigured    401, 403, 404: keep everything, not ready, alarm
    ├── StoreTooLarge         413: halve the batch
    └── StoreRefused          400, 422: the data is at fault; bisect to single readings
"""


class SeatwattError(Exception):
    """Whatever Seatwatt itself raises; its text is one line meant for people."""


class InputError(SeatwattError):
    """An input is wrong: where (file, line, field, device), what it is, what was expected.

    >>> str(InputError("interval", "7min is not a length we know", "5, 10, 15, 20, 30 or 60min"))
    'interval: 7min is not a length we know; expected 5, 10, 15, 20, 30 or 60min'
    """

    def __init__(self, where: str, problem: str, expected: str = "") -> None:
        self.where, self.problem, self.expected = where, problem, expected
        super().__init__(f"{where}: {problem}" + (f"; expected {expected}" if expected else ""))

    def __reduce__(self) -> tuple[object, ...]:
        # As it was on the other side of a pipe: an Exception is made again from its text alone.
        return type(self), (self.where, self.problem, self.expected), self.__dict__

    def within(self, outer: str) -> "InputError":
        """The same error seen from a larger whole: `site.yaml` + `leases[2].from`."""
        return type(self)(f"{outer}: {self.where}", self.problem, self.expected)


class ConflictError(InputError):
    """Right in itself, but at odds with something declared (overlapping leases, stale revision)."""


class SettingsError(SeatwattError):
    """A setting is missing or wrong; a service that meets it does not start."""


class StoreError(SeatwattError):
    """The store did not take or give readings."""


class StoreUnavailable(StoreError):
    """The store is down or slow; `retry_after_s` is its own wish, where it told one."""

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class StoreMisconfigured(StoreError):
    """The store refuses us (401, 403) or lacks our database (404)."""


class StoreTooLarge(StoreError):
    """The request was larger than the store accepts (413)."""


class StoreRefused(StoreError):
    """The store refuses some of what was sent; its words say why, but never trust its counts."""

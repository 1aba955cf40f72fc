"""Wrong keys and wrong passwords, counted by where they come from."""

import ipaddress
from collections.abc import Callable

from fastapi import Request

from seatwatt.api.problems import Problem
from seatwatt.api.rate import RateLimit
from seatwatt.settings import ApiSettings

_V6_NETWORK_BITS = 64
_NAME_FACTOR = 3
"""Many an address may try one name; they share a bucket this many times as large."""


def address_of(request: Request) -> str:
    """Where the request comes from: an IPv4 address, or the network that one IPv6 customer has."""
    host = request.client.host if request.client else "unknown"
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((int(address), _V6_NETWORK_BITS), strict=False))


class Attempts:
    """Buckets of attempts that may fail, refilled slowly. In memory: each process has its own."""

    def __init__(self, clock: Callable[[], int], settings: ApiSettings) -> None:
        per_s, burst = settings.api_failed_per_min / 60, settings.api_failed_burst
        self._clock = clock
        self._addresses = RateLimit(per_s, burst)
        self._names = RateLimit(per_s * _NAME_FACTOR, burst * _NAME_FACTOR)

    def key_failed(self, address: str) -> None:
        """A wrong key was tried; 429 when that was once too often."""
        _refuse(self._addresses.take(f"key {address}", self._clock()), "wrong API keys", address)

    def log_in_begins(self, address: str, name: str) -> None:
        """Before a password is looked at, so that many at once do not slip through; 429 when the
        address or the name had too many that were wrong."""
        now_ms = self._clock()
        _refuse(self._addresses.take(f"user {address}", now_ms), "failed log-ins", address)
        try:
            _refuse(self._names.take(name, now_ms), "failed log-ins", "this user")
        except Problem:
            self._addresses.give_back(f"user {address}")
            raise

    def log_in_succeeded(self, address: str, name: str) -> None:
        """It does not count."""
        self._addresses.give_back(f"user {address}")
        self._names.give_back(name)


def _refuse(wait_s: int, what: str, whose: str) -> None:
    if wait_s:
        of = "of" if whose == "this user" else "from"
        raise Problem(429, "too-many-requests",
                      f"too many {what} {of} {whose}; try again in {wait_s} s",
                      {"retry-after": str(wait_s)})

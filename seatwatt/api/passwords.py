"""Passwords: kept as Argon2id hashes (RFC 9106), checked slowly, a few at a time."""

import secrets
import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from seatwatt.contract.errors import InputError

LENGTH_MIN = 12
LENGTH_MAX = 200
_ONE_TIME_BYTES = 15
_AT_ONCE = 2
_CHARACTERS_MIN = 5
_NAME_LENGTH_MIN = 4

_hasher = PasswordHasher()
# A hash takes 64 MiB: a crowd at the door must not take the machine's memory.
_turn = threading.BoundedSemaphore(_AT_ONCE)


def one_time_password() -> str:
    """120 random bits, to be changed by whoever logs in with it."""
    return secrets.token_urlsafe(_ONE_TIME_BYTES)


def hashed(password: str) -> str:
    """What is kept of a password: salt, parameters and hash in one text."""
    with _turn:
        return _hasher.hash(password)


def matches(password_hash: str, password: str) -> bool:
    """Whether it is the password of this hash; takes as long either way."""
    with _turn:
        try:
            return _hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False


def is_outdated(password_hash: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _hasher.check_needs_rehash(password_hash)


@cache
def nobodys() -> str:
    """The hash to check for a name that nobody has: it takes as long as one that somebody has."""
    return _hasher.hash(secrets.token_hex())


def check_new(password: str, name: str) -> None:
    """InputError for a password that is too short, too long, or the name over again."""
    if not LENGTH_MIN <= len(password) <= LENGTH_MAX:
        raise InputError("password", f"it has {len(password)} characters",
                         f"{LENGTH_MIN} to {LENGTH_MAX}")
    named = len(name) >= _NAME_LENGTH_MIN and name in password.lower()
    if named or len(set(password)) < _CHARACTERS_MIN:
        raise InputError("password", "it is easily guessed",
                         f"no name in it, and at least {_CHARACTERS_MIN} different characters")

"""Passwords and mosquitto's password files: lines of `user:$7$iterations$salt$hash`.

The hash is PBKDF2-HMAC-SHA512, salt and hash in base64, as mosquitto_passwd(1) makes it.
"""

import hashlib
import secrets
from base64 import b64encode

from seatwatt.contract.errors import InputError

ITERATIONS = 10_000
"""The broker computes it at every connection, in its only thread: about 10 ms."""
SALT_BYTES = 12
HASH_BYTES = 64
PASSWORD_BYTES = 24


def new_password() -> str:
    """192 random bits in 32 characters that need no quoting anywhere."""
    return secrets.token_urlsafe(PASSWORD_BYTES)


def hashed(password: str) -> str:
    """The password as mosquitto keeps it, under a new salt."""
    salt = secrets.token_bytes(SALT_BYTES)
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS, HASH_BYTES)
    return f"$7${ITERATIONS}${b64encode(salt).decode()}${b64encode(digest).decode()}"


def parse(text: str, where: str) -> dict[str, str]:
    """Hash by user. InputError with the line where one is not `user:hash`."""
    users = {}
    for number, line in enumerate(text.splitlines(), 1):
        name, colon, kept = line.partition(":")
        if not name or not colon or not kept.startswith("$7$"):
            raise InputError(f"{where}:{number}", "it is no line of a password file",
                             "user:$7$iterations$salt$hash")
        users[name] = kept
    return users


def render(users: dict[str, str]) -> str:
    """The password file of these users."""
    return "".join(f"{name}:{kept}\n" for name, kept in sorted(users.items()))

"""A client of `upsd` (RFC 9271): login, STARTTLS, and the variables of a UPS."""

import asyncio
import re
import ssl
from dataclasses import dataclass
from typing import Self

from seatwatt.gateway.config import NutSource

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(\S+)')
_ESCAPED = re.compile(r"\\(.)")
_SAFE = re.compile(r"[A-Za-z0-9_.\-]+")
LINE_MAX = 65_536
VARIABLES_MAX = 5_000

MEANINGS = {
    "ACCESS-DENIED": "refuses this user, password or address",
    "UNKNOWN-UPS": "does not know this UPS",
    "DATA-STALE": "has no fresh data: its driver lost the UPS",
    "DRIVER-NOT-CONNECTED": "has no driver running for this UPS",
    "FEATURE-NOT-CONFIGURED": "has TLS not set up",
    "INVALID-PASSWORD": "refuses this password",
    "INVALID-USERNAME": "refuses this user",
}
"""upsd's own errors, in the words that follow "upsd at ..."."""


class NutError(Exception):
    """upsd did not answer, or refused; `code` is its own word."""

    def __init__(self, detail: str, code: str = "") -> None:
        super().__init__(detail)
        self.code = code


def tokens(line: str) -> list[str]:
    """The words of a line; quoted ones unquoted."""
    return [_ESCAPED.sub(r"\1", quoted) if plain == "" else plain
            for quoted, plain in _TOKEN.findall(line)]


def quoted(text: str) -> str:
    """A word as upsd reads it back."""
    if _SAFE.fullmatch(text):
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


@dataclass(slots=True)
class NutConnection:
    """One connection, entered. Every wait is bounded by the caller."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, source: NutSource, login: bool = True) -> Self:
        """Connect, encrypt and log in as the source says. Raises NutError, OSError."""
        reader, writer = await asyncio.open_connection(source.host, source.port, limit=LINE_MAX)
        connection = cls(reader, writer)
        try:
            await connection._enter(source, login)
        except BaseException:
            connection.abort()
            raise
        return connection

    async def _enter(self, source: NutSource, login: bool) -> None:
        if source.tls:
            await self._ask("STARTTLS")
            await self.writer.start_tls(_tls(source), server_hostname=source.host)
        if source.user:
            await self._ask(f"USERNAME {quoted(source.user)}")
            await self._ask(f"PASSWORD {quoted(source.password)}")
            # upsd checks name and password only here.
            if login:
                await self._ask(f"LOGIN {quoted(source.ups)}")

    async def variables(self, ups: str) -> dict[str, str]:
        """All variables of a UPS."""
        found: dict[str, str] = {}
        await self._send(f"LIST VAR {quoted(ups)}")
        await self._expect(["BEGIN", "LIST", "VAR", ups])
        while len(found) < VARIABLES_MAX:
            words = await self._line()
            if words[:3] == ["END", "LIST", "VAR"]:
                return found
            if len(words) != 4 or words[:2] != ["VAR", ups]:
                raise NutError(f"garbage: {' '.join(words)[:60]!r}")
            found[words[2]] = words[3]
        raise NutError(f"more than {VARIABLES_MAX} variables")

    async def logout(self) -> None:
        """Take leave; the primary of a UPS that shuts down waits for those who have not."""
        await self._send("LOGOUT")
        self.abort()

    def abort(self) -> None:
        """Drop the connection."""
        self.writer.transport.abort()

    async def _ask(self, command: str) -> None:
        await self._send(command)
        await self._expect(["OK"])

    async def _expect(self, start: list[str]) -> None:
        words = await self._line()
        if words[:len(start)] != start:
            raise NutError(f"garbage: {' '.join(words)[:60]!r}")

    async def _send(self, command: str) -> None:
        self.writer.write(f"{command}\n".encode())
        await self.writer.drain()

    async def _line(self) -> list[str]:
        try:
            raw = await self.reader.readline()
        except ValueError:
            raise NutError("garbage: a line without an end") from None
        if not raw.endswith(b"\n"):
            raise NutError("closed the connection")
        words = tokens(raw.decode(errors="replace"))
        if words[:1] == ["ERR"]:
            code = words[1] if len(words) > 1 else ""
            raise NutError(MEANINGS.get(code, f"answers ERR {code}"), code)
        return words


def _tls(source: NutSource) -> ssl.SSLContext:
    """With an authority the server must prove who it is; without one, its self-made certificate
    is taken as it is, which hides the password from listeners only."""
    if source.ca_file:
        return ssl.create_default_context(cafile=source.ca_file)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context

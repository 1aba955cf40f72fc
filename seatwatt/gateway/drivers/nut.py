"""UPSs of a Network UPS Tools server (`upsd`, TCP 3493)."""

import asyncio
import os
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field

from seatwatt.contract.devices import Device
from seatwatt.gateway.config import NutSource
from seatwatt.gateway.drivers.nut_client import NutConnection, NutError
from seatwatt.gateway.drivers.ups import Judge
from seatwatt.gateway.ports import GatewayDeviceError, Sample


@dataclass(slots=True, kw_only=True)
class NutUps:
    """One UPS; the connection stays open between polls."""

    device: Device
    source: NutSource
    every_s: int
    timeout_s: float
    judge: Judge
    _connection: NutConnection | None = None
    _leaving: bool = field(default=False)
    """The UPS announced its shutdown: log in no more, so that nobody waits for us."""

    @property
    def devices(self) -> Sequence[Device]:
        """The UPS itself."""
        return (self.device,)

    async def poll(self, at_ms: int) -> list[Sample]:
        """All variables once. Stale data is no data, never the last value."""
        try:
            async with asyncio.timeout(self.timeout_s):
                variables = await self._variables()
        except (NutError, OSError, TimeoutError) as error:
            self._drop()
            raise GatewayDeviceError(self.device, self._told(error)) from None
        self._leaving = "FSD" in variables.get("ups.status", "").split()
        if self._leaving:
            await self.close()
        return self.judge.samples(variables)

    async def _variables(self) -> dict[str, str]:
        if self._connection is None:
            self._connection = await NutConnection.open(self.source, login=not self._leaving)
        return await self._connection.variables(self.source.ups)

    def _told(self, error: Exception) -> str:
        where = f"upsd at {self.source.host}:{self.source.port}"
        if isinstance(error, NutError):
            return f"{where} {error} ({self.source.ups})"
        if isinstance(error, TimeoutError):
            return f"{where} does not answer within {self.timeout_s:g} s"
        if isinstance(error, ssl.SSLError):
            return f"{where}: TLS failed: {error.reason or error}"
        known = isinstance(error, OSError) and error.errno is not None and error.errno > 0
        detail = os.strerror(error.errno) if known else error  # type: ignore[attr-defined]
        return f"cannot connect to {where}: {detail}"

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.abort()
            self._connection = None

    async def close(self) -> None:
        """Log out and let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            try:
                async with asyncio.timeout(self.timeout_s):
                    await connection.logout()
            except (OSError, TimeoutError):
                connection.abort()

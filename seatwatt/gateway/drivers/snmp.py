"""UPSs with an SNMP agent that knows the UPS-MIB (v2c, v3). Only ever read."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pyasn1.type.univ import Integer
from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch import asyncio as hlapi

from seatwatt.contract.devices import Device
from seatwatt.gateway.config import SnmpSource
from seatwatt.gateway.drivers import ups_mib
from seatwatt.gateway.drivers.ups import Judge
from seatwatt.gateway.ports import GatewayDeviceError, Sample

ALARMS_MAX = 25
RETRIES = 1
SILENT = "No SNMP response"
START_S = 5.0
"""The library takes its time for the first request."""

AUTH: dict[str, Any] = {
    "none": hlapi.USM_AUTH_NONE, "md5": hlapi.USM_AUTH_HMAC96_MD5,
    "sha": hlapi.USM_AUTH_HMAC96_SHA, "sha224": hlapi.USM_AUTH_HMAC128_SHA224,
    "sha256": hlapi.USM_AUTH_HMAC192_SHA256, "sha384": hlapi.USM_AUTH_HMAC256_SHA384,
    "sha512": hlapi.USM_AUTH_HMAC384_SHA512}
PRIVACY: dict[str, Any] = {
    "none": hlapi.USM_PRIV_NONE, "des": hlapi.USM_PRIV_CBC56_DES,
    "aes": hlapi.USM_PRIV_CFB128_AES, "aes192": hlapi.USM_PRIV_CFB192_AES,
    "aes256": hlapi.USM_PRIV_CFB256_AES}


class SnmpError(Exception):
    """The agent did not answer, or refused."""


@dataclass(slots=True, kw_only=True)
class SnmpUps:
    """One UPS and the engine that speaks to it; engines are not shared, for two agents may give
    one user name different pass phrases."""

    device: Device
    source: SnmpSource
    every_s: int
    timeout_s: float
    judge: Judge
    _engine: Any = field(default=None)

    @property
    def devices(self) -> Sequence[Device]:
        """The UPS itself."""
        return (self.device,)

    async def poll(self, at_ms: int) -> list[Sample]:
        """Everything once: one request, and the alarms where the agent has some."""
        try:
            async with asyncio.timeout(self.timeout_s * (RETRIES + 2) + START_S):
                found = await self._numbers()
                alarms = await self._alarms() if found.get(ups_mib.ALARMS, 0) > 0 else {}
        except (SnmpError, PySnmpError, OSError, TimeoutError) as error:
            where = f"SNMP agent at {self.source.host}:{self.source.port}"
            detail = " ".join(str(error).split()).partition(" caused by ")[0]
            detail = detail or _meaning(SILENT, self.timeout_s)
            raise GatewayDeviceError(self.device, f"{where}: {detail}") from None
        variables = ups_mib.variables(found, alarms)
        if not variables:
            raise GatewayDeviceError(
                self.device, f"SNMP agent at {self.source.host}:{self.source.port}: "
                "knows nothing of the UPS-MIB (RFC 1628)")
        return self.judge.samples(variables)

    async def _numbers(self) -> dict[str, int]:
        rows = await self._ask(hlapi.get_cmd, *ups_mib.ASKED)
        return {oid: int(value) for oid, value in rows if _is_number(value)}

    async def _alarms(self) -> dict[str, str]:
        rows = await self._ask(hlapi.bulk_cmd, ups_mib.ALARM_TABLE, bulk=(0, ALARMS_MAX))
        return {oid: str(value) for oid, value in rows
                if oid.startswith(f"{ups_mib.ALARM_TABLE}.")}

    async def _ask(self, command: Any, *oids: str, bulk: tuple[int, ...] = ()
                   ) -> list[tuple[str, Any]]:
        if self._engine is None:
            # It reads its tables for half a second, in which other devices would wait.
            self._engine = await asyncio.to_thread(hlapi.SnmpEngine)
        target = await hlapi.UdpTransportTarget.create(
            (self.source.host, self.source.port), timeout=self.timeout_s, retries=RETRIES)
        asked = [hlapi.ObjectType(hlapi.ObjectIdentity(oid)) for oid in oids]
        problem, status, index, rows = await command(
            self._engine, _credentials(self.source), target, hlapi.ContextData(), *bulk, *asked,
            lookupMib=False)
        if problem:
            raise SnmpError(_meaning(str(problem), self.timeout_s))
        if status:
            raise SnmpError(f"refuses object {index}: {status.prettyPrint()}")
        return [(str(row[0]), row[1]) for row in rows]

    async def close(self) -> None:
        """Let go of the socket."""
        if self._engine is not None:
            self._engine.close_dispatcher()
            self._engine = None


def _credentials(source: SnmpSource) -> Any:
    if not source.user:
        return hlapi.CommunityData(source.community, mpModel=1)
    keys = {name: value for name, value in (("authKey", source.auth_password),
                                            ("privKey", source.privacy_password)) if value}
    return hlapi.UsmUserData(source.user, authProtocol=AUTH[source.auth],
                             privProtocol=PRIVACY[source.privacy], **keys)


def _meaning(problem: str, timeout_s: float) -> str:
    """The library's words in ours; an agent that dislikes a community just stays silent."""
    if SILENT in problem:
        return (f"does not answer within {timeout_s:g} s; wrong host, or it refuses the "
                "community or user")
    return problem[:1].lower() + problem[1:]


def _is_number(value: Any) -> bool:
    """Whether it is an INTEGER or a gauge; an object the agent lacks is neither."""
    return isinstance(value, Integer)

"""`seatwatt gateway check`: every device once, and what it says, as rows of a table."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from seatwatt.contract.devices import Device
from seatwatt.gateway.config import Broker, GatewayConfig
from seatwatt.gateway.opening import open_devices
from seatwatt.gateway.ports import Clock, Driver, Fault, GatewayDeviceError, Listener, Sample

POLL_S = 30.0


@dataclass(frozen=True, slots=True)
class CheckRow:
    """One line of the table. `value` is empty where there is none, `problem` where all is well."""

    device: Device
    quantity: str = ""
    value: str = ""
    unit: str = ""
    problem: str = ""


async def check(config: GatewayConfig, broker: Broker, clock: Clock, listen_s: float = 15.0
                ) -> list[CheckRow]:
    """Poll every device once, listen `listen_s` seconds to those that speak by themselves.

    One row a value; a device that gives none has one row that says why. A wrong device never
    ends the check; wrong entries of the configuration are rows too.
    """
    samples: list[Sample] = []
    faults: list[Fault] = []
    opened = open_devices(config, broker, clock, samples.extend, faults.append)
    at_ms = clock() // 3_600_000 * 3_600_000  # a full hour: registers are due
    jobs = [_poll(driver, at_ms, faults, clock) for driver in opened.drivers]
    jobs += [_listen(one, samples, faults, listen_s) for one in opened.listeners]
    for polled in await asyncio.gather(*jobs):
        samples += polled
    return _rows(config, samples, faults, listen_s)


async def _poll(driver: Driver, at_ms: int, faults: list[Fault], clock: Clock) -> Sequence[Sample]:
    try:
        async with asyncio.timeout(POLL_S):
            return await driver.poll(at_ms)
    except GatewayDeviceError as error:
        faults.append(Fault(error.device, clock(), error.detail))
    except TimeoutError:
        faults.append(Fault(driver.devices[0], clock(), f"no answer within {POLL_S:g} s"))
    finally:
        await driver.close()
    return ()


async def _listen(listener: Listener, samples: list[Sample], faults: list[Fault], listen_s: float
                  ) -> Sequence[Sample]:
    task = asyncio.ensure_future(listener.run(samples.extend, faults.append))
    done, _ = await asyncio.wait([task], timeout=listen_s)
    task.cancel()
    failed = next(iter(await asyncio.gather(task, return_exceptions=True)), None)
    if done and isinstance(failed, GatewayDeviceError):
        faults.append(Fault(failed.device, 0, failed.detail))
    return ()


def _rows(config: GatewayConfig, samples: Sequence[Sample], faults: Sequence[Fault],
          listen_s: float) -> list[CheckRow]:
    latest = {(one.device, one.quantity.name): one for one in samples}
    rows = [CheckRow(device, quantity, _shown(one.value), one.quantity.unit)
            for (device, quantity), one in latest.items()]
    told = {(fault.device, fault.detail): CheckRow(fault.device, problem=fault.detail)
            for fault in faults}
    rows += told.values()
    rows += [CheckRow(device, problem=detail) for device, detail in config.problems]
    spoken = {row.device for row in rows}
    rows += [CheckRow(one.device, problem=f"nothing heard of it within {listen_s:g} s")
             for one in config.devices if one.device not in spoken]
    order = {device: number for number, device in enumerate(dict.fromkeys(
        [one.device for one in config.devices] + [device for device, _ in config.problems]))}
    return sorted(rows, key=lambda row: (order.get(row.device, -1), bool(row.problem)))


def _shown(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:.10g}"

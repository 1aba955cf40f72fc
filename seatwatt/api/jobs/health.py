"""`device_health` each minute: age of the last reading and whether the device is silent."""

from seatwatt.api.device_health import declared_devices, device_health, health_points
from seatwatt.api.jobs.outcome import Outcome
from seatwatt.api.services import Services
from seatwatt.ledger.jobs import Progress

GONE_MS = 30 * 86_400_000
"""Whoever was not heard of for this long and is not declared is no longer told of."""


def write_device_health(services: Services, progress: Progress) -> Outcome:
    """One point for every device of every site, declared or heard of within a month."""
    now_ms, silent_after_s = services.clock(), services.settings.silent_after_s
    declared = set(services.declarations.ids())
    count = silent = 0
    for site in sorted(declared | set(services.reader.sites())):
        expected = declared_devices(services.declarations.load(site).site) \
            if site in declared else set()
        devices = [each for each in device_health(services.reader.last(site), expected, now_ms,
                                                  silent_after_s)
                   if each.device in expected or (each.age_ms or 0) <= GONE_MS]
        services.writer.write_derived(health_points(site, devices, now_ms))
        count, silent = count + len(devices), silent + sum(each.silent for each in devices)
    return Outcome(f"{count} devices, {silent} silent", progress)

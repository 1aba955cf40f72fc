"""Sites, and their devices with what was last heard of them."""

from typing import Annotated

from fastapi import APIRouter, Query

from seatwatt.api.access import AnyCaller, Role, Staff
from seatwatt.api.device_health import DeviceHealth, declared_devices, device_health
from seatwatt.api.problems import not_found
from seatwatt.api.requests import ServicesDep, SiteId
from seatwatt.api.services import Services
from seatwatt.api.shapes import DeviceLine, DeviceList, LastValue, SiteLine, SiteList
from seatwatt.api.times import utc_text
from seatwatt.contract.devices import Device
from seatwatt.contract.errors import InputError

router = APIRouter(prefix="/v1/sites", tags=["sites"])

Cursor = Annotated[str, Query(description="`next_cursor` of the page before", max_length=140)]
Limit = Annotated[int, Query(ge=1, le=1000, description="most devices on a page")]


@router.get("", summary="Sites")
def sites(caller: AnyCaller, services: ServicesDep) -> SiteList:
    """Every site that is declared or was ever heard of, as far as the key sees it."""
    declared, heard = services.declarations.ids(), services.reader.sites()
    seen = [site for site in sorted({*declared, *heard}) if caller.may_see_site(site)]
    return SiteList(sites=[_site_line(services, site, site in declared, site in heard)
                           for site in seen])


def _site_line(services: Services, site_id: str, declared: bool, heard: bool) -> SiteLine:
    site = services.declarations.load(site_id).site if declared else None
    return SiteLine(id=site_id, name=site.name if site else site_id,
                    time_zone=site.time_zone.key if site else None,
                    currency=site.currency if site else None,
                    declared=declared, has_readings=heard)


@router.get("/{site}/devices", summary="Devices and their last readings")
def devices(site: SiteId, caller: Staff, services: ServicesDep, cursor: Cursor = "",
            limit: Limit = 500) -> DeviceList:
    """Every device declared or ever heard of, its newest reading of each quantity and its age.
    Whether somebody sits at a seat is about a person: billing's keys are not shown it."""
    _check_cursor(cursor)
    now_ms = services.clock()
    healths = [each for each in _health(services, site, now_ms) if str(each.device) > cursor]
    page = healths[:limit]
    more = len(healths) > limit
    return DeviceList(site=site, silent_after_s=services.settings.silent_after_s,
                      devices=[_device_line(each, now_ms, caller.role is not Role.BILLING)
                               for each in page],
                      next_cursor=str(page[-1].device) if more else None)


def _check_cursor(cursor: str) -> None:
    """An empty page would look like the end."""
    try:
        if cursor:
            Device.parse(cursor)
    except InputError:
        raise InputError("query.cursor", f"{cursor!r} is no place in the list",
                         "`next_cursor` of the page before") from None


def _health(services: Services, site: str, now_ms: int) -> list[DeviceHealth]:
    known = site in services.declarations.ids()
    declared = declared_devices(services.declarations.load(site).site) if known else set()
    last = services.reader.last(site)
    if not known and not last:
        raise not_found("site", site)
    found = device_health(last, declared, now_ms, services.settings.silent_after_s)
    return sorted(found, key=lambda each: str(each.device))


def _device_line(health: DeviceHealth, now_ms: int, people: bool) -> DeviceLine:
    device = health.device
    return DeviceLine(
        device=str(device), kind=device.kind, zone=device.zone, name=device.name,
        status="silent" if health.silent else "ok",
        age_s=None if health.age_ms is None else health.age_ms / 1000,
        readings={
            reading.series.quantity.name: LastValue(
                value=reading.value, unit=reading.series.quantity.unit,
                taken_at=utc_text(reading.taken_at_ms),
                age_s=max(0, now_ms - reading.taken_at_ms) / 1000)
            for reading in health.last
            if people or (device.kind, reading.series.quantity.name) != ("seat", "occupied")})

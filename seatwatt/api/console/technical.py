"""Devices and how long they have been silent."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from seatwatt.api.console.desk import DeskDep
from seatwatt.api.console.overview import all_devices

router = APIRouter(prefix="/sites/{site}")

Kind = Annotated[str, Query(max_length=20)]


@router.get("/devices")
async def devices(site: str, desk: DeskDep, kind: Kind = "", silent: bool = False) -> Response:
    """Those heard of longest ago first."""
    shown = desk.site(site)
    found = await all_devices(desk, site)
    if not found:
        await desk.api.get(f"/v1/sites/{site}/devices")  # says why not, when something is wrong
    kinds = sorted({device["kind"] for device in found})
    wanted = [device for device in found if kind in ("", device["kind"])
              and (not silent or device["status"] == "silent")]
    wanted.sort(key=lambda device: (-_age_s(device["age_s"]), device["device"]))
    return desk.page("devices.html", site=shown, devices=wanted, kinds=kinds, kind=kind,
                     silent=silent, all=len(found),
                     silent_of_all=sum(device["status"] == "silent" for device in found))


def _age_s(age_s: float | None) -> float:
    return float("inf") if age_s is None else age_s

"""The front of the console: where each role begins, and how all sites are."""

import asyncio
from collections import Counter
from typing import Any

from fastapi import APIRouter, Response

from seatwatt.api.console.desk import Desk, DeskDep
from seatwatt.api.console.rendering import go_to
from seatwatt.api.problems import Problem

router = APIRouter()

_DEVICES_A_PAGE = 1000
_OFTEN = {"engineer": "devices", "billing": "billing"}


@router.get("")
async def front(desk: DeskDep) -> Response:
    """To where the reader's work is."""
    if desk.role == "tenant":
        return go_to(f"/console/sites/{desk.me['site']}/tenants/{desk.me['tenant']}")
    if len(desk.sites) == 1 and desk.role in _OFTEN:
        return go_to(f"/console/sites/{desk.sites[0]['id']}/{_OFTEN[desk.role]}")
    return go_to("/console/overview")


@router.get("/overview")
async def overview(desk: DeskDep) -> Response:
    """Sites, device health, what blocks, failed jobs, the quarantine by rule: of these what the
    reader's role may see."""
    if desk.role == "tenant":
        raise Problem(403, "forbidden", "a tenant sees its own pages only")
    sites = await asyncio.gather(*(_site(desk, site) for site in desk.sites))
    technical = desk.is_any("operator", "engineer")
    jobs = await desk.get_or_say("/v1/jobs") if technical else None
    refused = await desk.get_or_say("/v1/quarantine", limit=1) if technical else None
    zones = {site["time_zone"] for site in desk.sites}
    return desk.page("overview.html", sites=sites, jobs=jobs and jobs["jobs"],
                     zone=zones.pop() if len(zones) == 1 else None,
                     refused=refused and refused["rules"])


async def _site(desk: Desk, site: dict[str, Any]) -> dict[str, Any]:
    devices = await all_devices(desk, site["id"])
    runs = None
    if site["declared"] and desk.is_any("operator", "billing"):
        runs = await desk.get_or_say(f"/v1/sites/{site['id']}/runs")
    items = runs["items"] if runs else []
    return {**site, "devices": len(devices),
            "silent": sum(device["status"] == "silent" for device in devices),
            "kinds": Counter(device["kind"] for device in devices),
            "drafts": [run for run in items if run["state"] != "issued"],
            "blocking": sum(len(run["blocking"]) for run in items if run["state"] == "draft")}


async def all_devices(desk: Desk, site_id: str) -> list[dict[str, Any]]:
    """Every device of the site, page by page."""
    devices: list[dict[str, Any]] = []
    cursor = ""
    while True:
        found = await desk.get_or_say(f"/v1/sites/{site_id}/devices", limit=_DEVICES_A_PAGE,
                                      cursor=cursor)
        devices += found["devices"] if found else []
        if not found or found["next_cursor"] is None:
            return devices
        cursor = found["next_cursor"]

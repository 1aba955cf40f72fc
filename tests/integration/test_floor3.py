"""A real floor whose sub-meters read more than the floor: shared with its sign, and reported."""

from datetime import date
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from seatwatt.billing.apportion import apportion
from seatwatt.billing.result import Apportionment
from seatwatt.contract.devices import Device
from seatwatt.contract.intervals import IntervalGrid, local_midnight_ms
from seatwatt.contract.leases import Lease, Tenant
from seatwatt.contract.meters import Node, Share
from seatwatt.contract.rules import Rule
from seatwatt.contract.site import Site, Zone
from seatwatt.metering import RegisterColumn, site_energy
from tests.shared import shared

KOLKATA = ZoneInfo("Asia/Kolkata")
JUNE = IntervalGrid.between(local_midnight_ms(date(2014, 6, 3), KOLKATA),
                            local_midnight_ms(date(2014, 7, 1), KOLKATA), 1800, KOLKATA)
METERS = {"mains": "plant/mains", "floor3": "floor3/board", "light3": "floor3/light",
          "ups_sockets3": "floor3/ups-sockets"}


def device(name: str) -> Device:
    return Device.parse(METERS[name], kind="meter")


def register(name: str) -> RegisterColumn:
    times, values = np.loadtxt(shared(f"data/combed/{name}_energy.csv.gz"), delimiter=",").T
    return RegisterColumn(times.astype(np.int64), values)


@pytest.fixture(scope="module")
def result() -> Apportionment:
    site = Site(
        id="block", name="Block", time_zone=KOLKATA, currency="INR",
        zones=(Zone(name="floor3", seats=("001", "002")), Zone(name="plant")),
        nodes=(Node(device=device("mains"), source="grid"),
               Node(device=device("floor3"), share=Share(rule="seats")),
               Node(device=device("light3"), parent=device("floor3"), share=Share(rule="seats")),
               Node(device=device("ups_sockets3"), parent=device("floor3"),
                    share=Share(rule="fixed", weights=(("beta", 1),)))),
        tenants=(Tenant(id="alpha"), Tenant(id="beta")),
        leases=(Lease(tenant="alpha", seats=(("floor3", "001"),), from_=date(2014, 6, 1)),))
    registers = {(device(name), "energy_import"): register(name) for name in METERS}
    return apportion(site, JUNE, site_energy(site, JUNE, registers))


def kwh(milliwh: np.ndarray) -> float:
    return round(int(milliwh.sum()) / 1e6, 3)


def test_the_residual_keeps_its_sign(result: Apportionment) -> None:
    residuals = {node.node: kwh(node.residual_milliwh) for node in result.nodes}
    # 1,736.003 - 1,460.042 - 1,262.356, and 18,134.232 - 1,736.003.
    assert residuals == {"meter/floor3/light": 1460.042, "meter/floor3/ups-sockets": 1262.356,
                         "meter/floor3/board": -986.395, "supply": 16398.229}


def test_it_is_reported_every_day(result: Apportionment) -> None:
    found = [finding for finding in result.findings if finding.rule is Rule.B01]
    assert [finding.subject for finding in found] == ["meter/floor3/board"] * 28
    assert (found[0].from_ms, found[-1].to_ms) == (JUNE.start_ms, JUNE.end_ms)
    assert found[0].detail.endswith("in 48 intervals")


def test_the_parties_add_up_to_the_mains(result: Apportionment) -> None:
    assert kwh(result.energy_milliwh) == 18_134.232
    assert np.array_equal(result.energy_milliwh.sum(axis=1), result.supply_milliwh[0])
    shared_kwh = {party: kwh(result.shared_milliwh[:, at])
                  for at, party in enumerate(result.parties)}
    # Alpha and the vacant seat halve light and residual, beta has the sockets: half of 473.647.
    assert shared_kwh["beta"] == 1262.356
    assert shared_kwh["alpha"] == pytest.approx(236.8235, abs=0.001)
    assert kwh(result.shared_milliwh) == 1736.003

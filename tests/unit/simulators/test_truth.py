"""What metering and billing make of a simulated site is what was simulated, faults or not."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import numpy as np
import pytest

from seatwatt.contract.devices import Device
from seatwatt.contract.quantities import Nature
from seatwatt.contract.site import Site
from seatwatt.settlement.settle import Settlement, settle
from seatwatt.simulators import faults
from seatwatt.simulators.faults import Delivery
from seatwatt.simulators.messages import messages
from seatwatt.simulators.sampling import Pace, Sampler
from seatwatt.simulators.world import World
from seatwatt.store.recording import Message, load_recordings, write_recording
from seatwatt.store.sitefiles import load_site
from tests.shared import ROOT

DAY_MS = 86_400_000
PACE = Pace(seat_s=300, node_s=300, state_s=3600)
SINCE = date(2026, 10, 6)


@pytest.fixture(scope="module")
def world() -> World:
    return World(load_site(ROOT / "examples" / "e-rozgar.yaml"), 4, SINCE)


@pytest.fixture(scope="module")
def clean(world: World) -> Delivery:
    """Four days delivered as they were taken."""
    return delivered(world, [])


@pytest.fixture(scope="module")
def found(world: World, clean: Delivery, tmp_path_factory: pytest.TempPathFactory) -> Settlement:
    """What the two middle days of it settle to."""
    return settled(world.site, clean, tmp_path_factory.mktemp("clean"), world.since_ms + DAY_MS)


def settled(site: Site, delivery: Delivery, folder: Path, start_ms: int) -> Settlement:
    """Two days from `start_ms` out of a recording of what was delivered."""
    file, batch = folder / "days.ndjson", delivery.batch
    count = write_recording(file, (
        Message(delivery.received_at_ms[row], topic, payload) for row in range(len(batch))
        for _, topic, payload in messages(batch.part(row, row + 1), site.id, 0)))
    assert count == len(batch)
    recording = load_recordings([file], site.id)
    # Only a clock that runs ahead is refused.
    assert {message.rule.name for message in recording.quarantined} <= {"T07"}
    return settle(site, recording, start_ms, start_ms + 2 * DAY_MS)


def delivered(world: World, plan: list[faults.Fault]) -> Delivery:
    batch = Sampler(world).readings(world.since_ms, world.since_ms + 4 * DAY_MS, PACE)
    return faults.deliver(batch, plan)


def truth(world: World) -> dict[Device, np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Milliwatt-hours of each import register in the two middle days."""
    start_ms = world.since_ms + DAY_MS
    return {device: row for (device, name), row in
            world.energy(start_ms, start_ms + 2 * DAY_MS, 1800).items()
            if name != "energy_export"}


def test_without_faults_every_interval_is_what_was_simulated(world: World, found: Settlement
                                                            ) -> None:
    grid = Device("meter", "plant", "grid")
    for device, simulated in truth(world).items():
        if device == grid:
            continue  # settled as import minus export
        step = 100 if device.kind == "seat" else 1000
        assert np.abs(found.energies[device].energy_milliwh - simulated).max() <= step
    result = found.apportionment
    assert not any(finding.blocks for finding in result.findings)
    assert int(result.energy_milliwh.sum()) == int(result.supply_milliwh.sum())


def test_tenants_pay_for_what_their_people_drew(world: World, found: Settlement) -> None:
    """A tenant's direct energy is its seats' simulated energy while it held them."""
    result = found.apportionment
    direct = dict(zip(result.parties, result.direct_milliwh.sum(axis=0).tolist(), strict=True))
    for tenant, zone in (("potohar-apps", "office-1"), ("rohtas-labs", "office-2")):
        simulated = sum(int(row.sum()) for device, row in truth(world).items()
                        if device.kind == "seat" and device.zone == zone)
        assert abs(direct[tenant] - simulated) <= 6 * 100


def test_with_every_fault_the_registers_totals_are_still_found(world: World, clean: Delivery,
                                                               tmp_path: Path) -> None:
    devices = sorted({series.device for series in clean.batch.series
                      if series.quantity.nature is Nature.REGISTER
                      and series.device.kind == "seat"})
    start_ms = world.since_ms + DAY_MS
    plan = faults.plan(devices, start_ms, start_ms + 2 * DAY_MS, PACE.seat_s, 9, 30)
    assert {fault.kind for fault in plan} == set(faults.KINDS)
    delivery = delivered(world, plan)
    site = replace(world.site, exchanges=tuple(delivery.exchanges))
    found = settled(site, delivery, tmp_path, start_ms)
    result, simulated = found.apportionment, truth(world)
    assert int(result.energy_milliwh.sum()) == int(result.supply_milliwh.sum())
    for fault in plan:
        total = int(found.energies[fault.device].energy_milliwh.sum())
        assert abs(total - int(simulated[fault.device].sum())) <= 1000, fault
    rules = {(finding.rule.name, finding.subject) for finding in result.findings}
    for kind, rule in (("spike", "R03"), ("dip", "R04"), ("reset", "R06")):
        for fault in plan:
            if fault.kind == kind:
                assert (rule, str(fault.device)) in rules

"""Every configuration in docs/devices.md can be used as it stands."""

import re
from pathlib import Path

import pytest

from seatwatt.gateway.config_file import load_gateway
from tests.shared import ROOT

BLOCKS = re.findall(r"```yaml\n(.*?)```", (ROOT / "docs" / "devices.md").read_text(), re.DOTALL)
HEAD = "gateway: gw-1\nsite: two-tenants\nzone: plant\ntime_zone: Asia/Karachi\n"
CONFIGS = [block for block in BLOCKS if "devices:" in block]


@pytest.mark.parametrize("block", CONFIGS, ids=range(len(CONFIGS)))
def test_the_configuration_loads_without_a_problem(block: str, tmp_path: Path) -> None:
    (own,) = (one for one in BLOCKS if one.startswith("# acme.yaml"))
    (tmp_path / "acme.yaml").write_text(own)
    path = tmp_path / "gateway.yaml"
    path.write_text(block if "gateway:" in block else HEAD + block)
    config = load_gateway(path)
    assert config.problems == ()
    assert len(config.devices) == block.count("device: ")


def test_the_page_shows_every_driver() -> None:
    shown = set(re.findall(r"driver: (\w+)", "".join(CONFIGS)))
    assert shown == {"modbus", "nut", "snmp", "tasmota", "shelly", "zigbee2mqtt", "uplink"}


def test_a_model_of_your_own_takes_ten_lines() -> None:
    (own,) = (one for one in BLOCKS if one.startswith("# acme.yaml"))
    assert len(own.splitlines()) - 1 <= 10

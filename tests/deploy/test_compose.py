"""The compose file against its specification and against the code it starts."""

import re
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import yaml

from seatwatt.cli import COMMANDS, settings
from seatwatt.gateway.config_file import load_gateway
from tests.grafana.files import provisioning
from tests.shared import ROOT

Json = dict[str, Any]
TEXT = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PUBLISHED = {"grafana": ["3000:3000"], "api": ["8000:8000"], "mosquitto": ["8883:8883"]}
OURS = ("ingest", "api", "gateway", "simulated")
_VARIABLE = re.compile(r"\$\{(\w+)(?::([-?])([^}]*))?\}")


def interpolated(values: dict[str, str]) -> Json:
    """The file as compose reads it: variables filled in, merges applied."""

    def value(match: re.Match[str]) -> str:
        name, kind, other = match.groups()
        return values.get(name) or (other if kind == "-" else "unset")

    document: Json = yaml.safe_load(_VARIABLE.sub(value, TEXT))
    return document


FILE = interpolated({"SEATWATT_UID": "10001", "SEATWATT_GID": "10001"})
SERVICES: dict[str, Json] = FILE["services"]


def mounts(service: Json) -> dict[str, str]:
    """Target -> source."""
    found = {}
    for each in service.get("volumes", []):
        if isinstance(each, str):
            source, target, *_ = each.split(":")
            found[target] = source
        else:
            found[each["target"]] = each["source"]
    return found


def test_it_is_a_compose_file() -> None:
    parsed = compose_spec.PyCompose.from_yaml(yaml.safe_dump(FILE))
    parsed.validate()
    assert set(parsed.service_names()) == set(SERVICES)


def test_the_check_refuses_a_misspelt_key() -> None:
    wrong = yaml.safe_dump(FILE).replace("mem_limit:", "mem_limt:")
    with pytest.raises(ValueError, match="mem_limt"):
        compose_spec.PyCompose.from_yaml(wrong)


@pytest.mark.parametrize("name", list(SERVICES))
def test_each_service_is_bounded_and_unprivileged(name: str) -> None:
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in service["security_opt"]
    assert service["mem_limit"]
    assert service.get("ports", []) == PUBLISHED.get(name, [])
    if name == "volumes":
        # It gives the volumes away and ends: one capability, no network.
        assert (service["cap_add"], service["network_mode"]) == (["CHOWN"], "none")
    else:
        assert service["user"] == "10001:10001"
        assert service["restart"] == "unless-stopped"
        assert "cap_add" not in service


@pytest.mark.parametrize("name", [name for name in SERVICES
                                  if name not in ("volumes", "gateway", "simulated")])
def test_each_service_that_stays_has_a_health_check(name: str) -> None:
    assert SERVICES[name]["healthcheck"]["test"][0] in ("CMD", "CMD-SHELL")


def test_images_are_pinned() -> None:
    images = {service["image"] for service in SERVICES.values() if "build" not in service}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE))
    assert all(re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", image) for image in images), images


@pytest.mark.parametrize("name", OURS)
def test_commands_and_settings_exist(name: str) -> None:
    service = SERVICES[name]
    assert service["command"][0] in COMMANDS
    known = {setting.upper() for group in settings.groups()
             for setting, _, _ in settings.own_settings(group)}
    known = {one if one.startswith("SEATWATT_") else f"SEATWATT_{one}" for one in known}
    example = (ROOT / ".env.example").read_text()
    for variable, value in service["environment"].items():
        plain = variable.removesuffix("_FILE") if variable not in known else variable
        assert plain in known, variable
        assert f"{plain}=" in example
        if variable.endswith("_FILE"):
            assert str(Path(value).parent) in mounts(service), f"{variable} is not mounted"


def test_state_lies_on_volumes() -> None:
    for name, setting in (("ingest", "SEATWATT_INGEST_STATE"),
                          ("gateway", "SEATWATT_GATEWAY_SPOOL")):
        path = Path(SERVICES[name]["environment"][setting])
        assert {str(path), str(path.parent)} & set(mounts(SERVICES[name]))
    named = {each["source"] for service in SERVICES.values() for each in service.get("volumes", [])
             if isinstance(each, dict)}
    given = set(mounts(SERVICES["volumes"]).values())
    assert named == given == set(FILE["volumes"])


def test_addresses_agree() -> None:
    environments = {name: SERVICES[name]["environment"] for name in OURS}
    for environment in environments.values():
        assert environment["SEATWATT_MQTT_HOST"] in SERVICES
        assert environment["SEATWATT_MQTT_PORT"] in ("8883", "8884")
    for name in ("ingest", "api"):
        store = environments[name]["SEATWATT_STORE_URL"]
        assert store == "http://influxdb:8086/" + SERVICES["influxdb"]["environment"]["INFLUXDB_DB"]
        postgres = SERVICES["postgres"]["environment"]
        assert environments[name]["SEATWATT_LEDGER_URL"] == (
            f"postgresql+psycopg://{postgres['POSTGRES_USER']}:{postgres['POSTGRES_PASSWORD']}"
            f"@postgres:5432/{postgres['POSTGRES_DB']}")
        assert environments[name]["SEATWATT_STORE_USER"] \
            == SERVICES["influxdb"]["environment"]["INFLUXDB_USER"]
    assert "9100" in str(SERVICES["ingest"]["healthcheck"])
    assert environments["ingest"]["SEATWATT_INGEST_METRICS_PORT"] == "9100"


def test_grafana_finds_what_is_provisioned() -> None:
    grafana = SERVICES["grafana"]
    assert mounts(grafana)["/etc/grafana/provisioning"] == "./grafana/provisioning"
    [provider] = provisioning("dashboards")[0]["providers"]
    folder = provider["options"]["path"]
    assert mounts(grafana)[folder] == "./grafana/dashboards"
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]
    assert (ROOT / "grafana/dashboards" / Path(home).relative_to(folder)).exists()
    used = set(re.findall(r"\$\{(\w+)\}", "".join(
        path.read_text() for path in (ROOT / "grafana/provisioning").rglob("*.yaml"))))
    assert used - {"zone", "site"} <= set(grafana["environment"])
    assert grafana["environment"]["INFLUXDB_USER"] \
        == SERVICES["influxdb"]["environment"]["INFLUXDB_READ_USER"]


def test_every_bind_is_there_or_made_by_make_env() -> None:
    for name, service in SERVICES.items():
        for source in mounts(service).values():
            if source.startswith("./") and not source.startswith("./secrets/"):
                assert (ROOT / source).exists(), f"{name}: {source}"


def test_the_image_holds_what_commands_name() -> None:
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE))
    assert copied == {"requirements-uv.txt requirements.txt", "examples", "seatwatt"}
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in " ".join(copied).split():
        assert f"!{name}" in allowed
        assert (ROOT / name).exists()
    assert "--require-hashes -r requirements-uv.txt" in DOCKERFILE
    assert "--require-hashes --python" in DOCKERFILE
    site = SERVICES["simulated"]["command"][2]
    assert (ROOT / site).exists()


def test_the_gateways_example_can_be_loaded() -> None:
    told = load_gateway(ROOT / "deploy/gateway.yaml")
    account = f"gateway.{told.site}.{told.zone}.{told.gateway}"
    assert SERVICES["gateway"]["environment"]["SEATWATT_MQTT_USER"] == account

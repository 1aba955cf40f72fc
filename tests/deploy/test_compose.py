"""The compose file against its specification and against the code it starts."""

import importlib
import itertools
import os
import re
import shutil
import subprocess
import tempfile
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import compose_spec
import pytest
import typer
import yaml

from seatwatt.cli import COMMANDS, settings
from seatwatt.cli._simulated_devices import place
from seatwatt.gateway.config_file import load_gateway
from seatwatt.settings import BrokerSettings
from seatwatt.simulators.devices import nut, snmp
from seatwatt.simulators.world import World
from seatwatt.store.sitefiles import load_site
from tests.grafana.files import provisioning
from tests.servers import postgresql
from tests.shared import ROOT

Json = dict[str, Any]
TEXT = (ROOT / "docker-compose.yml").read_text()
DOCKERFILE = (ROOT / "Dockerfile").read_text()
PUBLISHED = {"grafana": ["3000:3000"], "api": ["8000:8000"], "mosquitto": ["8883:8883"]}
OURS = ("ingest", "api", "gateway", "demo-site", "demo-devices", "demo-gateway")
ONCE = ("volumes", "demo-site")
TOOLS = {"mosquitto": "netstat", "influxdb": "curl", "postgres": "pg_isready", "grafana": "curl",
         "ingest": "python", "api": "python", "gateway": "find", "demo-gateway": "find",
         "demo-devices": "test"}
"""What each health check runs: busybox of Alpine 3.21 (eclipse-mosquitto), buildpack-deps:curl
(influxdb), PostgreSQL's own, curl of Grafana's Alpine image, and ours on Debian slim."""
STAGES = re.findall(r"^FROM \S+ AS (\w+)", DOCKERFILE, re.MULTILINE)
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
    assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
    if name == "volumes":
        # It gives the volumes away and ends: one capability, no network.
        assert (service["cap_add"], service["network_mode"]) == (["CHOWN"], "none")
    else:
        assert service["user"] == "10001:10001"
        assert "cap_add" not in service


def test_each_service_that_stays_has_a_health_check_that_its_image_can_run() -> None:
    checks = {name: service["healthcheck"]["test"] for name, service in SERVICES.items()
              if "healthcheck" in service}
    assert set(checks) == set(SERVICES) - set(ONCE)
    for name, (kind, command, *_) in checks.items():
        assert kind in ("CMD", "CMD-SHELL")
        assert command.split()[0] == TOOLS[name]


def test_a_database_is_not_healthy_before_it_is_initialised() -> None:
    """At their first start the images run a server that only the machine itself reaches, make
    users and databases, and start again. Who is let in meanwhile fails, and one of them runs
    once: the demonstration's site."""
    [_, check] = SERVICES["influxdb"]["healthcheck"]["test"]
    assert "http://influxdb:8086/ping" in check
    [_, check] = SERVICES["postgres"]["healthcheck"]["test"]
    folder = Path(tempfile.mkdtemp(prefix="seatwatt-health-"))
    server = postgresql(folder)
    env = {**os.environ, "PGPORT": str(server.port), "PGHOST": str(folder)}
    command = list(server.command)

    def holds(shell: str) -> bool:
        return subprocess.run(["sh", "-c", shell], env=env, capture_output=True,
                              check=False).returncode == 0

    server.ready = partial(holds, "pg_isready")
    try:
        for addresses, healthy in (("", False), ("127.0.0.1", True)):
            server.command = [addresses if word == "127.0.0.1" else word for word in command]
            server.start()
            assert holds(check) is healthy
            server.stop()
    finally:
        server.stop()
        shutil.rmtree(folder)


def test_who_is_waited_for_can_be_healthy_or_ends() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            wanted = "service_completed_successfully" if other in ONCE else "service_healthy"
            assert how == {"condition": wanted}, (name, other)
            assert set(SERVICES[other].get("profiles", [])) <= set(service.get("profiles", []))


def test_images_are_pinned() -> None:
    images = {service["image"] for service in SERVICES.values() if "build" not in service}
    images |= set(re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)) - set(STAGES)
    assert all(re.search(r":\d+\.\d+(\.\d+)?(-\w+)*$", image) for image in images), images


def test_the_demonstration_reaches_nothing_outside() -> None:
    internal = {name for name, network in FILE["networks"].items() if network.get("internal")}
    for name in ("demo-site", "demo-devices", "demo-gateway"):
        assert set(SERVICES[name]["networks"]) <= internal
        assert SERVICES[name]["profiles"] == ["demo"]


@pytest.mark.parametrize("name", OURS)
def test_commands_and_settings_exist(name: str) -> None:
    service = SERVICES[name]
    command = service["command"][0]
    assert command in COMMANDS
    _parsed(command, service["command"][1:])
    known = {setting.upper() for group in settings.groups()
             for setting, _, _ in settings.own_settings(group)}
    known = {one if one.startswith("SEATWATT_") else f"SEATWATT_{one}" for one in known}
    example = (ROOT / ".env.example").read_text()
    for variable, value in service.get("environment", {}).items():
        plain = variable.removesuffix("_FILE") if variable not in known else variable
        assert plain in known, variable
        assert f"{plain}=" in example
        if variable.endswith("_FILE"):
            assert str(Path(value).parent) in mounts(service), f"{variable} is not mounted"


def _parsed(name: str, words: list[str]) -> None:
    """Options and arguments are read as the command itself reads them; it is not run."""
    module = importlib.import_module(COMMANDS[name][0])
    typer.main.get_command(module.app).make_context(name, list(words))


def test_state_lies_on_volumes() -> None:
    for name, setting in (("ingest", "SEATWATT_INGEST_STATE"),
                          ("gateway", "SEATWATT_GATEWAY_SPOOL"),
                          ("demo-gateway", "SEATWATT_GATEWAY_SPOOL")):
        path = Path(SERVICES[name]["environment"][setting])
        assert {str(path), str(path.parent)} & set(mounts(SERVICES[name]))
    named = {each["source"] for service in SERVICES.values() for each in service.get("volumes", [])
             if isinstance(each, dict)}
    given = set(mounts(SERVICES["volumes"]).values())
    assert named == given == set(FILE["volumes"])


def test_addresses_agree() -> None:
    environments = {name: SERVICES[name].get("environment", {}) for name in OURS}
    for name in ("ingest", "api", "gateway", "demo-gateway"):
        door = "8883" if "gateway" in name else "8884"
        assert environments[name]["SEATWATT_MQTT_PORT"] == door
        assert environments[name]["SEATWATT_MQTT_HOST"] == "mosquitto"
        assert set(SERVICES[name]["networks"]) & set(SERVICES["mosquitto"]["networks"])
    for name in ("ingest", "api", "demo-site"):
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


def test_alerts_leave_by_a_mail_server_that_asks_who_sends() -> None:
    """Few relays take mail without a user, or from an address that nobody can answer."""
    made = interpolated({"SMTP_ENABLED": "true", "SMTP_HOST": "mail.example:587",
                         "SMTP_USER": "seatwatt", "SMTP_PASSWORD": "se:cret",
                         "SMTP_FROM": "power@example.org"})["services"]["grafana"]["environment"]
    assert {name: made[f"GF_SMTP_{name}"] for name in (
        "ENABLED", "HOST", "USER", "PASSWORD", "FROM_ADDRESS")} == {
            "ENABLED": "true", "HOST": "mail.example:587", "USER": "seatwatt",
            "PASSWORD": "se:cret", "FROM_ADDRESS": "power@example.org"}


def test_every_bind_is_there_or_made_by_make_env() -> None:
    for name, service in SERVICES.items():
        for source in mounts(service).values():
            if source.startswith("./") and not source.startswith("./secrets/"):
                assert (ROOT / source).exists(), f"{name}: {source}"


def test_the_dockerfile_has_a_stage_for_each_service_and_ends_unprivileged() -> None:
    assert STAGES == ["build", "service", "devices"]
    for service in SERVICES.values():
        if "build" in service:
            assert service["build"]["target"] in STAGES
            assert (ROOT / service["build"]["dockerfile"]).exists()
            assert service["image"].startswith("seatwatt")
    # No secret, no remote file, no shell of root's at the end of any stage that runs.
    assert not re.search(r"^(ADD|ARG)\b", DOCKERFILE, re.MULTILINE)
    for stage in re.split(r"^FROM ", DOCKERFILE, flags=re.MULTILINE)[2:4]:
        assert re.findall(r"^USER (\S+)", stage, re.MULTILINE)[-1] == "10001:10001"
    assert DOCKERFILE.rstrip().endswith("FROM service")


def test_the_image_holds_what_commands_name() -> None:
    copied = set(re.findall(r"^COPY (?!--)(.+) \S+$", DOCKERFILE, re.MULTILINE))
    assert copied == {"requirements-uv.txt requirements.txt", "examples", "seatwatt"}
    allowed = (ROOT / ".dockerignore").read_text().splitlines()
    for name in " ".join(copied).split():
        assert f"!{name}" in allowed
        assert (ROOT / name).exists()
    assert "--require-hashes -r requirements-uv.txt" in DOCKERFILE
    assert "--require-hashes --python" in DOCKERFILE
    command = SERVICES["demo-devices"]["command"]
    site = command[command.index("--site") + 1]
    assert (ROOT / site).exists()
    assert SERVICES["demo-site"]["command"] == ["site", "apply", site]
    for package in (nut.PACKAGE, snmp.PACKAGE):
        assert re.search(rf"apt-get install .*\b{package}\b", DOCKERFILE)


def test_the_demonstrations_gateway_reads_what_the_devices_wrote() -> None:
    devices, gateway = SERVICES["demo-devices"], SERVICES["demo-gateway"]
    options = dict(itertools.pairwise(devices["command"]))
    host, _, port = options["--at"].partition(":")
    assert host == "demo-devices"
    assert place(options["--at"], BrokerSettings()).first_port == int(port)
    assert gateway["command"] == ["gateway", "run", options["--out"]]
    folder = str(Path(options["--out"]).parent)
    assert mounts(gateway)[folder] == mounts(devices)[folder] == "demo-devices"
    assert options["--out"] in devices["healthcheck"]["test"][1]
    site = load_site(ROOT / options["--site"])
    world = World(site, 1, date(2026, 1, 1))
    zone = world.layout.sources[0].device.zone
    account = f"gateway.{site.id}.{zone}.gw-1"
    assert gateway["environment"]["SEATWATT_MQTT_USER"] == account
    assert Path(mounts(gateway)["/run/seatwatt/gateway"]).name == account


def test_the_gateways_example_can_be_loaded() -> None:
    told = load_gateway(ROOT / "deploy/gateway.yaml")
    account = f"gateway.{told.site}.{told.zone}.{told.gateway}"
    assert SERVICES["gateway"]["environment"]["SEATWATT_MQTT_USER"] == account

"""Provisioning as files: what is made, what a second run keeps, who may read it."""

import base64
import hashlib
import stat
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seatwatt.cli import main
from seatwatt.contract.errors import InputError
from seatwatt.contract.topics import Topic
from seatwatt.provision.access import INGEST, OPERATOR, Door, access_list, account, gateway
from seatwatt.provision.accounts import listed, provision_broker, provision_client, revoke
from seatwatt.provision.broker import BrokerPlan, certified_hosts, configuration
from seatwatt.provision.certificates import expires_at, hosts_of
from seatwatt.provision.folder import ProvisionFolder
from seatwatt.provision.passwords import hashed, new_password, parse, render
from tests.shared import ROOT

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
OWN = gateway("peshawar", "plant", "gw-1")
names = st.from_regex(r"[a-z0-9][a-z0-9-]{0,39}", fullmatch=True)


def made(root: Path, **changed: object) -> tuple[ProvisionFolder, BrokerPlan]:
    folder = ProvisionFolder(root / "secrets")
    plan = BrokerPlan(**{"at": str(folder.broker), "data": str(folder.broker / "data"), **changed})
    provision_broker(folder, plan, NOW)
    return folder, plan


def contents(folder: ProvisionFolder) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.root.rglob("*") if path.is_file()}


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    folder, plan = made(tmp_path)
    assert provision_client(folder, OWN, NOW).password
    before = contents(folder)
    again = provision_broker(folder, plan, NOW + timedelta(days=1))
    assert not again.is_new
    kept = provision_client(folder, OWN, NOW + timedelta(days=1))
    assert (kept.is_new, kept.password) == (False, "")
    assert kept.expires == NOW + timedelta(days=825)
    assert contents(folder) == before


def test_rotating_makes_new_secrets_under_the_same_authority(tmp_path: Path) -> None:
    folder, plan = made(tmp_path)
    first = provision_client(folder, OWN, NOW).password
    before = contents(folder)
    assert provision_broker(folder, plan, NOW, rotate=True).is_new
    second = provision_client(folder, OWN, NOW, rotate=True).password
    assert first != second
    changed = {path.name for path, text in contents(folder).items() if before[path] != text}
    assert changed == {"server.pem", "server.key", "client.pem", "client.key", "password",
                       "gateways.passwords"}


def test_everything_is_its_owners_alone(tmp_path: Path) -> None:
    folder, _ = made(tmp_path / "not" / "yet" / "there")
    provision_client(folder, OWN, NOW)
    for path in (folder.root, *folder.root.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


def test_no_password_is_kept_beside_the_broker(tmp_path: Path) -> None:
    folder, _ = made(tmp_path)
    password = provision_client(folder, OWN, NOW).password.encode()
    holding = [path for path, text in contents(folder).items() if password in text]
    assert holding == [folder.client(OWN.name) / "password"]


def test_the_certificate_is_for_the_hosts_and_this_machine(tmp_path: Path) -> None:
    folder, plan = made(tmp_path, hosts=("broker.local", "192.0.2.7", "2001:db8::1"))
    pair = folder.pair(folder.broker, "server")
    assert pair is not None
    assert hosts_of(pair.certificate) == [*plan.hosts, "localhost", "127.0.0.1"]
    assert expires_at(pair.certificate) == NOW + timedelta(days=825)
    with pytest.raises(InputError, match=r"--host: the certificate that is there is for broker\."):
        provision_broker(folder, BrokerPlan(hosts=("other",), at=plan.at, data=plan.data), NOW)
    with pytest.raises(InputError, match="neither a name nor an address"):
        made(tmp_path / "b", hosts=("no host",))


def test_a_revoked_account_is_gone_from_both_files(tmp_path: Path) -> None:
    folder, _ = made(tmp_path)
    for who in (OWN, INGEST):
        provision_client(folder, who, NOW)
    assert [name for name, _ in listed(folder)] == [OWN.name, "ingest"]
    revoke(folder, OWN.name)
    assert [name for name, _ in listed(folder)] == ["ingest"]
    for kind in ("access", "passwords"):
        assert OWN.name not in (folder.broker / f"gateways.{kind}").read_text()
    with pytest.raises(InputError, match="it has no password here"):
        revoke(folder, OWN.name)


def test_there_is_no_client_without_a_broker(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no broker was made here"):
        provision_client(ProvisionFolder(tmp_path), OWN, NOW)


@given(names, names, names)
def test_an_accounts_name_tells_its_rights(site: str, zone: str, name: str) -> None:
    who = gateway(site, zone, name)
    assert account(who.name) == who
    assert {topic for how, topic in who.may if how == "read"} == {
        str(Topic(site, "receipt", zone, name))}
    assert all(topic.startswith(f"seatwatt/v1/{site}/") for _, topic in who.may)
    assert ("write", str(Topic(site, "pack", zone, name))) in who.may


@pytest.mark.parametrize("name", ["", "admin", "gateway.a.b", "gateway.a.b.c.d", "gateway.+.b.c",
                                  "gateway.a.#.c", "gateway.A.b.c", "xgateway.a.b.c"])
def test_other_names_are_no_accounts(name: str) -> None:
    with pytest.raises(InputError):
        account(name)


@given(st.text(min_size=1, max_size=40))
def test_a_password_hashes_as_mosquitto_has_it(password: str) -> None:
    _, kind, rounds, salt, digest = hashed(password).split("$")
    assert kind == "7"
    assert base64.b64decode(digest) == hashlib.pbkdf2_hmac(
        "sha512", password.encode(), base64.b64decode(salt), int(rounds), 64)
    assert len(base64.b64decode(salt)) == 12


def test_password_files_are_read_back_and_checked() -> None:
    users = {"b": hashed("1"), "a": hashed("2")}
    assert parse(render(users), "file") == users
    assert len({new_password() for _ in range(100)}) == 100
    with pytest.raises(InputError, match="file:2: it is no line of a password file"):
        parse(f"a:{users['a']}\nb:plain\n", "file")


@pytest.mark.parametrize("changed", [{"port": 8884}, {"services_port": 0}, {"hosts": ()},
                                     {"plain_port": 8883}, {"bind": "a\nallow_anonymous true"}])
def test_a_plan_that_cannot_be_is_refused(changed: dict[str, object]) -> None:
    with pytest.raises(InputError):
        BrokerPlan(**{"at": "a", "data": "d", **changed})


def test_the_files_shown_in_deploy_are_what_is_made() -> None:
    shown = ROOT / "deploy" / "mosquitto" / "example"
    plan = BrokerPlan(at="/etc/mosquitto/seatwatt", data="/var/lib/mosquitto")
    assert (shown / "mosquitto.conf").read_text() == configuration(plan)
    assert (shown / "gateways.access").read_text() == access_list([OWN])
    assert (shown / "services.access").read_text() == access_list([INGEST, OPERATOR])
    assert certified_hosts(plan) == ("localhost", "127.0.0.1")
    assert {who.door for who in (INGEST, OPERATOR)} == {Door.SERVICES}


def seatwatt(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    monkeypatch.setattr(sys, "argv", ["seatwatt", "provision", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


def test_the_command_shows_a_password_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                           capsys: pytest.CaptureFixture[str]) -> None:
    out = str(tmp_path / "secrets")
    assert seatwatt(monkeypatch, "broker", "--out", out, "--host", "b.local", "--user", "") == 0
    assert "certificate ends" in capsys.readouterr().out
    client = ("gateway", "peshawar", "plant", "gw-1", "--out", out)
    assert seatwatt(monkeypatch, *client, "--at", "/etc/seatwatt") == 0
    home = tmp_path / "secrets" / "clients" / OWN.name
    password = (home / "password").read_text().strip()
    assert f"shown this once: {password}\n" in capsys.readouterr().out
    assert (home / "client.env").read_text().splitlines() == [
        "SEATWATT_MQTT_HOST=b.local", "SEATWATT_MQTT_PORT=8883", f"SEATWATT_MQTT_USER={OWN.name}",
        "SEATWATT_MQTT_PASSWORD_FILE=/etc/seatwatt/password",
        "SEATWATT_MQTT_CA_FILE=/etc/seatwatt/ca.pem",
        "SEATWATT_MQTT_CERT_FILE=/etc/seatwatt/client.pem",
        "SEATWATT_MQTT_KEY_FILE=/etc/seatwatt/client.key"]
    assert seatwatt(monkeypatch, *client) == 0
    assert password not in capsys.readouterr().out
    assert seatwatt(monkeypatch, "list", "--out", out) == 0
    assert OWN.name in capsys.readouterr().out
    assert seatwatt(monkeypatch, "revoke", OWN.name, "--out", out) == 0
    assert "is let in no more" in capsys.readouterr().out
    assert seatwatt(monkeypatch, "gateway", "a/b", "plant", "gw-1", "--out", out) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_a_broker_for_nobody_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    folder, plan = made(tmp_path)
    before = contents(folder)
    with pytest.raises(InputError, match="cannot be given to 'nobody-here'; expected a user"):
        provision_broker(folder, replace(plan, runs_as="nobody-here"), NOW)
    assert contents(folder) == before


def test_where_no_broker_was_made_there_are_no_accounts_to_list(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no broker was made here"):
        listed(ProvisionFolder(tmp_path / "nofolder"))
    assert not (tmp_path / "nofolder").exists()


def test_settings_of_a_client_in_a_folder_with_blanks_can_be_sourced(tmp_path: Path) -> None:
    folder, _ = made(tmp_path / "our own")
    provision_client(folder, INGEST, NOW)
    home = folder.client("ingest")
    told = subprocess.run(
        ["sh", "-c", 'set -a; . "$1"; printf %s "$SEATWATT_MQTT_CA_FILE"', "sh",
         str(home / "client.env")], capture_output=True, text=True, check=True)
    assert (told.stdout, told.stderr) == (str(home / "ca.pem"), "")

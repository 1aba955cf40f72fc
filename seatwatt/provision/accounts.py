"""Making and remaking the broker and its accounts. A second run changes nothing unless asked."""

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from shlex import quote

from seatwatt.contract.errors import InputError
from seatwatt.provision.access import Account, Door, access_list, account
from seatwatt.provision.broker import BrokerPlan, address_for, certified_hosts, configuration
from seatwatt.provision.certificates import (
    Pair,
    expires_at,
    hosts_of,
    issue_client,
    issue_server,
    make_authority,
)
from seatwatt.provision.folder import ProvisionFolder
from seatwatt.provision.passwords import hashed, new_password, parse, render


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """What a run did. `password` is there once: when it was made."""

    folder: Path
    is_new: bool
    expires: datetime | None
    password: str = ""


def provision_broker(folder: ProvisionFolder, plan: BrokerPlan, now: datetime, *,
                     rotate: bool = False) -> Made:
    """Authority, server certificate, configuration, password files and access lists.

    What is there is kept: `rotate` makes a new server certificate, never a new authority, which
    would shut out every client. InputError when the certificate kept is for other hosts.
    """
    if plan.runs_as:
        folder.check_owner(plan.runs_as)
    authority = folder.pair(folder.ca, "ca")
    if authority is None:
        authority = make_authority("Seatwatt local CA", now)
        folder.write_pair(folder.ca, "ca", authority)
    server = folder.pair(folder.broker, "server")
    is_new = server is None or rotate
    if server is None or rotate:
        server = issue_server(authority, certified_hosts(plan), now)
        folder.write_pair(folder.broker, "server", server)
    elif sorted(hosts_of(server.certificate)) != sorted(certified_hosts(plan)):
        raise InputError("--host", "the certificate that is there is for "
                         + ", ".join(hosts_of(server.certificate)), "the same, or --rotate")
    folder.write(folder.broker / "ca.pem", authority.certificate)
    folder.write(folder.broker / "mosquitto.conf", configuration(plan).encode())
    for door in Door:
        _write_users(folder, door, _users(folder, door))
    folder.keep_plan(plan)
    folder.make(folder.broker / "data")
    if plan.runs_as:
        folder.give_broker_to(plan.runs_as)
    return Made(folder=folder.broker, is_new=is_new, expires=expires_at(server.certificate))


def provision_client(folder: ProvisionFolder, who: Account, now: datetime, *, at: str = "",
                     rotate: bool = False) -> Made:
    """Password and certificate of `who`, whose folder will lie at `at`. Kept when there;
    `rotate` makes both anew. InputError when there is no broker to be a client of."""
    plan, authority = folder.plan(), folder.pair(folder.ca, "ca")
    if plan is None or authority is None:
        raise _no_broker(folder)
    users, home = _users(folder, who.door), folder.client(who.name)
    if who.name in users and not rotate:
        return Made(folder=home, is_new=False, expires=_expiry(folder, home))
    password, pair = new_password(), issue_client(authority, who.name, now)
    _write_client(folder, who, plan, at or str(home), password, pair, authority)
    _write_users(folder, who.door, {**users, who.name: hashed(password)})
    if plan.runs_as:
        folder.give_broker_to(plan.runs_as)
    return Made(folder=home, is_new=True, expires=expires_at(pair.certificate), password=password)


def revoke(folder: ProvisionFolder, name: str) -> None:
    """The broker, told to read its files again, lets `name` in no more. InputError when it did
    not before."""
    who = account(name)
    users = _users(folder, who.door)
    if users.pop(name, None) is None:
        raise InputError(f"account {name!r}", "it has no password here", "one that has")
    _write_users(folder, who.door, users)


def listed(folder: ProvisionFolder) -> list[tuple[str, datetime | None]]:
    """Every account, and when its certificate ends where that lies here. InputError when there is
    no broker to have accounts at."""
    if folder.plan() is None:
        raise _no_broker(folder)
    names = [name for door in Door for name in _users(folder, door)]
    return [(name, _expiry(folder, folder.client(name))) for name in sorted(names)]


def _no_broker(folder: ProvisionFolder) -> InputError:
    return InputError(str(folder.root), "no broker was made here",
                      "`seatwatt provision broker --out` with the same folder first")


def _users(folder: ProvisionFolder, door: Door) -> dict[str, str]:
    path = folder.broker / f"{door.value}.passwords"
    return parse((folder.read(path) or b"").decode(errors="replace"), str(path))


def _write_users(folder: ProvisionFolder, door: Door, users: dict[str, str]) -> None:
    rights = access_list([account(name) for name in users])
    # First what they may do: a password without rights opens nothing, the other way round it might.
    folder.write(folder.broker / f"{door.value}.access", rights.encode())
    folder.write(folder.broker / f"{door.value}.passwords", render(users).encode())


def _expiry(folder: ProvisionFolder, home: Path) -> datetime | None:
    certificate = folder.read(home / "client.pem")
    return expires_at(certificate) if certificate else None


def _write_client(folder: ProvisionFolder, who: Account, plan: BrokerPlan, at: str, password: str,
                  pair: Pair, authority: Pair) -> None:
    home = folder.client(who.name)
    host, port = address_for(plan, who.door)
    settings = {"HOST": host, "PORT": str(port), "USER": who.name,
                "PASSWORD_FILE": f"{at}/password", "CA_FILE": f"{at}/ca.pem"}
    if plan.client_certificates:
        settings |= {"CERT_FILE": f"{at}/client.pem", "KEY_FILE": f"{at}/client.key"}
    lines = "".join(f"SEATWATT_MQTT_{name}={quote(value)}\n" for name, value in settings.items())
    folder.write(home / "ca.pem", authority.certificate)
    folder.write_pair(home, "client", pair)
    folder.write(home / "password", f"{password}\n".encode())
    folder.write(home / "client.env", lines.encode())

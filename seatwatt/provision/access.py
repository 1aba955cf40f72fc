"""Who may read and write which topics, told from the account's name alone."""

from dataclasses import dataclass
from enum import Enum

from seatwatt.contract.devices import KINDS, check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.contract.topics import BROKER_DROPPED, PREFIX, ROOT, Topic


class Door(Enum):
    """The listener an account comes in by; each has password file and access list of its own."""

    GATEWAYS = "gateways"
    SERVICES = "services"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A user of the broker: `may` holds (`read` or `write` or `readwrite`, topic filter)."""

    name: str
    door: Door
    may: tuple[tuple[str, str], ...]


INGEST = Account(name="ingest", door=Door.SERVICES,
                 may=(("read", f"{ROOT}/#"), ("read", BROKER_DROPPED),
                      ("write", f"{PREFIX}/+/receipt/+/+")))
OPERATOR = Account(name="operator", door=Door.SERVICES,
                   may=(("readwrite", f"{ROOT}/#"), ("read", "$SYS/#")))
"""For people: `record`, `replay`, `simulate`, `quarantine replay`, the broker's own figures."""

_GATEWAY = "gateway."


def gateway(site: str, zone: str, name: str) -> Account:
    """A site's gateway: the devices of its site, its own packs and status, its own receipts.

    Another gateway's packs would bring that one receipts for packs it still has to send, and a
    receipt written by a gateway would do the same: neither is allowed.
    """
    for where, given in (("site", site), ("zone", zone), ("gateway", name)):
        check_identifier(where, given)
    pack, status, receipt = (str(Topic(site, channel, zone, name))
                             for channel in ("pack", "status", "receipt"))
    devices = tuple(("write", f"{PREFIX}/{site}/{kind}/+/+") for kind in KINDS)
    return Account(name=f"{_GATEWAY}{site}.{zone}.{name}", door=Door.GATEWAYS,
                   may=(*devices, ("write", pack), ("write", status), ("write", f"{status}/#"),
                        ("read", receipt)))


def account(name: str) -> Account:
    """The account of that name; InputError when no account may be called so."""
    for known in (INGEST, OPERATOR):
        if name == known.name:
            return known
    parts = name.removeprefix(_GATEWAY).split(".")
    if not name.startswith(_GATEWAY) or len(parts) != 3:
        raise InputError(f"account {name!r}", "it is unknown",
                         "ingest, operator or gateway.SITE.ZONE.GATEWAY")
    return gateway(*parts)


def access_list(accounts: list[Account]) -> str:
    """mosquitto's access list: whatever is not named here is refused, and so is who is not."""
    blocks = ["# Made by `seatwatt provision`. What is not listed is refused."]
    blocks += ["\n".join([f"user {each.name}",
                          *(f"topic {how} {where}" for how, where in each.may)])
               for each in sorted(accounts, key=lambda one: one.name)]
    return "\n\n".join(blocks) + "\n"

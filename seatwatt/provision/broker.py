"""mosquitto's configuration (2.0, mosquitto.conf(5)): two doors with TLS, and why each line."""

from dataclasses import dataclass

from seatwatt.contract.errors import InputError
from seatwatt.provision.access import Door

PACKET_BYTES = 2 << 20
"""Above ingest's own limit of 1,000,000, so that what is a little too large ends in quarantine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokerPlan:
    """How the broker is to be reached. `at` is where it will find its folder; `runs_as` the
    user it drops to when started as root, empty for its own choice; `plain_port` 0 for none."""

    hosts: tuple[str, ...] = ("localhost",)
    bind: str = ""
    port: int = 8883
    services_bind: str = "127.0.0.1"
    services_port: int = 8884
    plain_port: int = 0
    client_certificates: bool = True
    at: str
    data: str
    runs_as: str = ""

    def __post_init__(self) -> None:
        ports = [self.port, self.services_port, *([self.plain_port] if self.plain_port else [])]
        if any(not 1 <= port <= 65535 for port in ports) or len(set(ports)) < len(ports):
            raise InputError("ports", f"{ports} cannot be listened on", "different ones to 65535")
        if not self.hosts or not self.hosts[0]:
            raise InputError("--host", "there is none", "a name or an address of the broker")
        for where in (self.at, self.data, self.bind, self.services_bind, self.runs_as):
            if "\n" in where:
                raise InputError("broker", f"{where!r} holds a line break", "none")


LOOPBACK = ("localhost", "127.0.0.1")


def certified_hosts(plan: BrokerPlan) -> tuple[str, ...]:
    """What the server certificate is good for: the plan's hosts, and this machine to itself."""
    return tuple(dict.fromkeys((*plan.hosts, *LOOPBACK)))


def address_for(plan: BrokerPlan, door: Door) -> tuple[str, int]:
    """Host and port that a client of this door is told."""
    if door is Door.GATEWAYS:
        return plan.hosts[0], plan.port
    return (LOOPBACK[1] if plan.services_bind in LOOPBACK else plan.hosts[0]), plan.services_port


def configuration(plan: BrokerPlan) -> str:
    """The text of mosquitto.conf."""
    runs_as = f"user {plan.runs_as}\n\n" if plan.runs_as else ""
    doors = [_door(plan, Door.GATEWAYS, "Gateways of the sites.", plan.bind, plan.port),
             _door(plan, Door.SERVICES, "Ingest and operators.", plan.services_bind,
                   plan.services_port)]
    if plan.plain_port:
        doors.append(_plain(plan))
    return f"# Made by `seatwatt provision broker`: change its options, not this file.\n{runs_as}" \
        f"{_COMMON.format(data=plan.data, packet=PACKET_BYTES)}\n" + "\n".join(doors)


_COMMON = """\
# Each listener has users of its own: a gateway's password opens nothing at the other door.
per_listener_settings true

# Memory only, but written to disk at an orderly end and every minute, so that a restart finds
# ingest's session and what waits in it. A kill loses up to a minute of it: gateways send again
# what has no receipt. More often is no cure: each time the whole file is written anew.
persistence true
persistence_location {data}/
autosave_interval 60
autosave_on_changes false

# 0 is no bound. With one (1000 by default) what is above it is dropped although the publisher was
# told it was taken.
max_queued_messages 0
# How many messages ingest may hold unacknowledged while their readings are written.
max_inflight_messages 1000
# Who sends a larger packet is disconnected. message_size_limit would tell an MQTT 3.1.1 client
# that the message was taken, and drop it.
max_packet_size {packet}

log_dest stderr
log_type error
log_type warning
log_type notice
"""


def _door(plan: BrokerPlan, door: Door, title: str, bind: str, port: int) -> str:
    lines = [f"# {title}", f"listener {port} {bind}".rstrip(), f"certfile {plan.at}/server.pem",
             f"keyfile {plan.at}/server.key", f"cafile {plan.at}/ca.pem", "tls_version tlsv1.2",
             f"require_certificate {str(plan.client_certificates).lower()}", *_users(plan, door)]
    if door is Door.GATEWAYS:
        lines += ["# The client id becomes the user's name, so that nobody can take over the",
                  "# connection, or the session, of another by using its id.",
                  "use_username_as_clientid true"]
    return "\n".join(lines) + "\n"


def _plain(plan: BrokerPlan) -> str:
    lines = ["# Without TLS, for programs on this machine.",
             f"listener {plan.plain_port} 127.0.0.1", *_users(plan, Door.SERVICES)]
    return "\n".join(lines) + "\n"


def _users(plan: BrokerPlan, door: Door) -> list[str]:
    return ["allow_anonymous false", f"password_file {plan.at}/{door.value}.passwords",
            f"acl_file {plan.at}/{door.value}.access"]

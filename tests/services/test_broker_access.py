"""Everything that is forbidden at the broker is tried, on a real mosquitto."""

import signal
import socket
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import paho.mqtt.client as mqtt
import pytest

from seatwatt.contract.topics import BROKER_DROPPED
from seatwatt.provision.access import INGEST, OPERATOR, Account
from seatwatt.provision.accounts import provision_broker, revoke
from seatwatt.provision.certificates import Pair, issue_client, issue_server, make_authority
from seatwatt.provision.passwords import hashed
from tests.servers import free_port
from tests.services.broker_kit import (
    ELSEWHERE,
    EVERYONE,
    NOW,
    OTHER,
    OWN,
    WAIT_S,
    Guest,
    SecureBroker,
)
from tests.services.ingest_kit import until

END = "seatwatt/v1/peshawar/pack/plant/end"
READINGS = "seatwatt/v1/peshawar/meter/plant/grid"
RECEIPT = "seatwatt/v1/peshawar/receipt/plant/gw-1"


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SecureBroker]:
    made = SecureBroker.provisioned(tmp_path_factory.mktemp("broker"), *EVERYONE,
                                    plain_port=0)
    made.server.start()
    yield made
    made.server.stop()


def reaches(broker: SecureBroker, who: Account, topics: list[str]) -> list[str]:
    """Which of `topics` somebody may publish on so that an operator hears it."""
    listener = broker.client(OPERATOR, client_id="listener").connect()
    listener.subscribe("#")
    speaker = broker.client(who, client_id="speaker").connect()
    for topic in topics:
        speaker.publish(topic)
    end = broker.client(OPERATOR, client_id="end").connect()
    end.publish(END)
    heard = listener.heard_until(END)[:-1]
    for each in (listener, speaker, end):
        each.close()
    return heard


def hears(broker: SecureBroker, who: Account, filters: list[str], topics: list[str],
          end: str) -> list[str]:
    """Which of `topics` it gets to hear, whatever it subscribes; `end` is one that it may."""
    listener = broker.client(who, client_id="listener").connect()
    for each in filters:
        listener.subscribe(each)
    speaker = broker.client(OPERATOR, client_id="speaker").connect()
    for topic in [*topics, end]:
        speaker.publish(topic)
    heard = listener.heard_until(end)[:-1]
    for client in (listener, speaker):
        client.close()
    return heard


def test_a_gateway_writes_its_own_site_only(broker: SecureBroker) -> None:
    own = [READINGS, "seatwatt/v1/peshawar/seat/hall-a/017",
           "seatwatt/v1/peshawar/pack/plant/gw-1", "seatwatt/v1/peshawar/status/plant/gw-1",
           "seatwatt/v1/peshawar/status/plant/gw-1/devices"]
    forbidden = ["seatwatt/v1/islamabad/meter/plant/grid", "seatwatt/v1/islamabad/pack/plant/gw-1",
                 "seatwatt/v1/peshawar/pack/plant/gw-2", "seatwatt/v1/peshawar/status/plant/gw-2",
                 RECEIPT, "seatwatt/v1/peshawar/receipt/plant/gw-2", "$SYS/broker/version",
                 "seatwatt/v1", "seatwatt/v2/peshawar/meter/plant/grid", "anything"]
    assert reaches(broker, OWN, own + forbidden) == own


def test_a_gateway_reads_its_own_receipts_only(broker: SecureBroker) -> None:
    forbidden = [READINGS, "seatwatt/v1/peshawar/pack/plant/gw-1",
                 "seatwatt/v1/peshawar/status/plant/gw-1",
                 "seatwatt/v1/peshawar/receipt/plant/gw-2",
                 "seatwatt/v1/islamabad/receipt/plant/gw-1"]
    filters = ["#", "seatwatt/v1/#", "$SYS/#", *forbidden, "$share/thief/seatwatt/v1/#", RECEIPT]
    assert hears(broker, OWN, filters, forbidden, RECEIPT) == []


def test_ingest_reads_all_and_writes_receipts_only(broker: SecureBroker) -> None:
    forbidden = [READINGS, "seatwatt/v1/peshawar/pack/plant/gw-1",
                 "seatwatt/v1/peshawar/status/plant/gw-1", "$SYS/broker/version", "anything"]
    assert reaches(broker, INGEST, [RECEIPT, *forbidden]) == [RECEIPT]
    readings = [READINGS, "seatwatt/v1/islamabad/pack/plant/gw-1"]
    readings.append("seatwatt/v2/islamabad/pack/plant/gw-1")
    assert hears(broker, INGEST, ["seatwatt/#"], readings, END) == readings
    assert hears(broker, INGEST, ["$share/ingest/seatwatt/#"], readings, END) == readings


def test_nobody_but_an_operator_hears_of_the_broker_itself(broker: SecureBroker) -> None:
    """But ingest, of the messages that the broker dropped."""
    operator = broker.client(OPERATOR).connect()
    operator.subscribe("$SYS/#")
    operator.heard_until(BROKER_DROPPED)
    operator.close()
    listener = broker.client(INGEST, client_id="listener").connect()
    listener.subscribe("$SYS/#")  # $SYS is retained: it would come before what follows
    listener.subscribe("seatwatt/#")
    speaker = broker.client(OPERATOR, client_id="speaker").connect()
    speaker.publish(END)
    assert set(listener.heard_until(END)) == {BROKER_DROPPED, END}
    listener.close()
    speaker.close()


def test_an_account_without_rights_can_do_nothing(broker: SecureBroker) -> None:
    # Tenants have no account; one given a password by hand still has no rights.
    file = broker.folder.broker / "services.passwords"
    before = file.read_text()
    file.write_text(before + f"tenant:{hashed('secret')}\n")
    tenant = Guest(port=broker.plan.services_port, user="tenant", password="secret",
                   tls=broker.trust(OPERATOR), client_id="tenant")
    reload(broker, tenant, "Success")
    try:
        tenant.connect()
        tenant.subscribe("#")
        tenant.publish(READINGS)
        assert hears(broker, OPERATOR, ["seatwatt/v1/#"], [], END) == []
        tenant.publish(READINGS)  # its answer comes behind whatever was sent to it
        assert tenant.came.empty()
        tenant.close()
    finally:
        file.write_text(before)
        reload(broker, tenant, "Not authorized")


@pytest.mark.parametrize(("user", "password"), [
    ("", ""), (OWN.name, ""), (OWN.name, "wrong"), (OWN.name, "password of another"),
    ("nobody", "secret"), ("admin", "admin"), (INGEST.name, "ingest's own")])
def test_who_is_not_known_is_not_let_in(broker: SecureBroker, user: str, password: str) -> None:
    given = {"password of another": broker.passwords[OTHER.name],
             "ingest's own": broker.passwords[INGEST.name]}.get(password, password)
    guest = Guest(port=broker.plan.port, user=user, password=given, tls=broker.trust(OWN))
    assert guest.connect().answer == "Not authorized"


def test_a_gateway_does_not_come_in_by_the_services_door(broker: SecureBroker) -> None:
    guest = Guest(port=broker.plan.services_port, user=OWN.name,
                  password=broker.passwords[OWN.name], tls=broker.trust(OWN))
    assert guest.connect().answer == "Not authorized"


def with_certificate(broker: SecureBroker, folder: Path, pair: Pair) -> ssl.SSLContext:
    (folder / "c.pem").write_bytes(pair.certificate)
    (folder / "c.key").write_bytes(pair.key)
    trust = broker.trust(None)
    trust.load_cert_chain(folder / "c.pem", folder / "c.key")
    return trust


@pytest.mark.parametrize("kind", ["none", "expired", "not yet", "foreign", "a server's"])
def test_certificates_that_are_not_ours_are_refused(broker: SecureBroker, kind: str,
                                                    tmp_path: Path) -> None:
    ours = broker.folder.pair(broker.folder.ca, "ca")
    assert ours is not None
    pairs = {"expired": lambda: issue_client(ours, OWN.name, NOW - timedelta(days=30), 1),
             "not yet": lambda: issue_client(ours, OWN.name, NOW + timedelta(days=30)),
             "foreign": lambda: issue_client(make_authority("Seatwatt local CA", NOW),
                                             OWN.name, NOW),
             "a server's": lambda: issue_server(ours, ["localhost"], NOW)}
    trust = (broker.trust(None) if kind == "none"
             else with_certificate(broker, tmp_path, pairs[kind]()))
    guest = Guest(port=broker.plan.port, user=OWN.name, password=broker.passwords[OWN.name],
                  tls=trust)
    try:
        guest.connect()
    except OSError:  # some builds notice within the handshake, some at the first read
        guest.lost = True
    assert guest.lost
    assert guest.answer != "Success"


def shake_hands(broker: SecureBroker, trust: ssl.SSLContext) -> None:
    with (socket.create_connection(("127.0.0.1", broker.plan.port), timeout=WAIT_S) as plain,
          trust.wrap_socket(plain, server_hostname="localhost") as safe):
        safe.recv(1)


def test_a_broker_that_is_not_ours_is_refused(broker: SecureBroker) -> None:
    with pytest.raises(ssl.SSLCertVerificationError):
        shake_hands(broker, ssl.create_default_context())


def test_plain_text_gets_no_answer_on_the_tls_port(broker: SecureBroker) -> None:
    for port in (broker.plan.port, broker.plan.services_port):
        with socket.create_connection(("127.0.0.1", port), timeout=WAIT_S) as plain:
            plain.sendall(b"\x10\x12\x00\x04MQTT\x04\x02\x00\x3c\x00\x06intrud")
            try:
                assert not plain.recv(4).startswith(b"\x20"), "it answered CONNACK"
            except ConnectionResetError:
                continue  # as good a refusal


def test_old_versions_of_tls_are_refused(broker: SecureBroker) -> None:
    old = broker.trust(OWN)
    old.set_ciphers("DEFAULT@SECLEVEL=0")
    old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
    with pytest.warns(DeprecationWarning, match="TLSv1_1"):
        old.maximum_version = ssl.TLSVersion.TLSv1_1
    with pytest.raises(OSError, match=r"(?i)version|protocol"):
        shake_hands(broker, old)


def test_a_payload_above_the_limit_is_refused_and_seen_to_be(broker: SecureBroker) -> None:
    pack = "seatwatt/v1/peshawar/pack/plant/gw-1"
    speaker = broker.client(OWN).connect()
    assert speaker.publish(pack, b"x" * (1 << 20)) == "Success"
    assert speaker.publish(pack, b"x" * (3 << 20)) == ""
    assert speaker.lost


def test_no_gateway_takes_over_the_connection_of_another(broker: SecureBroker) -> None:
    victim = broker.client(INGEST, client_id="seatwatt-ingest-1", clean=False).connect()
    victim.subscribe("seatwatt/v1/#")
    for intruder in (OWN, OTHER):
        thief = broker.client(intruder, client_id="seatwatt-ingest-1", clean=False).connect()
        assert thief.answer == "Success"
        thief.publish("seatwatt/v1/peshawar/seat/hall-a/001")
        assert thief.came.empty()
        thief.close()
    assert len(victim.heard_until("seatwatt/v1/peshawar/seat/hall-a/001")) >= 1
    assert not victim.lost
    victim.close()


def test_what_is_refused_is_told_to_who_speaks_mqtt_5(broker: SecureBroker) -> None:
    speaker = broker.client(INGEST, protocol=mqtt.MQTTv5).connect()
    assert speaker.publish(READINGS) == "Not authorized"
    speaker.close()


def reload(broker: SecureBroker, guest: Guest, answer: str) -> None:
    """Have the files read again, and wait until that shows in what `guest` is told."""
    assert broker.server.process is not None
    broker.server.process.send_signal(signal.SIGHUP)

    def told() -> bool:
        guest.answer, guest.lost = "", False
        guest.connect()
        guest.close()
        return guest.answer == answer

    until(told, f"it reads its files and says {answer}")


def test_a_new_password_replaces_the_old_one_and_a_revoked_one_opens_nothing(
        tmp_path: Path) -> None:
    broker = SecureBroker.provisioned(tmp_path, ELSEWHERE)
    broker.server.start()
    try:
        old = broker.client(ELSEWHERE)
        assert old.connect().answer == "Success"
        old.close()
        broker.add(ELSEWHERE, rotate=True)
        reload(broker, old, "Not authorized")
        new = broker.client(ELSEWHERE).connect()
        assert new.answer == "Success"
        new.close()
        assert broker.server.process is not None
        connected = broker.client(ELSEWHERE).connect()
        revoke(broker.folder, ELSEWHERE.name)
        broker.server.process.send_signal(signal.SIGHUP)
        connected.turn_until(lambda: connected.lost)  # thrown out at once
        assert broker.client(ELSEWHERE).connect().answer == "Not authorized"
    finally:
        broker.server.stop()


def serial_shown(broker: SecureBroker) -> str:
    with (socket.create_connection(("127.0.0.1", broker.plan.port), timeout=WAIT_S) as plain,
          broker.trust(OWN).wrap_socket(plain, server_hostname="localhost") as safe):
        shown = safe.getpeercert()
    assert shown is not None
    return str(shown["serialNumber"])


def test_a_new_server_certificate_is_taken_without_a_restart(tmp_path: Path) -> None:
    broker = SecureBroker.provisioned(tmp_path, OWN)
    broker.server.start()
    try:
        old = serial_shown(broker)
        provision_broker(broker.folder, broker.plan, NOW, rotate=True)
        assert broker.server.process is not None
        broker.server.process.send_signal(signal.SIGHUP)
        until(lambda: serial_shown(broker) != old, "it shows the new certificate")
    finally:
        broker.server.stop()


def test_what_waits_for_ingest_outlives_its_absence_and_a_restart(tmp_path: Path) -> None:
    broker = SecureBroker.provisioned(tmp_path, OWN, INGEST)
    broker.server.start()
    try:
        ingest = broker.client(INGEST, client_id="seatwatt-ingest-1", clean=False).connect()
        ingest.subscribe("seatwatt/v1/#")
        ingest.close()
        speaker = broker.client(OWN).connect()
        for number in range(1500):
            speaker.publish(f"seatwatt/v1/peshawar/seat/hall-a/{number}")
        speaker.close()
        broker.server.stop()
        broker.server.start()
        back = broker.client(INGEST, client_id="seatwatt-ingest-1", clean=False).connect()
        assert len(back.heard_until("seatwatt/v1/peshawar/seat/hall-a/1499")) == 1500
    finally:
        broker.server.stop()


def test_programs_of_this_machine_may_do_without_tls_where_asked(tmp_path: Path) -> None:
    broker = SecureBroker.provisioned(tmp_path, OWN, INGEST, plain_port=free_port(),
                                      client_certificates=False)
    broker.server.start()
    try:
        for who, port, trust, answer in (
                (INGEST, broker.plan.plain_port, None, "Success"),
                (INGEST, broker.plan.services_port, broker.trust(None), "Success"),
                (OWN, broker.plan.port, broker.trust(None), "Success"),
                (OWN, broker.plan.plain_port, None, "Not authorized")):
            guest = Guest(port=port, user=who.name, password=broker.passwords[who.name], tls=trust)
            assert guest.connect().answer == answer
            guest.close()
    finally:
        broker.server.stop()


def test_an_expired_server_certificate_is_refused(tmp_path: Path) -> None:
    broker = SecureBroker.provisioned(tmp_path, OWN)
    provision_broker(broker.folder, broker.plan, NOW - timedelta(days=2000), rotate=True)
    broker.server.start()
    try:
        with pytest.raises(ssl.SSLCertVerificationError, match="expired"):
            shake_hands(broker, broker.trust(OWN))
    finally:
        broker.server.stop()

"""The product's own programs against the provisioned broker: by TLS, with what they were given."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from seatwatt.contract.readings import QuarantinedMessage
from seatwatt.contract.rules import Rule
from seatwatt.gateway.config import Broker
from seatwatt.gateway.config_file import load_gateway
from seatwatt.gateway.opening import open_devices
from seatwatt.gateway.ports import Fault, Sample
from seatwatt.ledger.open import open_engine
from seatwatt.ledger.quarantine import Quarantine
from seatwatt.provision.access import INGEST, OPERATOR
from seatwatt.settings import LedgerSettings
from tests.commands import run
from tests.services.broker_kit import OWN, WAIT_S, SecureBroker
from tests.services.ingest_kit import NOW_S, IngestProcess, until

PACK, RECEIPT = (f"seatwatt/v1/peshawar/{channel}/plant/gw-1" for channel in ("pack", "receipt"))


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[SecureBroker]:
    broker = SecureBroker.provisioned(tmp_path / "broker-kit", OWN, INGEST, OPERATOR)
    broker.server.start()
    yield broker
    broker.server.stop()


@pytest.mark.parametrize(("without", "said"), [
    (("CERT_FILE", "KEY_FILE"), "took the connection and did not answer"),
    (("CERT_FILE", "KEY_FILE", "CA_FILE"), "took the connection and did not answer"),
])
def test_ingest_says_why_a_broker_with_tls_does_not_take_it(
        secure: SecureBroker, tmp_path: Path, without: tuple[str, ...], said: str) -> None:
    env = {name: value for name, value in secure.env(INGEST).items()
           if not name.endswith(without)}
    ingest = IngestProcess(tmp_path / "ingest", secure.plan.services_port,
                           f"sqlite:///{tmp_path}/readings.db", env).start()
    try:
        until(lambda: said in ingest.log(), f"it says so\n{ingest.log()}")
        assert ingest.ready()[0] == 503
        assert said in ingest.ready()[1]
    finally:
        ingest.end()


def a_pack(number: int) -> bytes:
    return json.dumps([{"bt": NOW_S - 600 + number, "n": "meter/plant/grid/energy_import",
                        "u": "Wh", "v": 1000 + number},
                       {"n": "gateway/plant/gw-1/pack", "vs": f"1-{number}"}]).encode()


@pytest.mark.parametrize("workers", [1, 2])
def test_ingest_takes_packs_and_gives_receipts(secure: SecureBroker, tmp_path: Path,
                                               workers: int) -> None:
    ingest = IngestProcess(tmp_path / "ingest", secure.plan.services_port,
                           f"sqlite:///{tmp_path}/readings.db",
                           {**secure.env(INGEST), "SEATWATT_INGEST_WORKERS": str(workers)}).start()
    try:
        until(lambda: ingest.metric("connected") == workers, f"it connects\n{ingest.log()}")
        gateway = secure.client(OWN).connect()
        gateway.subscribe(RECEIPT)
        for number in range(20):
            assert gateway.publish(PACK, a_pack(number)) == "Success"
        stored: set[str] = set()
        while len(stored) < 20:
            gateway.turn_until(lambda: not gateway.came.empty())
            assert not gateway.lost
            stored |= set(json.loads(gateway.came.get()[1]))
        assert stored == {f"1-{number}" for number in range(20)}
        gateway.close()
    finally:
        assert ingest.end() == 0, ingest.log()


def kept(folder: Path) -> Quarantine:
    quarantine = Quarantine(open_engine(LedgerSettings(ledger_url=f"sqlite:///{folder}/l.db")))
    quarantine.put([QuarantinedMessage(PACK, b"[]", 1_790_000_000_123, Rule.T06, "no clock")])
    return quarantine


def test_a_replay_that_the_broker_forbids_forgets_nothing(secure: SecureBroker,
                                                          tmp_path: Path) -> None:
    quarantine = kept(tmp_path)
    ledger = {"SEATWATT_LEDGER_URL": f"sqlite:///{tmp_path}/l.db"}
    refused = run(["quarantine", "replay", "--all"], {**ledger, **secure.env(INGEST)})
    assert refused.returncode == 2
    assert "this account may not write there" in refused.stderr
    assert quarantine.count() == 1
    done = run(["quarantine", "replay", "--all"], {**ledger, **secure.env(OPERATOR)})
    assert (done.returncode, done.stdout) == (0, "1 messages replayed\n")
    assert quarantine.count() == 0


@pytest.mark.parametrize(("changed", "said"), [
    ({"SEATWATT_MQTT_KEY_FILE": ""}, "one is missing; expected both or neither"),
    ({"SEATWATT_MQTT_CA_FILE": ""}, "given without SEATWATT_MQTT_CA_FILE"),
    ({"SEATWATT_MQTT_CA_FILE": "nowhere.pem"}, "SEATWATT_MQTT_CA_FILE: cannot use nowhere.pem"),
    ({"SEATWATT_MQTT_KEY_FILE": "nowhere.key"}, "No such file or directory")])
def test_a_wrong_file_stops_the_start_with_one_line(secure: SecureBroker, tmp_path: Path,
                                                    changed: dict[str, str], said: str) -> None:
    kept(tmp_path)
    ended = run(["quarantine", "replay", "--all"],
                {"SEATWATT_LEDGER_URL": f"sqlite:///{tmp_path}/l.db", **secure.env(OPERATOR),
                 **changed})
    assert ended.returncode == 2
    assert said in ended.stderr
    assert ended.stderr.count("\n") == 1


def test_operators_replay_and_record(secure: SecureBroker, tmp_path: Path) -> None:
    recording, copy = tmp_path / "in.ndjson", tmp_path / "out.ndjson"
    recording.write_text(json.dumps({"received_at": "2026-10-01T00:00:00Z", "topic": PACK,
                                     "payload": json.loads(a_pack(1))}) + "\n")
    listener = secure.client(OPERATOR).connect()
    listener.subscribe(PACK)
    played = run(["replay", str(recording), "--speed", "max"], secure.env(OPERATOR))
    assert played.returncode == 0, played.stderr
    assert listener.heard_until(PACK) == [PACK]
    listener.publish(PACK, a_pack(2), retain=True)
    written = run(["record", "--count", "1", "--out", str(copy)], secure.env(OPERATOR))
    assert written.returncode == 0, written.stderr
    assert json.loads(copy.read_text())["payload"] == json.loads(a_pack(2))


def test_a_gateway_listens_where_a_certificate_is_asked_for(secure: SecureBroker,
                                                            tmp_path: Path) -> None:
    """Files are found beside the configuration that names them."""
    home = secure.folder.client(OPERATOR.name)
    path = home / "gateway.yaml"
    path.write_text(f"""\
gateway: gw-1
site: peshawar
zone: plant
time_zone: Asia/Karachi
listen: {{host: localhost, port: {secure.plan.services_port}, user: {OPERATOR.name},
  password_file: password, ca_file: ca.pem, cert_file: client.pem, key_file: client.key}}
devices:
  - {{device: seat/hall-a/001, driver: shelly, topic: seatwatt/plug-1}}
""")
    config, heard, faults = load_gateway(path), list[Sample](), list[Fault]()
    opened = open_devices(config, Broker(host="nowhere"), lambda: NOW_S * 1000, heard.extend,
                          faults.append)
    speaker = secure.client(OPERATOR, client_id="plug").connect()

    async def listen() -> None:
        task = asyncio.ensure_future(opened.listeners[0].run(opened.sink, faults.append))
        async with asyncio.timeout(WAIT_S):
            while not heard:
                speaker.publish("seatwatt/plug-1/status/switch:0", b'{"apower": 50}')
                await asyncio.sleep(0.1)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    asyncio.run(listen())
    speaker.close()
    assert (heard[0].quantity.name, heard[0].value) == ("power", 50.0)
    assert faults == []

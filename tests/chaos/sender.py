"""A gateway in miniature: numbered packs at a steady rate, sent again until their receipt comes."""

import json
import threading
import time
from dataclasses import dataclass
from random import Random

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

SEATS = 50
SITE = "chaos"
_RESEND_S = 4.0
_RESENT_AT_ONCE = 200
_PACK = f"seatwatt/v1/{SITE}/pack/hall-a/gw"
_RECEIPT = f"seatwatt/v1/{SITE}/receipt/hall-a/gw"


@dataclass
class Pack:
    """A pack as sent: reading i of it has the value `number * SEATS + i`."""

    number: int
    payload: bytes
    bad: int | None
    """The record that has a wrong unit, if any."""
    first_sent_s: float
    sent_s: float
    receipted: bool = False


class Sender:
    """Publishes `rate` packs a second until stopped; knows every pack it ever sent."""

    def __init__(self, port: int, rate: float, seed: int) -> None:
        self.packs: list[Pack] = []
        self._open: dict[int, Pack] = {}
        self._lock = threading.Lock()
        self._rate, self._chance = rate, Random(seed)
        self._stopping = threading.Event()
        self._last_ms = 0
        self.noise = 0
        """Poison messages published beside the packs; nobody gives receipts for them."""
        self._client = Client(CallbackAPIVersion.VERSION2, client_id="chaos-gateway")
        self._client.on_connect = lambda client, *_: client.subscribe(_RECEIPT, 1)
        self._client.on_message = lambda _c, _d, message: self._receipts(message.payload)
        self._client.reconnect_delay_set(1, 1)
        self._client.connect_async("127.0.0.1", port, keepalive=5)
        self._client.loop_start()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    @property
    def open(self) -> int:
        """Packs without a receipt."""
        return len(self._open)

    def open_before(self, at_s: float) -> int:
        """Packs first sent before `at_s` that have no receipt yet."""
        with self._lock:
            return sum(pack.first_sent_s < at_s for pack in self._open.values())

    def poison(self, count: int) -> None:
        """Publish messages that are no readings, below topics of all sorts."""
        for _ in range(count):
            self.noise += 1
            topic, payload = self._chance.choice([
                (f"seatwatt/v1/{SITE}/lamp/hall-a/1", b"[]"),
                (f"seatwatt/v1/{SITE}/seat/hall-a/001", b"\xff\xfe not JSON"),
                (f"seatwatt/v1/{SITE}/seat/hall-a/001", b'[{"n":"power","u":"W","v":1}]'),
                (f"seatwatt/v1/{SITE}/seat/hall-a/001", b"[" + b" " * 100_000 + b"]")])
            self._client.publish(topic, payload + b" " * self._chance.randrange(50), 1)

    def stop_sending(self) -> None:
        """No new packs; what has no receipt is still sent again."""
        self._stopping.set()

    def close(self) -> None:
        """End it."""
        self._stopping.set()
        self._rate = 0.0
        self._thread.join()
        self._client.disconnect()
        self._client.loop_stop()

    def _run(self) -> None:
        due_s = time.monotonic()
        while self._rate:
            now_s = time.monotonic()
            if not self._stopping.is_set() and now_s >= due_s:
                due_s += 1 / self._rate
                self._send_new(now_s)
            else:
                time.sleep(0.005)
            self._resend(now_s)

    def _send_new(self, now_s: float) -> None:
        number = len(self.packs)
        self._last_ms = max(self._last_ms + 1, time.time_ns() // 1_000_000)
        records: list[dict[str, object]] = [
            {"n": f"seat/hall-a/{seat:03d}/energy", "u": "Wh", "v": number * SEATS + seat}
            for seat in range(SEATS)]
        records[0]["bt"] = self._last_ms / 1000
        bad = self._chance.randrange(1, SEATS) if self._chance.random() < 0.02 else None
        if bad is not None:
            records[bad]["u"] = "lx"
        records.append({"n": "gateway/hall-a/gw/pack", "vs": f"1-{number}"})
        pack = Pack(number, json.dumps(records).encode(), bad, now_s, now_s)
        with self._lock:
            self.packs.append(pack)
            self._open[number] = pack
        self._client.publish(_PACK, pack.payload, 1)

    def _resend(self, now_s: float) -> None:
        if not self._client.is_connected():
            return
        with self._lock:
            overdue = [pack for pack in self._open.values()
                       if now_s - pack.sent_s > _RESEND_S][:_RESENT_AT_ONCE]
        for pack in overdue:
            pack.sent_s = now_s
            self._client.publish(_PACK, pack.payload, 1)

    def _receipts(self, payload: bytes) -> None:
        with self._lock:
            for name in json.loads(payload):
                pack = self._open.pop(int(name.partition("-")[2]), None)
                if pack is not None:
                    pack.receipted = True

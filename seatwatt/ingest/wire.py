"""The MQTT client: paho, but reading what the socket has at once and acknowledging in one packet.

paho reads a packet in three or four calls and sends each PUBACK by itself; both together cost
more than everything else that ingest does to a message (docs/performance.md). Private names of
paho used here: `_sock_recv`, `_loop_rc_handle`, `_last_bytes_received` with its mutex,
`_in_packet` with `_packet_handle`, `_packet_queue`.
"""

import logging
import time
from collections.abc import Callable, Iterable

from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode

from seatwatt.ingest.packets import Control, Framer, Message, ProtocolError

LOG = logging.getLogger("seatwatt.ingest")
READ_BYTES = 256 << 10
_PUBACK = 0x40


class Wire(Client):
    """A paho client whose messages arrive in bulk at `on_messages`; drive it by its loop_ methods.

    A message is never acknowledged but by `acknowledge`.
    """

    on_messages: Callable[[list[Message]], None]

    def __init__(self, client_id: str) -> None:
        super().__init__(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False,
                         manual_ack=True, reconnect_on_failure=False)
        self._framer = Framer()

    def reconnect(self) -> MQTTErrorCode:
        """A new connection, whose stream starts at a packet's beginning."""
        self._framer = Framer()
        return super().reconnect()

    def loop_read(self, max_packets: int = 1) -> MQTTErrorCode:
        """Take what one read gives: controls to paho, messages to `on_messages`."""
        try:
            data = self._sock_recv(READ_BYTES)
        except BlockingIOError:
            return MQTTErrorCode.MQTT_ERR_SUCCESS
        except OSError:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        if not data:
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_CONN_LOST)
        try:
            messages, controls = self._framer.feed(data)
        except ProtocolError as error:
            LOG.error("the broker sent what is not MQTT: %s", error)
            return self._loop_rc_handle(MQTTErrorCode.MQTT_ERR_PROTOCOL)
        # paho sends its ping by the age of the last byte and the last send.
        with self._msgtime_mutex:
            self._last_bytes_received = time.monotonic()
        for control in controls:
            rc = self._handle(control)
            if rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
                return self._loop_rc_handle(rc)
        if messages:
            self.on_messages(messages)
        return MQTTErrorCode.MQTT_ERR_SUCCESS

    def acknowledge(self, mids: Iterable[int]) -> None:
        """PUBACK all of `mids`, in one write."""
        packet = b"".join(b"\x40\x02" + mid.to_bytes(2, "big") for mid in mids)
        self._packet_queue(_PUBACK, packet, 0, 1)

    def _handle(self, control: Control) -> MQTTErrorCode:
        first, body = control
        self._in_packet = {
            "command": first, "have_remaining": 1, "remaining_count": [], "remaining_mult": 1,
            "remaining_length": len(body), "packet": bytearray(body), "to_process": 0, "pos": 0}
        return self._packet_handle()

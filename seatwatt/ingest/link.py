"""The connection to the broker: one thread that reads, acknowledges and connects again.

Every connection has a number, its epoch. After a reconnect the broker sends what is unacknowledged
once more, so an ack may only go out on the connection its message came by.
"""

import logging
import select
import socket
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from random import Random

from seatwatt.ingest.intake import Delivery, size_of
from seatwatt.ingest.outbox import Outbox
from seatwatt.ingest.packets import Message
from seatwatt.ingest.ports import Clock
from seatwatt.ingest.session import Session
from seatwatt.ingest.takeovers import Takeovers

LOG = logging.getLogger("seatwatt.ingest")
_IDLE_S = 1.0
_PAUSED_S = 0.02
_GOODBYE_S = 2.0
_RETRY_S = (0.2, 0.5, 1.0, 2.0, 5.0)
_REMIND_S = 60.0


@dataclass(slots=True)
class LinkState:
    """What the network thread counts; written by it alone."""

    epoch: int = 0
    reconnects: int = 0
    failures: int = 0
    """Exceptions in the network thread, each of which cost a connection."""
    paused: bool = False
    problem: str = ""


class Link:
    """Delivers messages to `deliver` while `has_room` says so.

    `failed` holds the reason when connecting once more would only make it worse.
    """

    def __init__(self, session: Session, deliver: Callable[[Delivery], None],
                 has_room: Callable[[], bool], clock: Clock, takeovers: Takeovers) -> None:
        self._session, self._wire = session, session.wire
        self._wire.on_messages = self._on_messages
        self._deliver, self._has_room, self._clock = deliver, has_room, clock
        self._takeovers, self._jitter = takeovers, Random()
        self._outbox = Outbox()
        self._unacknowledged: dict[int, float] = {}
        self._wake, self._woken = socket.socketpair()
        self._wake.setblocking(False)
        self._woken.setblocking(False)
        self._reading = self._running = True
        self._reset_reason = ""
        self._said_at = float("-inf")
        self._thread: threading.Thread | None = None
        self.state = LinkState()
        self.failed = ""

    @property
    def ready(self) -> bool:
        """Connected and subscribed."""
        return self._session.subscribed and self.alive

    @property
    def alive(self) -> bool:
        """Whether the network thread runs."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> None:
        """Start the network thread, or another one in the place of one that died."""
        self._thread = threading.Thread(target=self._run, name="ingest-link", daemon=True)
        self._thread.start()

    def settle(self, acks: Mapping[int, Sequence[int]], receipts: Mapping[str, bytes]) -> None:
        """From any thread: acknowledge mids by epoch, publish receipts by topic."""
        self._outbox.put(acks, receipts)
        self._interrupt()

    def reset(self, reason: str) -> None:
        """From any thread: connect anew, so that the broker sends again what is unacknowledged."""
        self._reset_reason = reason
        self._interrupt()

    def stop_reading(self) -> None:
        """From any thread: take no more messages; acks and keep-alive go on."""
        self._reading = False
        self._interrupt()

    def stop(self) -> None:
        """Send what waits, say goodbye, end the thread."""
        self._running = False
        self._interrupt()
        if self._thread is not None:
            self._thread.join(_GOODBYE_S + 5.0)
        self._wake.close()
        self._woken.close()

    def oldest_unacknowledged_s(self) -> float:
        """Age of the oldest message without an ack on this connection; 0 when there is none."""
        since = list(self._unacknowledged.values())
        return time.monotonic() - since[0] if since else 0.0

    @property
    def sessions_lost(self) -> int:
        """Times the broker had forgotten our session, and the messages it held for us."""
        return self._session.lost

    @property
    def unacknowledged(self) -> int:
        """Messages of this connection without an ack."""
        return len(self._unacknowledged)

    def _interrupt(self) -> None:
        # Full: it is being woken already. Closed: it has ended.
        with suppress(OSError):
            self._wake.send(b"x")

    def _run(self) -> None:
        tries = 0
        while self._running and not self.failed:
            useful = self._connection()
            tries = 0 if useful else tries + 1
            if self._running and not self.failed:
                delay = _RETRY_S[min(tries, len(_RETRY_S) - 1)]
                select.select([self._woken], [], [], delay * self._jitter.uniform(0.7, 1.3))

    def _connection(self) -> bool:
        """One connection from beginning to end; whether the broker had taken us, and what we
        subscribe."""
        self.state.epoch += 1
        self.state.reconnects += self.state.epoch > 1
        self._unacknowledged = {}
        unexplained = False
        try:
            self._session.open()
            while self._running and self._turn():
                pass
            self._goodbye()
            unexplained = self._running and not self._reset_reason
        except OSError as error:
            self._takeovers.refused()
            self._say(f"broker {self._session.address} does not answer: {error}")
        # Whatever it was, only the thread's death would be worse: the broker would send nothing
        # more and nobody would know.
        except Exception as error:
            self.state.failures += 1
            LOG.exception("network thread: %s: connecting again", error)
        finally:
            taken = self._session.close()
        if self._session.problem:
            self._say(self._session.problem)
        elif taken and self._running and not self._reset_reason:
            self._lost()
        elif unexplained:
            self._sent_away()
        self._reset_reason = ""
        return taken and not self._session.problem

    def _lost(self) -> None:
        self._say(f"broker {self._session.address} closed the connection")
        if self._takeovers.lost(time.monotonic()):
            self.failed = (f"connection lost too often within a minute: another client "
                           f"uses the id {self._session.client_id!r}")
            LOG.error(self.failed)

    def _sent_away(self) -> None:
        """By TLS 1.3 a broker that does not like our certificate says so after we have begun."""
        self._takeovers.refused()
        self._say(f"broker {self._session.address} took the connection and did not answer: it may "
                  "expect TLS (SEATWATT_MQTT_CA_FILE), or another certificate than ours "
                  "(SEATWATT_MQTT_CERT_FILE)")

    def _turn(self) -> bool:
        """Wait for something to do and do it; False when the connection is over."""
        sock = self._wire.socket()
        if sock is None:
            return False
        reading = self._reading and self._has_room()
        self.state.paused = not reading
        pending = reading and getattr(sock, "pending", int)() > 0
        wait_s = 0.0 if pending else _IDLE_S if reading or not self._reading else _PAUSED_S
        readable, writable, _ = select.select(
            [self._woken, sock] if reading else [self._woken],
            [sock] if self._wire.want_write() else [], [], wait_s)
        if self._woken in readable:
            self._woken.recv(4096)
        if pending or sock in readable:
            self._wire.loop_read()
        self._send()
        if writable:
            self._wire.loop_write()
        self._wire.loop_misc()
        return not self._reset_reason

    def _on_messages(self, messages: list[Message]) -> None:
        now_s = time.monotonic()
        self._unacknowledged.update([(mid, now_s) for _, _, mid in messages if mid])
        self._deliver(Delivery(self.state.epoch, self._clock(), messages, size_of(messages)))

    def _send(self) -> None:
        waiting = self._unacknowledged
        mids = [mid for mid in self._outbox.take_acks(self.state.epoch)
                if waiting.pop(mid, None) is not None]
        if mids:
            self._wire.acknowledge(mids)
        if self._session.subscribed:
            for topic, payload in self._outbox.take_receipts():
                self._wire.publish(topic, payload)

    def _goodbye(self) -> None:
        if self._reset_reason:
            LOG.warning("connecting anew: %s", self._reset_reason)
        if self._wire.socket() is None:
            return
        self._send()
        self._wire.disconnect()
        deadline = time.monotonic() + _GOODBYE_S
        while (sock := self._wire.socket()) is not None and time.monotonic() < deadline:
            select.select([], [sock], [], 0.1)
            self._wire.loop_write()

    def _say(self, problem: str) -> None:
        """One line in the log when it is news, and once a minute while it stays so."""
        now_s = time.monotonic()
        if problem != self.state.problem or now_s - self._said_at > _REMIND_S:
            LOG.warning("%s; trying again", problem)
            self._said_at = now_s
        self.state.problem = problem

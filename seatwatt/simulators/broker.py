"""The embedded broker of the demo: amqtt in a thread of its own.

It answers PUBLISH before it has routed the message and never sends an unacknowledged one again,
so whoever needs certainty compares what was sent with what is stored. Not for production.
"""

import asyncio
import logging
import socket
import threading
import warnings
from typing import Self

from seatwatt.contract.errors import SettingsError

START_WAIT_S = 20.0
HOST = "127.0.0.1"


class EmbeddedBroker:
    """An MQTT broker that lives as long as the `with` lasts, on loopback unless `listen` says
    otherwise. Port 0: a free one."""

    def __init__(self, port: int = 0, listen: str = HOST) -> None:
        self.port = checked_port(port)
        self._listen = listen
        self._loop = asyncio.new_event_loop()
        self._stop = asyncio.Event()
        self._started = threading.Event()
        self._problem = ""
        self._thread = threading.Thread(target=self._run, name="broker", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        if not self._started.wait(START_WAIT_S) or self._problem:
            raise SettingsError(f"embedded broker: {self._problem or 'it did not start'}")
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join(START_WAIT_S)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                self._loop.run_until_complete(self._serve())
        finally:
            self._started.set()
            self._loop.close()

    async def _serve(self) -> None:
        from amqtt.broker import Broker
        from amqtt.errors import AMQTTError

        for name in ("amqtt", "transitions"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        broker = Broker({
            "listeners": {"default": {"type": "tcp", "bind": f"{self._listen}:{self.port}"}},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin":
                        {"allow_anonymous": True}}})
        try:
            await broker.start()
        except (AMQTTError, OSError) as error:
            self._problem = str(error) or type(error).__name__
            return
        self._started.set()
        await self._stop.wait()
        await broker.shutdown()


def checked_port(port: int, what: str = "port") -> int:
    """A port on loopback that is free now: `port`, or for 0 any; SettingsError when it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            reason = error.strerror or error
            raise SettingsError(f"{what} {port}: {reason} on {HOST}; choose another") from None
        free: int = probe.getsockname()[1]
        return free

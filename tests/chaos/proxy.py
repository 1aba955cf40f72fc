"""A TCP proxy that can drop, delay and reset what passes through it."""

import asyncio
import contextlib
import socket
import threading
from enum import Enum

_CHUNK = 65_536


class Weather(Enum):
    """What happens to bytes on their way."""

    FAIR = "passes"
    DROP = "swallowed, connections stay open"
    DELAY = "half a second late"
    RESET = "connections reset, new ones as well"


class Proxy:
    """Listens on a port of its own and passes bytes to `target`; `weather` may change any time."""

    def __init__(self, target: int) -> None:
        self._target = target
        self.weather = Weather.FAIR
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()
        self._started.wait()

    def set(self, weather: Weather) -> None:
        """Change the weather; RESET ends what is open, and so does the end of DROP: bytes that
        were swallowed must not be missing in the middle of a stream."""
        swallowed = self.weather is Weather.DROP
        self.weather = weather
        if swallowed or weather is Weather.RESET:
            self._loop.call_soon_threadsafe(self._abort_all)

    def close(self) -> None:
        """End it."""
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        server = self._loop.run_until_complete(
            asyncio.start_server(self._serve, "127.0.0.1", 0))
        self.port = server.sockets[0].getsockname()[1]
        self._started.set()
        self._loop.run_forever()
        server.close()
        self._abort_all()
        pending = asyncio.all_tasks(self._loop)
        for task in pending:
            task.cancel()
        self._loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        self._loop.close()

    def _abort_all(self) -> None:
        for writer in list(self._writers):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.weather is Weather.RESET:
            writer.transport.abort()
            return
        try:
            onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._target)
        except OSError:
            writer.transport.abort()
            return
        pair = {writer, onward}
        self._writers |= pair
        for one in pair:
            one.transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            await asyncio.gather(self._pass(reader, onward), self._pass(onward_reader, writer))
        finally:
            self._writers -= pair
            for one in pair:
                one.transport.abort()

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await reader.read(_CHUNK):
                if self.weather is Weather.DELAY:
                    await asyncio.sleep(0.5)
                if self.weather is Weather.DROP:
                    continue
                writer.write(data)
                await writer.drain()
            if self.weather is not Weather.DROP:
                writer.transport.abort()

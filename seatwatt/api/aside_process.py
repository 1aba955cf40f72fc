"""The process that computes beside the API (`aside.py`); `python -m seatwatt.api.aside_process FD`.

It reads work from the socket and answers each as it is done. It ends when the socket does: with
the API, however that ended.
"""

import logging
import os
import pickle
import signal
import sys
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection

from seatwatt.api.aside import NUMBER_BYTES, Setup
from seatwatt.api.compose import open_services
from seatwatt.api.services import Services
from seatwatt.contract.errors import SeatwattError

NICE = 2
"""Whoever answers requests goes first; more, and on a busy machine nothing would be settled in
time."""
_THREADS = 8
"""More than the API has at work at once."""


class Process:
    """Answers what comes by the connection."""

    def __init__(self, connection: Connection, setup: Setup) -> None:
        self._connection, self._setup = connection, setup
        self._services: Services | None = None
        self._open = ExitStack()
        self._opening, self._sending = threading.Lock(), threading.Lock()

    def run(self) -> None:
        """Until the connection ends; what is under way then is left as it is."""
        with self._open:
            pool = ThreadPoolExecutor(_THREADS, "aside")
            try:
                while True:
                    pool.submit(self._answer, self._connection.recv_bytes())
            except (EOFError, OSError):
                os._exit(0)

    def _answer(self, message: bytes) -> None:
        try:
            work, now_ms, args = pickle.loads(memoryview(message)[NUMBER_BYTES:])
            answer = pickle.dumps((work(self._at(now_ms), *args), None), pickle.HIGHEST_PROTOCOL)
        except Exception as error:  # noqa: BLE001 - whatever it is, who asked is told
            answer = pickle.dumps((None, _sendable(error)))
        with self._sending:
            self._connection.send_bytes(message[:NUMBER_BYTES] + answer)

    def _at(self, now_ms: int) -> Services:
        """The services, opened by who needs them first; their clock stands."""
        with self._opening:
            if self._services is None:
                setup = self._setup
                self._services = self._open.enter_context(open_services(
                    setup.api, setup.store, setup.ledger, lambda: now_ms))
        return replace(self._services, clock=lambda: now_ms)


def _sendable(error: Exception) -> Exception:
    """The error, or one that says the same where it cannot be made again on the other side."""
    if not isinstance(error, SeatwattError):
        error.add_note("".join(traceback.format_exception(error)))
    try:
        pickle.loads(pickle.dumps(error))
    except Exception:  # noqa: BLE001 - an error's own way of being made may raise anything
        return RuntimeError("".join(traceback.format_exception(error)))
    return error


def main() -> None:
    """Ctrl-C and SIGTERM are meant for the API, which ends us when it is done."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    os.nice(NICE)
    logging.basicConfig(level=logging.WARNING,
                        format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    connection = Connection(int(sys.argv[1]))
    try:
        setup = pickle.loads(connection.recv_bytes())
    except EOFError:
        return
    Process(connection, setup).run()


if __name__ == "__main__":
    main()

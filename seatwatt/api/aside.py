"""A process beside this one that computes, so that whoever answers requests is not held up: Python
runs one thread of a process at a time. It is started when first needed, and again if it died."""

import itertools
import logging
import os
import pickle
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from seatwatt.contract.errors import SeatwattError
from seatwatt.settings import ApiSettings, LedgerSettings, StoreSettings

NUMBER_BYTES = 8
_STOP_S = 5.0
_log = logging.getLogger("seatwatt.api.aside")


@dataclass(frozen=True, slots=True)
class Setup:
    """What the process opens its own services with."""

    api: ApiSettings
    store: StoreSettings
    ledger: LedgerSettings


class _Died(Exception):
    """The process ended before it answered."""


class Aside:
    """Runs work in the process; may be used from several threads."""

    def __init__(self, setup: Setup) -> None:
        self._setup = pickle.dumps(setup)
        self._child: _Child | None = None
        self._lock = threading.Lock()
        self._closed = False

    def run(self, work: Callable[..., Any], now_ms: int, *args: object) -> Any:
        """`work(services, *args)` as of `now_ms`; its errors come through as they were.

        `work` is a function of a module. It is asked for once more where the process dies, so it
        must be such as may be done twice; SeatwattError where it dies again.
        """
        message = pickle.dumps((work, now_ms, args))
        for last in (False, True):
            child = self._started()
            try:
                return child.ask(message)
            except _Died:
                if self._closed or last:
                    break
        raise SeatwattError("shutting down" if self._closed else
                            f"computing {work.__name__} ended its process twice; its log, or the "
                            "system's, may say why")

    @property
    def pid(self) -> int | None:
        """The process, once it was needed."""
        return None if self._child is None else self._child.process.pid

    def close(self) -> None:
        """End the process, whatever it is at: that is written in transactions."""
        with self._lock:
            self._closed = True
            if self._child is not None:
                self._child.stop()

    def _started(self) -> "_Child":
        with self._lock:
            if self._closed:
                raise SeatwattError("shutting down")
            if self._child is None or self._child.dead:
                self._child = _Child(self._setup)
            return self._child


class _Child:
    def __init__(self, setup: bytes) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "seatwatt.api.aside_process", str(theirs.fileno())],
                pass_fds=[theirs.fileno()], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        self._socket, self._connection = ours, Connection(os.dup(ours.fileno()))
        self._waiting: dict[int, Future[bytearray | bytes]] = {}
        self._numbers = itertools.count(1)
        self._sending, self._lock = threading.Lock(), threading.Lock()
        self.dead = False
        self._reader = threading.Thread(target=self._read, name="aside", daemon=True)
        self._reader.start()
        self._send(setup)

    def ask(self, message: bytes) -> Any:
        answer: Future[bytes | bytearray] = Future()
        with self._lock:
            if self.dead:
                raise _Died
            number = next(self._numbers)
            self._waiting[number] = answer
        self._send(number.to_bytes(NUMBER_BYTES) + message)
        result, error = pickle.loads(memoryview(answer.result())[NUMBER_BYTES:])
        if error is not None:
            raise error
        return result

    def stop(self) -> None:
        """It ends when it reads the end."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            _log.debug("it had ended before")
        try:
            self.process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
        self._reader.join()

    def _send(self, message: bytes) -> None:
        try:
            with self._sending:
                self._connection.send_bytes(message)
        except OSError:
            _log.debug("it ended")  # Whoever reads learns of it too, and tells who waits.

    def _read(self) -> None:
        try:
            while True:
                answer = self._connection.recv_bytes()
                number = int.from_bytes(answer[:NUMBER_BYTES])
                with self._lock:
                    found = self._waiting.pop(number)
                found.set_result(answer)
        except (EOFError, OSError):
            self._end()

    def _end(self) -> None:
        status = self.process.wait()
        if status != 0:
            _log.warning("the computing process ended with status %d", status)
        with self._lock:
            self.dead = True
            waiting, self._waiting = self._waiting, {}
        self._connection.close()
        self._socket.close()
        for each in waiting.values():
            each.set_exception(_Died())

"""The app behind uvicorn: in the foreground for the service, in a thread for the demo and tests."""

import errno
import ipaddress
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI

from seatwatt.api.services import Services
from seatwatt.contract.errors import SettingsError
from seatwatt.settings import ApiSettings

_START_TIMEOUT_S = 30.0
_BACKLOG = 2048


def listen(settings: ApiSettings) -> socket.socket:
    """The bound socket; SettingsError when the address is taken, wrong, or open to the network
    while access is open."""
    if settings.api_access == "open" and not _is_loopback(settings.api_host):
        raise SettingsError("SEATWATT_API_ACCESS: open is allowed on loopback addresses only, "
                            f"not on {settings.api_host}; expected keys")
    where = f"{settings.api_host}:{settings.api_port}"
    family = socket.AF_INET6 if ":" in settings.api_host else socket.AF_INET
    listener = socket.socket(family)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.api_host, settings.api_port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise SettingsError(f"SEATWATT_API_PORT: {where} is in use by another program; "
                                "expected a free port") from None
        raise SettingsError(f"SEATWATT_API_HOST: cannot listen on {where}: {error}") from None
    listener.listen(_BACKLOG)
    return listener


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def address(listener: socket.socket) -> str:
    """The URL that the socket answers at."""
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


def serve(app: FastAPI, listener: socket.socket) -> None:
    """Answer requests until SIGINT or SIGTERM."""
    _server(app).run(sockets=[listener])


@contextmanager
def running(app: FastAPI, listener: socket.socket) -> Iterator[str]:
    """Answer requests from a thread while the block runs; gives the URL."""
    server = _server(app)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, name="api")
    thread.start()
    try:
        _await_start(server, thread)
        yield address(listener)
    finally:
        server.should_exit = True
        thread.join()
        listener.close()


def _await_start(server: uvicorn.Server, thread: threading.Thread) -> None:
    waited = threading.Event()
    for _ in range(round(_START_TIMEOUT_S / 0.01)):
        if server.started:
            return
        if not thread.is_alive():
            break
        waited.wait(0.01)
    raise SettingsError("the API did not start; its log says why")


def _server(app: FastAPI) -> uvicorn.Server:
    services: Services = app.state.services
    proxies = [each.strip() for each in services.settings.api_proxies.split(",") if each.strip()]
    # log_config=None: logging belongs to the composition root. Nobody needs uvicorn's own lines.
    return uvicorn.Server(uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="on",
        proxy_headers=bool(proxies), forwarded_allow_ips=proxies, timeout_graceful_shutdown=10))

"""A small HTTP server of plain text pages, in a thread of its own."""

import threading
from collections.abc import Callable, Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from seatwatt.contract.errors import SettingsError

Page = Callable[[], tuple[HTTPStatus, str]]


class PageServer:
    """Answers GET for each path of `pages`."""

    def __init__(self, pages: Mapping[str, Page], host: str, port: int) -> None:
        """SettingsError when it cannot listen there."""
        class Handler(_Handler):
            of = pages

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise SettingsError(f"SEATWATT_INGEST_METRICS_HOST, _PORT: cannot listen on "
                                f"{host}:{port}: {error.strerror}") from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="ingest-pages",
                                        daemon=True)

    @property
    def port(self) -> int:
        """The port it listens on."""
        return int(self._server.server_address[1])

    def start(self) -> None:
        """Start answering."""
        self._thread.start()

    def stop(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Handler(BaseHTTPRequestHandler):
    of: Mapping[str, Page]

    def do_GET(self) -> None:
        """Answer with the page of this path."""
        page = self.of.get(self.path)
        if page is None:
            status, text = HTTPStatus.NOT_FOUND, f"here are {' and '.join(self.of)}\n"
        else:
            status, text = page()
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_ignored: object) -> None:
        """Requests are not news."""

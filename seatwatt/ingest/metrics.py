"""What the service says of itself: /metrics (Prometheus text), /readyz, and pipeline points."""

import threading
from dataclasses import asdict
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from seatwatt.contract.errors import SettingsError
from seatwatt.ingest.service import Ingest
from seatwatt.store.ports import DerivedPoint

_HELP = {
    "received_total": "messages taken from the broker, or found in the journal at start",
    "stored_total": "messages whose readings are in the store",
    "journalled": "messages on our own disk, not yet in the store",
    "quarantined_total": "messages with a refused record, kept in the quarantine",
    "in_flight": "messages in memory, not acknowledged",
    "aside_total": "status messages and receipts seen",
    "readings_total": "readings stored",
    "queue_messages": "messages waiting to be decoded",
    "queue_bytes": "bytes waiting to be decoded",
    "journal_bytes": "bytes of the journal",
    "journal_fill_pct": "how full the journal is, in percent of its bound",
    "unacknowledged": "messages of this connection without an acknowledgement",
    "oldest_unacknowledged_s": "age of the oldest of them",
    "reading_paused": "1 while the queue is full and the socket is left alone",
    "connected": "1 while connected to the broker and subscribed",
    "reconnects_total": "connections to the broker after the first",
    "sessions_lost_total": "times the broker had forgotten our session",
    "network_failures_total": "exceptions in the network thread",
    "store_open": "1 while the store takes readings",
    "balanced": "1 when received = stored + journalled + quarantined + in flight",
}


def figures(ingest: Ingest) -> dict[str, float]:
    """Every figure by its name without prefix, in the order of the help texts."""
    account, link = ingest.account, ingest.link
    counts = asdict(account)
    found = {name: float(counts[name.removesuffix("_total")])
             for name in list(_HELP)[:7]}
    return found | {
        "queue_messages": float(ingest.intake.messages),
        "queue_bytes": float(ingest.intake.bytes),
        "journal_bytes": float(ingest.journal.size_bytes),
        "journal_fill_pct": ingest.journal.fill_pct,
        "unacknowledged": float(link.unacknowledged),
        "oldest_unacknowledged_s": link.oldest_unacknowledged_s(),
        "reading_paused": float(link.state.paused),
        "connected": float(link.ready),
        "reconnects_total": float(link.state.reconnects),
        "sessions_lost_total": float(link.sessions_lost),
        "network_failures_total": float(link.state.failures),
        "store_open": float(ingest.store.gate.is_open),
        "balanced": float(account.balanced),
    }


def prometheus_text(ingest: Ingest) -> str:
    """The figures in the text format of Prometheus."""
    lines = []
    for name, value in figures(ingest).items():
        kind = "counter" if name.endswith("_total") else "gauge"
        full = f"seatwatt_ingest_{name}"
        lines += [f"# HELP {full} {_HELP[name]}", f"# TYPE {full} {kind}",
                  f'{full}{{worker="{ingest.name}"}} {value:.17g}']
    return "\n".join(lines) + "\n"


def problems(ingest: Ingest) -> list[str]:
    """Why the service is not ready; empty when it is."""
    found = [ingest.failed, ingest.store.gate.problem, ingest.places.quarantine_problem,
             ingest.committer.problem]
    if not ingest.link.ready:
        found.append(ingest.link.state.problem or "not connected to the broker")
    if ingest.journal.fill_pct >= ingest.settings.ingest_journal_alarm_pct:
        found.append(f"journal {ingest.journal.fill_pct:.0f} % full")
    return [problem for problem in found if problem]


def pipeline_point(ingest: Ingest, now_ms: int) -> DerivedPoint:
    """The figures as one point of the `pipeline` measurement."""
    return DerivedPoint("pipeline", (("stage", "ingest"), ("worker", ingest.name)),
                        tuple(figures(ingest).items()), now_ms)


class MetricsServer:
    """A small HTTP server with two pages, in a thread of its own."""

    def __init__(self, ingest: Ingest, host: str, port: int) -> None:
        """SettingsError when the port is in use."""
        class Handler(_Handler):
            of = ingest

        try:
            self._server = ThreadingHTTPServer((host, port), Handler)
        except OSError as error:
            raise SettingsError(f"SEATWATT_INGEST_METRICS_PORT: cannot listen on {host}:{port}: "
                                f"{error.strerror}") from None
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, name="ingest-metrics",
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
    of: Ingest

    def do_GET(self) -> None:
        """Answer /metrics and /readyz."""
        if self.path == "/metrics":
            self._answer(HTTPStatus.OK, prometheus_text(self.of), "; version=0.0.4")
        elif self.path == "/readyz":
            found = problems(self.of)
            status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
            self._answer(status, "\n".join(found or ["ready"]) + "\n")
        else:
            self._answer(HTTPStatus.NOT_FOUND, "here are /metrics and /readyz\n")

    def log_message(self, *_ignored: object) -> None:
        """Requests are not news."""

    def _answer(self, status: HTTPStatus, text: str, version: str = "") -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", f"text/plain{version}; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

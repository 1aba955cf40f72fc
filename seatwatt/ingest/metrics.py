"""What the service says of itself: /metrics (Prometheus text), /readyz, and pipeline points."""

from dataclasses import asdict
from http import HTTPStatus

from seatwatt.ingest.pages import Page
from seatwatt.ingest.service import Ingest
from seatwatt.store.ports import DerivedPoint

_HELP = {
    "received_total": "messages taken from the broker, or found in the journal at start",
    "stored_total": "messages whose readings are in the store",
    "journalled": "messages on our own disk, not yet in the store",
    "quarantined_total": "messages with a refused record, kept in the quarantine",
    "in_flight": "messages in memory, not acknowledged",
    "aside_total": "status messages, receipts and figures of the broker seen",
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
    "broker_dropped_total": "messages the broker says it dropped since it began, of any client",
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
        "broker_dropped_total": float(ingest.drops.total),
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


def pages(ingest: Ingest) -> dict[str, Page]:
    """/metrics and /readyz of one worker."""
    def metrics() -> tuple[HTTPStatus, str]:
        return HTTPStatus.OK, prometheus_text(ingest)

    def readyz() -> tuple[HTTPStatus, str]:
        found = problems(ingest)
        status = HTTPStatus.SERVICE_UNAVAILABLE if found else HTTPStatus.OK
        return status, "\n".join(found or ["ready"]) + "\n"

    return {"/metrics": metrics, "/readyz": readyz}

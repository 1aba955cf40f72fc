"""`seatwatt event`: mark on the dashboards what no meter can tell, maintenance above all."""

from datetime import datetime
from typing import Annotated

import typer

from seatwatt.api.jobs.happenings import event_at
from seatwatt.contract.devices import check_identifier
from seatwatt.contract.errors import InputError
from seatwatt.contract.intervals import to_ms
from seatwatt.settings import StoreSettings
from seatwatt.store.open import open_writer

app = typer.Typer(add_completion=False)


@app.command()
def event(site: Annotated[str, typer.Argument(help="the site's id")],
          from_: Annotated[str, typer.Argument(metavar="FROM", help="RFC 3339, with its offset")],
          to: Annotated[str, typer.Argument(metavar="TO", help="RFC 3339, with its offset")],
          title: Annotated[str, typer.Argument(help="what is done, in a line")],
          subject: Annotated[str, typer.Option(help="what it concerns")] = "site") -> None:
    """Mark maintenance on the site's dashboards; the same start and subject again replace it.

    Example: seatwatt event workaround 2026-10-07T11:00+05:00 2026-10-07T12:30+05:00 "board B off"
    """
    check_identifier("site", site)
    from_ms, to_ms = _instant_ms("FROM", from_), _instant_ms("TO", to)
    if to_ms < from_ms:
        raise InputError("TO", f"{to} is before {from_}", "an end after the start")
    if not title.strip():
        raise InputError("TITLE", "it is empty", "what is done, in a line")
    writer = open_writer(StoreSettings.load())
    try:
        writer.write_derived([event_at(site, "maintenance", subject, title, title, from_ms,
                                       to_ms)])
    finally:
        writer.close()
    print(f"{site}: maintenance from {from_} to {to}: {title}")


def _instant_ms(name: str, text: str) -> int:
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise InputError(name, f"{text!r} is no instant", "such as 2026-10-07T11:00+05:00")
    return to_ms(at)

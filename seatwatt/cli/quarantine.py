"""`seatwatt quarantine`: list, show and replay refused messages."""

import json
import re
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from seatwatt.cli.progress import Work
from seatwatt.cli.publishing import Publisher
from seatwatt.contract.errors import InputError
from seatwatt.contract.rules import Rule
from seatwatt.ledger.open import open_existing
from seatwatt.ledger.quarantine import Kept, Quarantine
from seatwatt.settings import BrokerSettings, LedgerSettings

app = typer.Typer(no_args_is_help=True, help="Refused messages. Example: "
                  "[bold]seatwatt quarantine list --rule T08[/bold]", rich_markup_mode="rich")

PAGE = 500
_SECOND = len("2026-11-01T12:00:00")
_WIDTH = 160
_SHOWN = 4_000
_CONTROL = re.compile(r"[^\n\t -~\u00a0-\U0010ffff]")

RuleOption = Annotated[str, typer.Option(help="only this rule, such as T08")]
SiteOption = Annotated[str, typer.Option(help="only this site")]
TopicOption = Annotated[str, typer.Option(help="only topics that begin so")]


@app.command("list")
def list_(rule: RuleOption = "", site: SiteOption = "", topic: TopicOption = "",
          limit: Annotated[int, typer.Option(min=1, help="at most so many")] = 100,
          after: Annotated[int, typer.Option(min=0, help="only ids above this one")] = 0,
          as_json: Annotated[bool, typer.Option("--json", help="one JSON object a line")] = False
          ) -> None:
    """List refused messages, oldest first. Example: seatwatt quarantine list --site peshawar"""
    quarantine = _open()
    wanted = _filters(rule, site, topic)
    kept = quarantine.list(limit=limit, after_id=after, **wanted)
    if as_json:
        for each in kept:
            print(json.dumps(_document(each)))
        return
    table = Table("id", Column("received (UTC)", no_wrap=True), "rule",
                  Column("topic", overflow="fold"), "bytes", Column("detail", overflow="fold"),
                  box=None)
    for each in kept:
        message = each.message
        table.add_row(str(each.id), _time(message.received_at_ms)[:_SECOND], message.rule.name,
                      Text(message.topic), str(len(message.payload)), Text(message.detail))
    console = Console(width=None if sys.stdout.isatty() else _WIDTH)
    console.print(table)
    console.print(f"{len(kept)} of {quarantine.count(**wanted)} messages")


@app.command()
def show(message_id: Annotated[int, typer.Argument(metavar="ID")]) -> None:
    """Show one message with its payload. Example: seatwatt quarantine show 17"""
    kept = _open().get(message_id)
    message = kept.message
    print(f"id:       {kept.id}\ntopic:    {message.topic}\n"
          f"received: {_time(message.received_at_ms)} UTC\n"
          f"rule:     {message.rule.name} {message.rule.title}\ndetail:   {message.detail}\n"
          f"payload:  {len(message.payload)} bytes")
    print(_legible(_payload(message.payload), cut=sys.stdout.isatty()))


@app.command()
def replay(ids: Annotated[list[int] | None, typer.Argument(metavar="[ID]...")] = None,
           everything: Annotated[bool, typer.Option("--all", help="all that match")] = False,
           rule: RuleOption = "", site: SiteOption = "", topic: TopicOption = "") -> None:
    """Publish messages again as they came, and forget each once the broker has taken it.

    One that is still wrong comes back with a new id. Example: seatwatt quarantine replay --all
    --rule T06
    """
    wanted = _filters(rule, site, topic)
    if bool(ids) == bool(everything or wanted):
        raise InputError("quarantine replay", "it is unclear what to replay",
                         "ids, or --all, --rule, --site or --topic")
    quarantine = _open()
    if ids:
        messages = [quarantine.get(message_id) for message_id in dict.fromkeys(ids)]
        _replay(quarantine, iter([messages]), len(messages))
    else:
        pages = iter(lambda: quarantine.list(limit=PAGE, **wanted), [])
        _replay(quarantine, pages, quarantine.count(**wanted))


def _replay(quarantine: Quarantine, pages: Iterator[list[Kept]], total: int) -> None:
    # What is refused again comes back behind what was there: the count taken first is the end.
    left = total
    settings = BrokerSettings.load()
    with Publisher(settings) as publisher, Work("replaying", total, "messages") as work:
        while left and (page := next(pages, [])[:left]):
            publisher.publish([(k.message.topic, k.message.payload) for k in page])
            quarantine.remove([kept.id for kept in page])
            left -= len(page)
            work.advance(len(page))
    print(f"{total - left} messages replayed")


def _open() -> Quarantine:
    return Quarantine(open_existing(LedgerSettings.load()))


def _filters(rule: str, site: str, topic: str) -> dict[str, Any]:
    filters: dict[str, Any] = {}
    if rule:
        refusing = [name for name in Rule.__members__ if name.startswith("T")]
        if rule not in refusing:
            raise InputError("--rule", f"{rule!r} refuses no message", ", ".join(refusing))
        filters["rule"] = Rule[rule]
    if site:
        filters["site"] = site
    if topic:
        filters["topic_prefix"] = topic
    return filters


def _document(kept: Kept) -> dict[str, Any]:
    message = kept.message
    return {"id": kept.id, "received_at": _time(message.received_at_ms) + "Z",
            "rule": message.rule.name, "topic": message.topic, "detail": message.detail,
            "payload": _payload(message.payload)}


def _payload(payload: bytes) -> str:
    return payload.decode("utf-8", "backslashreplace")


def _legible(text: str, *, cut: bool) -> str:
    """What a terminal may be given: no control characters, which could steer it."""
    shown = _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", text[:_SHOWN] if cut else text)
    more = f"... and {len(text) - _SHOWN:,} characters more: | cat shows them"
    return f"{shown}\n{more}" if cut and len(text) > _SHOWN else shown


def _time(at_ms: int) -> str:
    at = datetime.fromtimestamp(at_ms / 1000, UTC)
    return at.replace(tzinfo=None).isoformat(timespec="milliseconds")

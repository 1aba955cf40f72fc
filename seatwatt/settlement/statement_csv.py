"""Statements as tables: one party's lines, and the accountant's pack of a run."""

import csv
import io
import zipfile
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from seatwatt.settlement.statement_pdf import statement_pdf

HEADING = ("statement", "party", "party_name", "from", "to", "kind", "supplier", "bill", "line",
           "line_from", "line_to", "share_by", "weight", "weights", "currency", "line_amount",
           "amount", "energy_wh", "state", "digest")

_FREE = ("party_name", "supplier")
"""Columns that people fill as they like; all others are numbers, dates and identifiers."""

_FORMULAS = ("=", "+", "-", "@", "\t", "\r")

ZIP_TIME = (1980, 1, 1, 0, 0, 0)
"""The least that a ZIP can say, so that the same statements make the same file."""


def statements_csv(documents: Sequence[dict[str, Any]]) -> str:
    """A line each of every statement: charges, occupancy, adjustments, then the total a currency
    and the energy. Amounts are texts with the currency's decimals."""
    out = io.StringIO()
    writer = csv.DictWriter(out, HEADING, restval="", lineterminator="\n")
    writer.writeheader()
    for document in documents:
        writer.writerows({**row, **{name: _plain(row.get(name, "")) for name in _FREE}}
                         for row in _rows(document))
    return out.getvalue()


def _plain(text: str) -> str:
    """A name that spreadsheets would compute, with the apostrophe that makes it a text."""
    return f"'{text}" if text.startswith(_FORMULAS) else text


def pack(documents: Sequence[dict[str, Any]], show: Callable[[int], None] = lambda _: None
         ) -> bytes:
    """A ZIP of one PDF a party, named by number or, of a draft, by party; `show` is told how many
    are made."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for made, document in enumerate(documents, start=1):
            name = f"{document['number'] or 'draft'}-{document['party']['id']}.pdf"
            archive.writestr(zipfile.ZipInfo(name, ZIP_TIME), statement_pdf(document))
            show(made)
    return out.getvalue()


def _rows(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    head = {"statement": document["number"] or "", "party": document["party"]["id"],
            "party_name": document["party"]["name"], "from": document["period"]["from"],
            "to": document["period"]["to"], "state": document["state"],
            "digest": document["digest"]}
    for row in document["charges"]:
        yield {**head, "kind": "provisional" if row["provisional"] else "charge",
               "supplier": row["supplier"], "bill": row["bill"], "line": row["line"],
               "line_from": row["from"], "line_to": row["to"], "share_by": row["share_by"],
               "weight": row["weight"], "weights": row["weights"], "currency": row["currency"],
               "line_amount": row["amount"], "amount": row["share"]}
    for row in document["occupancy"]:
        yield {**head, "kind": "occupancy", "line": row["plan"], "line_from": row["from"],
               "line_to": row["to"], "share_by": "seat-days", "weight": row["seat_days"],
               "currency": row["currency"], "amount": row["share"]}
    for row in document["adjustments"]:
        yield {**head, "kind": "adjustment", "bill": f"run {row['of_run']}", "line": row["line"],
               "line_from": row["from"], "line_to": row["to"], "currency": row["currency"],
               "amount": row["share"]}
    for currency, total in document["totals"].items():
        yield {**head, "kind": "total", "currency": currency, "amount": total}
    yield {**head, "kind": "energy", "energy_wh": document["energy"]["energy_wh"]}

"""A statement as a page for people."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typst

from seatwatt.settlement.run_compute import as_text

TEMPLATE = Path(__file__).with_name("statement.typ")
DRAFTED_AT = datetime(2000, 1, 1, tzinfo=UTC)
"""What a draft's file says of its creation: the same draft is the same file."""


def statement_pdf(document: dict[str, Any]) -> bytes:
    """The PDF of a statement document, the same bytes each time on one machine."""
    issued = document["issued_at"]
    at = DRAFTED_AT if issued is None else datetime.fromisoformat(issued.replace("Z", "+00:00"))
    pdf = typst.compile(TEMPLATE, format="pdf", timestamp=at,
                        sys_inputs={"statement": as_text(document)})
    if not isinstance(pdf, bytes):
        raise TypeError("typst gave several files where one page was asked for")
    return pdf

"""InfluxQL on the real server, as Grafana's data source asks it."""

import base64
import json
import urllib.error
import urllib.parse
import urllib.request
from dataclasses import dataclass


@dataclass(frozen=True)
class Frame:
    """One series of an answer."""

    tags: dict[str, str]
    columns: list[str]
    rows: list[list[object]]

    def column(self, name: str) -> list[object]:
        return [row[self.columns.index(name)] for row in self.rows]

    def pairs(self) -> list[tuple[int, float]]:
        """Time and value of the first column, nulls left out."""
        return [(int(str(row[0])), float(str(row[1]))) for row in self.rows if row[1] is not None]


def ask(port: int, database: str, query: str, login: tuple[str, str] | None = None
        ) -> list[Frame]:
    """The frames of the first result; AssertionError with the server's words for an error."""
    url = f"http://127.0.0.1:{port}/query?db={urllib.parse.quote(database)}&epoch=ms"
    body = urllib.parse.urlencode({"q": query}).encode()
    request = urllib.request.Request(url, data=body)
    if login:
        token = base64.b64encode(":".join(login).encode()).decode()
        request.add_header("Authorization", f"Basic {token}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            result = json.load(answer)["results"][0]
    except urllib.error.HTTPError as error:
        raise AssertionError(f"{error.read().decode()}: {query}") from None
    assert "error" not in result, f"{result['error']}: {query}"
    return [Frame(series.get("tags", {}), series["columns"], series["values"])
            for series in result.get("series", [])]

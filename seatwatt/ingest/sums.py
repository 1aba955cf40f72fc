"""What all workers say of themselves, side by side and summed."""

import re
import urllib.error
import urllib.request
from collections.abc import Sequence
from http import HTTPStatus

_SAMPLE = re.compile(r'seatwatt_ingest_(?P<name>\w+)\{worker="[^"]*"\} (?P<value>\S+)')
_TIMEOUT_S = 5.0
_SUMMED = ("received_total", "stored_total", "journalled", "quarantined_total", "in_flight",
           "aside_total", "readings_total", "journal_bytes", "unacknowledged")


def summed(texts: Sequence[str]) -> str:
    """Every worker's samples, the help once, and `seatwatt_ingest_all_...` with the sums."""
    lines, seen, sums = [], set(), dict.fromkeys(_SUMMED, 0.0)
    for line in (line for text in texts for line in text.splitlines()):
        if line.startswith("#") and line in seen:
            continue
        seen.add(line)
        lines.append(line)
        found = _SAMPLE.fullmatch(line)
        if found and found["name"] in sums:
            sums[found["name"]] += float(found["value"])
    for name, value in sums.items():
        kind = "counter" if name.endswith("_total") else "gauge"
        lines += [f"# TYPE seatwatt_ingest_all_{name} {kind}",
                  f"seatwatt_ingest_all_{name} {value:.17g}"]
    lines.sort(key=lambda line: line.lstrip("# ").removeprefix("HELP ").removeprefix("TYPE ")
               .partition("{")[0].partition(" ")[0])
    return "\n".join(lines) + "\n"


class Fleet:
    """Asks the workers on their ports."""

    def __init__(self, host: str, ports: Sequence[int]) -> None:
        self._host, self._ports = host, ports

    def metrics(self) -> tuple[HTTPStatus, str]:
        """The page /metrics; a worker that does not answer is left out of it."""
        answers = [self._ask(port, "metrics") for port in self._ports]
        return HTTPStatus.OK, summed([text for status, text in answers if status == 200])

    def readyz(self) -> tuple[HTTPStatus, str]:
        """The page /readyz: ready when every worker is."""
        lines = []
        for number, port in enumerate(self._ports, start=1):
            status, text = self._ask(port, "readyz")
            if status != 200:
                lines += [f"worker {number}: {line}" for line in text.splitlines()]
        if lines:
            return HTTPStatus.SERVICE_UNAVAILABLE, "\n".join(lines) + "\n"
        return HTTPStatus.OK, "ready\n"

    def _ask(self, port: int, page: str) -> tuple[int, str]:
        try:
            with urllib.request.urlopen(f"http://{self._host}:{port}/{page}",
                                        timeout=_TIMEOUT_S) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read().decode()
        except OSError as error:
            return 0, f"does not answer: {error}"

"""What the ingest benchmark sends, and how it asks whether everything has arrived."""

import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass

from seatwatt.cli._raw_publisher import packets

_SEATS = 350
_SEATS_IN_PACK = 75
# Long ago enough for no clock to find it in the future.
_START_S = 1_760_000_000


@dataclass(frozen=True, slots=True)
class Load:
    """Packets ready to send; all their readings have the load's own site."""

    site: str
    packets: list[bytes]
    readings: int
    fields: tuple[str, ...]
    portion: int
    """Packets that go to the socket at once."""


def one_value_each(site: str, messages: int) -> Load:
    """One reading a message."""
    made: Iterator[tuple[str, bytes]] = (
        (f"seatwatt/v1/{site}/seat/hall-a/{number % _SEATS:03d}",
         b'[{"bt":%d,"n":"power","u":"W","v":%.1f}]' % (_START_S + number // _SEATS,
                                                      number % 1000 / 10))
        for number in range(messages))
    return Load(site, packets(made), messages, ("power_w",), 500)


def seats_of_four(site: str, messages: int) -> Load:
    """One seat a message, four values each."""
    made = ((f"seatwatt/v1/{site}/seat/hall-a/{number % _SEATS:03d}",
             _to_json(_seat("", number, _START_S + number // _SEATS)))
            for number in range(messages))
    return Load(site, packets(made), 4 * messages, _FIELDS, 500)


def packs(site: str, messages: int) -> Load:
    """75 seats of four values a message."""
    made = ((f"seatwatt/v1/{site}/pack/hall-a/gateway-1", _to_json(_pack(number)))
            for number in range(messages))
    return Load(site, packets(made), 4 * _SEATS_IN_PACK * messages, _FIELDS, 10)


def queryable(port: int, load: Load) -> int:
    """Readings of the load that InfluxDB returns now."""
    counts = ", ".join(f'count("{name}")' for name in load.fields)
    asked = urllib.parse.urlencode({
        "db": "bench", "q": f"SELECT {counts} FROM seat WHERE site = '{load.site}'"})
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/query?{asked}", timeout=60) as answer:
            series = json.load(answer)["results"][0].get("series", [])
    except urllib.error.URLError:
        return 0
    return sum(count or 0 for one in series for count in one["values"][0][1:])


_FIELDS = ("power_w", "energy_wh", "voltage_v", "current_a")


def _seat(base: str, number: int, taken_at_s: int) -> list[dict[str, object]]:
    return [{"bn": base, "bt": taken_at_s, "n": "power", "u": "W", "v": 80 + number % 400 / 10},
            {"n": "energy", "u": "Wh", "v": 412_387.5 + number / 10},
            {"n": "voltage", "u": "V", "v": 220 + number % 200 / 10},
            {"n": "current", "u": "A", "v": 0.3 + number % 100 / 1000}]


def _pack(number: int) -> list[dict[str, object]]:
    records = [record for seat in range(_SEATS_IN_PACK)
               for record in _seat(f"seat/hall-a/{seat:03d}/", number + seat, _START_S + number)]
    return [*records, {"bn": "", "n": "gateway/hall-a/gateway-1/pack", "vs": f"1-{number}"}]


def _to_json(records: list[dict[str, object]]) -> bytes:
    return json.dumps(records, separators=(",", ":")).encode()

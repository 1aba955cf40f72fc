"""How Grafana turns a panel's query into InfluxQL: variables in the browser, times in the data
source. Read from the source of both; numbers are Grafana's own."""

import re
from collections.abc import Mapping, Sequence

MINUTE_MS = 60_000
_ESCAPE = re.compile(r"[\\^$*+?.()|\[\]{}/]")
_VARIABLE = re.compile(r"\$\{(\w+)(?::(\w+))?\}")
# interval below the limit -> step, milliseconds (rangeUtil.roundInterval, from a minute up)
_STEPS = ((45_000, 30_000), (90_000, 60_000), (210_000, 120_000), (450_000, 300_000),
          (750_000, 600_000), (1_050_000, 900_000), (1_500_000, 1_200_000),
          (2_700_000, 1_800_000), (5_400_000, 3_600_000), (9_000_000, 7_200_000),
          (16_200_000, 10_800_000), (32_400_000, 21_600_000), (86_400_000, 43_200_000),
          (604_800_000, 86_400_000), (1_814_400_000, 604_800_000))
_UNITS = (("w", 604_800_000), ("d", 86_400_000), ("h", 3_600_000), ("m", 60_000), ("s", 1000))


def interval_ms(from_ms: int, to_ms: int, lowest: str, points: int = 1000) -> int:
    """`$__interval` of a panel that is `points` pixels wide."""
    wanted = (to_ms - from_ms) / points
    step = next((step for limit, step in _STEPS if wanted < limit), 2_592_000_000)
    return max(step, as_ms(lowest))


def as_ms(text: str) -> int:
    """`5m` -> 300000."""
    units = dict(_UNITS)
    return int(text[:-1]) * units[text[-1]]


def as_text(milliseconds: int) -> str:
    """300000 -> `5m`."""
    return next(f"{milliseconds // size}{unit}" for unit, size in _UNITS
                if milliseconds % size == 0)


def with_variables(text: str, values: Mapping[str, Sequence[str]]) -> str:
    """Every `${name:regex}` replaced; KeyError for one that the dashboard does not have."""

    def replace(match: re.Match[str]) -> str:
        name, form = match.groups()
        if form != "regex":
            raise ValueError(f"{match.group()} is not written as ${{{name}:regex}}")
        escaped = [_ESCAPE.sub(r"\\\g<0>", value) for value in values[name]]
        return escaped[0] if len(escaped) == 1 else f"({'|'.join(escaped)})"

    return _VARIABLE.sub(replace, text)


def with_times(text: str, from_ms: int, to_ms: int, step_ms: int) -> str:
    """What the data source puts in."""
    return (text.replace("$timeFilter", f"time >= {from_ms}ms and time <= {to_ms}ms")
            .replace("$__interval_ms", str(step_ms)).replace("$__interval", as_text(step_ms)))

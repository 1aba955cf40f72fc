"""InfluxQL of panels: one level where possible, every variable as `=~ /^${name:regex}$/`."""

from collections.abc import Sequence
from dataclasses import dataclass

DATASOURCE_UID = "seatwatt-influxdb"

SITE = '"site" =~ /^${site:regex}$/'
ZONE = '"zone" =~ /^${zone:regex}$/'
TENANT = '"tenant" =~ /^${tenant:regex}$/'
DEVICE = '"device" =~ /^${device:regex}$/'
HOUR = '"hour" =~ /^${hour:regex}$/'
WEEKDAY = '"weekday" =~ /^${weekday:regex}$/'


SOURCES = ("grid", "generator", "solar")
BAND_FIELDS, SOURCE_FIELDS = "/^band_.*_wh/", "/^source_.*_wh/"
"""One field a band, one a source: a site's tariff and meters say which there are."""


@dataclass(frozen=True, slots=True)
class Query:
    """One target of a panel. Without `table` it is a time series, named by `alias`."""

    text: str
    alias: str = ""
    table: bool = False


def every(expression: str, measurement: str, where: Sequence[str], by: Sequence[str] = (),
          alias: str = "", fill: str = "null") -> Query:
    """A value for each interval of the panel, by tags."""
    groups = ", ".join(["time($__interval)", *(f'"{tag}"' for tag in by)])
    return Query(f"SELECT {expression} {_from(measurement, where)} GROUP BY {groups} fill({fill})",
                 alias or _alias(by))


def total(expression: str, measurement: str, where: Sequence[str], by: Sequence[str] = (),
          alias: str = "", table: bool = False) -> Query:
    """One value over the dashboard's range, by tags."""
    groups = f" GROUP BY {_tags(by)}" if by else ""
    return Query(f"SELECT {expression} {_from(measurement, where)}{groups}",
                 "" if table else alias or _alias(by), table)


def points(expression: str, measurement: str, where: Sequence[str], by: Sequence[str] = (),
           alias: str = "", table: bool = False) -> Query:
    """The points as they were written: days, months, events."""
    return total(expression, measurement, where, by, alias, table)


def summed(field: str, measurement: str, where: Sequence[str], inner: Sequence[str],
           alias: str = "", by: Sequence[str] = ()) -> Query:
    """The sum over `inner` of each interval's mean. fill(none): other fills are wrong inside."""
    groups = ", ".join(["time($__interval)", *(f'"{tag}"' for tag in by)])
    return Query(
        f'SELECT sum("part") FROM (SELECT mean("{field}") AS "part" {_from(measurement, where)} '
        f'GROUP BY time($__interval), {_tags(inner)} fill(none)) '
        f'WHERE $timeFilter GROUP BY {groups} fill(none)', alias or _alias(by))


def latest_sum(field: str, measurement: str, where: Sequence[str], inner: Sequence[str],
               by: Sequence[str], alias: str = "") -> Query:
    """The sum of each series' last value, by tags."""
    return Query(
        f'SELECT sum("part") FROM (SELECT last("{field}") AS "part" {_from(measurement, where)} '
        f'GROUP BY {_tags(inner)}) WHERE $timeFilter GROUP BY {_tags(by)}',
        alias or _alias(by))


def risen(counter: str, measurement: str, by: Sequence[str]) -> str:
    """InfluxQL of how much a counter rose; one that began anew did not fall."""
    return (f'SELECT sum("more") FROM (SELECT non_negative_difference("{counter}") AS "more" '
            f'{_from(measurement, [])} GROUP BY {_tags(by)}) WHERE $timeFilter '
            f'GROUP BY {_tags(by)}')


def _from(measurement: str, where: Sequence[str]) -> str:
    return f'FROM "{measurement}" WHERE {" AND ".join([*where, "$timeFilter"])}'


def _tags(tags: Sequence[str]) -> str:
    return ", ".join(f'"{tag}"' for tag in tags)


def _alias(by: Sequence[str]) -> str:
    return " ".join(f"$tag_{tag}" for tag in by)

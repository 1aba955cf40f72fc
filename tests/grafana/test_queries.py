"""Every panel, variable and annotation on the real InfluxDB, interpolated as Grafana does."""

from collections.abc import Mapping, Sequence

import pytest

from seatwatt.store.influx import InfluxWriter
from seatwatt.store.influx_http import InfluxAddress
from seatwatt.store.ports import DerivedPoint
from tests.grafana.files import Target, annotations, targets, variables
from tests.grafana.influx import Frame, ask
from tests.grafana.interpolation import as_ms, interval_ms, with_times, with_variables
from tests.grafana.seeding import Seeded
from tests.grafana.world import MINUTES, Incident

HOURS = {"an hour": 1, "a day": 24, "thirty days": 720}
ALL: Mapping[str, Sequence[str]] = {
    "site": ["one"], "zone": ["hall-a", "hall-b", "plant"], "tenant": ["alpha", "beta", "operator"],
    "device": ["001", "002", "board", "grid", "generator", "lift", "ups-1", "ups-2", "isp-1",
               "gw-1", "presence"],
    "hour": [f"{hour:02}" for hour in range(24)], "weekday": ["3-wed", "4-thu", "5-fri"]}
NASTY = ["O'Neil & Co", 'say "hi"', "3rd floor (A)", "a/b", "x|y", "$1 [z]", "back\\slash", "é"]
NOT_HERE = "solar"
"""A source that this site does not have."""
RARE = ("events", "tenant_month", "tenant_cost")
"""Written when something happens, or at a month's first midnight: not within each day."""


def frames(seeded: Seeded, query: str, hours: float, values: Mapping[str, Sequence[str]],
           lowest: str = "1m", to_ms: int | None = None) -> list[Frame]:
    end_ms = to_ms or seeded.world.now_ms
    start_ms = end_ms - round(hours * 3_600_000)
    text = with_times(with_variables(query, values), start_ms, end_ms,
                      interval_ms(start_ms, end_ms, lowest))
    return ask(seeded.port, seeded.database, text)


def has_value(found: Sequence[Frame]) -> bool:
    return any(value is not None for frame in found for row in frame.rows for value in row[1:])


def check_times(found: Sequence[Frame]) -> None:
    """Rising and unique in each series, no tags twice."""
    tags = [tuple(sorted(frame.tags.items())) for frame in found]
    assert len(set(tags)) == len(tags)
    for frame in found:
        times = [int(str(value)) for value in frame.column("time")]
        assert times == sorted(set(times))


@pytest.mark.parametrize("hours", list(HOURS.values()), ids=list(HOURS))
@pytest.mark.parametrize("target", list(targets()), ids=lambda target: target.where)
def test_each_panel_has_values(seeded: Seeded, target: Target, hours: int) -> None:
    found = frames(seeded, target.query, hours, ALL, target.panel["interval"])
    if target.target["resultFormat"] == "time_series":
        check_times(found)
    wanted_tags = {token[5:] for token in target.target.get("alias", "").split()
                   if token.startswith("$tag_")}
    assert all(wanted_tags <= set(frame.tags) for frame in found)
    rare = any(f'FROM "{name}"' in target.query for name in RARE)
    if NOT_HERE in target.query:
        assert not has_value(found)
    elif hours == 720 or (hours == 24 and not rare):
        assert has_value(found), target.query


@pytest.mark.parametrize("target", list(targets()), ids=lambda target: target.where)
def test_one_value_and_nasty_values_are_no_error(seeded: Seeded, target: Target) -> None:
    one = {name: values[:1] for name, values in ALL.items()}
    frames(seeded, target.query, 24, one, target.panel["interval"])
    for chosen in ([value] for value in NASTY):
        assert not has_value(frames(seeded, target.query, 24, dict.fromkeys(ALL, chosen))) \
            or not any(f"${{{name}:" in target.query for name in ALL)
    frames(seeded, target.query, 24, dict.fromkeys(ALL, NASTY))


CHOSEN = {"zone": "hall-b", "tenant": "beta", "device": "ups-2"}


@pytest.mark.parametrize("target", [each for each in targets() if any(
    f"${{{name}:" in each.query for name in CHOSEN)], ids=lambda target: target.where)
def test_what_is_chosen_is_shown_and_nothing_else(seeded: Seeded, target: Target) -> None:
    """By tag where there is one; a sum over what is chosen is less than the sum over all."""
    filtered = [name for name in CHOSEN if f"${{{name}:" in target.query]
    chosen = {**ALL, **{name: [value] for name, value in CHOSEN.items()
                        if name != "zone" or "device" not in filtered}}
    every_frame = frames(seeded, target.query, 720, ALL, target.panel["interval"])
    found = frames(seeded, target.query, 720, chosen, target.panel["interval"])
    told = [name for name in filtered if any(name in frame.tags for frame in every_frame)]
    if told:
        assert tags_of(found) == {tags for tags in tags_of(every_frame) if all(
            dict(tags)[name] in chosen[name] for name in told)}
    elif has_value(every_frame):
        assert total(found) < total(every_frame)


def tags_of(found: Sequence[Frame]) -> set[tuple[tuple[str, str], ...]]:
    return {tuple(sorted(frame.tags.items())) for frame in found}


def total(found: Sequence[Frame]) -> float:
    return sum(float(str(value)) for frame in found for row in frame.rows for value in row[1:]
               if value is not None)


NOW = ("Seats occupied", "Load", "Load of the sanctioned load", "Silent devices", "Ingest lag",
       "Occupied share by zone", "Charge now", "Devices by age")


@pytest.mark.parametrize("target", [each for each in targets() if each.panel["title"] in NOW
                                    and each.panel["type"] != "timeseries"],
                         ids=lambda target: target.where)
def test_what_was_said_hours_ago_is_not_shown_as_now(seeded: Seeded, target: Target) -> None:
    """A panel's last value that is there is the last of its range."""
    hours = as_ms(target.panel["timeFrom"]) / 3_600_000
    lowest = target.panel["interval"]
    assert has_value(frames(seeded, target.query, hours, ALL, lowest))
    assert not has_value(frames(seeded, target.query, hours, ALL, lowest,
                                seeded.world.at_ms(MINUTES + 240)))


@pytest.mark.parametrize("nasty", NASTY)
def test_a_nasty_name_is_found_and_no_other(seeded: Seeded, nasty: str) -> None:
    writer = InfluxWriter(InfluxAddress(host="127.0.0.1", port=seeded.port, database="nasty"),
                          create=True)
    writer.write_derived([DerivedPoint("tenant_day", (("site", "s"), ("tenant", name)),
                                       (("energy_wh", 1000.0),), seeded.world.now_ms - 1000)
                          for name in (nasty, "other")])
    writer.close()
    query = next(each.query for each in targets()
                 if each.where.startswith("sw-tenants: Daily energy"))
    text = with_times(with_variables(query, {"site": ["s"], "tenant": [nasty]}),
                      seeded.world.now_ms - 60_000, seeded.world.now_ms, 60_000)
    assert [frame.tags for frame in ask(seeded.port, "nasty", text)] == [{"tenant": nasty}]


@pytest.mark.parametrize(("where", "query"), list(variables()), ids=lambda value: value[:30])
def test_each_variable_offers_something(seeded: Seeded, where: str, query: str) -> None:
    [frame] = ask(seeded.port, seeded.database, with_variables(query, ALL))
    name = where.partition("$")[2]
    offered = {str(row[1]) for row in frame.rows}
    assert offered & set(ALL[name])


@pytest.mark.parametrize(("where", "query"), list(annotations()), ids=lambda value: value[:30])
def test_each_annotation_shows_what_happened(seeded: Seeded, where: str, query: str) -> None:
    [frame] = frames(seeded, query, 720, ALL)
    assert frame.columns == ["time", "title", "tags", "end_ms"]
    assert all(None not in row for row in frame.rows)


def test_the_outage_is_annotated_from_end_to_end(seeded: Seeded) -> None:
    query = dict(annotations())["sw-overview: Outages"]
    [frame] = frames(seeded, query, 720, ALL)
    at = seeded.world.at_ms
    assert [(row[0], row[3]) for row in frame.rows] == [
        (at(Incident.OUTAGE.start), at(Incident.OUTAGE.stop))]

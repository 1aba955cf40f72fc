"""How a preview draws each kind of panel: enough to read it, without imitating Grafana."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from matplotlib.axes import Axes
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from matplotlib.patches import Rectangle

from tests.grafana.files import Json
from tests.grafana.influx import Frame

ZONE = ZoneInfo("Asia/Karachi")
DAY_MS = 86_400_000
UNITS = {"watt": "W", "kwatth": "kWh", "watth": "Wh", "volt": "V", "amp": "A", "hertz": "Hz",
         "percent": "%", "celsius": "°C", "voltamp": "VA", "none": "", "suffix: varh": "varh"}
SHADES = {"text": "lightgray", "dark-blue": "#1f60c4", "blue": "#8ab8ff", "green": "#73bf69",
          "yellow": "#fade2a", "orange": "#ff9830", "red": "#f2495c"}
ROWS_MAX, LEGEND_MAX = 9, 6


@dataclass(frozen=True)
class Drawn:
    """One series of a panel, by the name that its legend shows."""

    name: str
    frame: Frame


@dataclass(frozen=True)
class Span:
    """An annotation."""

    from_ms: int
    to_ms: int
    colour: str


def draw_panel(axes: Axes, panel: Json, drawn: Sequence[Drawn], spans: Sequence[Span]) -> None:
    """One panel with its data; `spans` are shaded where there is a time axis."""
    kind = panel["type"]
    axes.tick_params(labelsize=8)
    if not any(each.frame.rows for each in drawn):
        _empty(axes, "no data")
    elif kind == "table":
        _table(axes, panel, [each.frame for each in drawn])
    elif kind in ("timeseries", "state-timeline"):
        (_lines if kind == "timeseries" else _states)(axes, panel, drawn)
        _time_axis(axes, spans)
    elif kind == "bargauge":
        _bars(axes, panel, drawn)
    else:
        _figures(axes, panel, drawn)


def _days(frame: Frame) -> list[float]:
    return [at_ms / DAY_MS for at_ms, _ in frame.pairs()]


def _lines(axes: Axes, panel: Json, drawn: Sequence[Drawn]) -> None:
    defaults = panel["fieldConfig"]["defaults"]
    bars = defaults["custom"].get("drawStyle") == "bars"
    stacked = "stacking" in defaults["custom"]
    heights: dict[float, float] = {}
    for each in drawn:
        times = _days(each.frame)
        values = [value for _, value in each.frame.pairs()]
        below = [heights.get(at, 0.0) if stacked else 0.0 for at in times]
        tops = [a + b for a, b in zip(below, values, strict=True)]
        if bars:
            axes.bar(times, values, width=0.6, align="edge", label=each.name, bottom=below)
        elif stacked:
            axes.fill_between(times, below, tops, alpha=0.6, label=each.name)
        else:
            axes.plot(times, values, linewidth=1.2, label=each.name)
        heights |= dict(zip(times, tops, strict=True))
    axes.set_ylim(defaults.get("min"), defaults.get("max"))
    low, high = axes.get_ylim()
    for step in defaults["thresholds"]["steps"][1:]:
        if low <= step["value"] <= high:
            axes.axhline(step["value"], color=SHADES[step["color"]], linewidth=1, linestyle="--")
    axes.set_ylabel(UNITS.get(defaults["unit"], defaults["unit"]), fontsize=9)
    handles, names = axes.get_legend_handles_labels()
    more = f" (+{len(names) - LEGEND_MAX})" if len(names) > LEGEND_MAX else ""
    names = names[:LEGEND_MAX]
    axes.legend(handles[:LEGEND_MAX], [*names[:-1], names[-1] + more], fontsize=8, ncols=3,
                loc="upper left", framealpha=0.7)


def _states(axes: Axes, panel: Json, drawn: Sequence[Drawn]) -> None:
    for row, each in enumerate(drawn):
        times, values = _days(each.frame), [value for _, value in each.frame.pairs()]
        for at, until, value in zip(times, [*times[1:], times[-1]], values, strict=True):
            axes.add_patch(Rectangle((at, row - 0.4), until - at, 0.8, linewidth=0.5,
                                     color=_colour(panel, value)))
    shown = [at for each in drawn for at in _days(each.frame)]
    axes.set_xlim(min(shown), max(shown))
    axes.set_ylim(-0.6, len(drawn) - 0.4)
    axes.set_yticks(range(len(drawn)), [each.name for each in drawn], fontsize=8)


def _colour(panel: Json, value: float) -> str:
    """As the panel's mappings or thresholds say."""
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings", []):
        found = mapping["options"].get(f"{value:g}")
        if found:
            return SHADES[found["color"]]
    steps = [step for step in defaults["thresholds"]["steps"]
             if step["value"] is None or step["value"] <= value]
    return SHADES[steps[-1]["color"]]


def _time_axis(axes: Axes, spans: Sequence[Span]) -> None:
    first, last = axes.get_xlim()
    for span in spans:
        if first * DAY_MS < span.from_ms < last * DAY_MS:
            end = max(span.to_ms, span.from_ms + 60_000)
            axes.axvspan(span.from_ms / DAY_MS, end / DAY_MS, color=span.colour, alpha=0.25)
    axes.xaxis_date(tz=ZONE)
    locator = AutoDateLocator(tz=ZONE, maxticks=7)  # type: ignore[no-untyped-call]
    axes.xaxis.set_major_locator(locator)
    texts = ConciseDateFormatter(  # type: ignore[no-untyped-call]
        locator, tz=ZONE, show_offset=False)
    axes.xaxis.set_major_formatter(texts)


def _figures(axes: Axes, panel: Json, drawn: Sequence[Drawn]) -> None:
    lasts = [(each.name, each.frame.pairs()[-1][1]) for each in drawn if each.frame.pairs()]
    lasts = lasts[:4]
    for row, (name, value) in enumerate(lasts):
        at = 1 - (row + 0.5) / len(lasts)
        axes.text(0.03, at, name, va="center", fontsize=10)
        axes.text(0.97, at, _text(value, panel), va="center", ha="right", weight="bold",
                  fontsize=15 if len(lasts) < 3 else 11,
                  bbox={"facecolor": _colour(panel, value), "edgecolor": "none", "alpha": 0.5})
    axes.set_xticks([])
    axes.set_yticks([])


def _bars(axes: Axes, panel: Json, drawn: Sequence[Drawn]) -> None:
    lasts = [(each.name, each.frame.pairs()[-1][1]) for each in drawn if each.frame.pairs()][::-1]
    axes.barh([name for name, _ in lasts], [value for _, value in lasts],
              color=[_colour(panel, value) for _, value in lasts])
    for row, (_, value) in enumerate(lasts):
        axes.text(0, row, f" {_text(value, panel)}", va="center", fontsize=9)
    axes.set_xlim(panel["fieldConfig"]["defaults"].get("min"),
                  panel["fieldConfig"]["defaults"].get("max"))
    # Names stand inside: those of zones and tenants are longer than the margin.
    axes.set_yticks([])
    for row, (name, _) in enumerate(lasts):
        axes.text(0.99, row, name, va="center", ha="right", fontsize=9,
                  transform=axes.get_yaxis_transform())


def _table(axes: Axes, panel: Json, found: Sequence[Frame]) -> None:
    header, rows = _rows(panel, found)
    for each in panel.get("transformations", []):
        options = each["options"]
        if each["id"] == "groupingToMatrix":
            header, rows = _matrix(header, rows, options)
        elif each["id"] == "renameByRegex":
            pattern = options["renamePattern"].replace("$1", r"\1")
            header = [re.sub(options["regex"], pattern, name) for name in header]
        elif each["id"] == "sortBy":
            by = options["sort"][0]
            at = header.index(by["field"])
            rows.sort(key=lambda row: float(str(row[at])), reverse=by["desc"])
        elif each["id"] == "organize":
            order = options["indexByName"]
            keep = sorted((name for name in header if not options.get("excludeByName", {})
                           .get(name)), key=lambda name: order.get(name, len(order)))
            rows = [[row[header.index(name)] for name in keep] for row in rows]
            header = keep
    longest = 150 // len(header)
    shown = [[_cell(value, panel, name)[:longest] for name, value in zip(header, row, strict=True)]
             for row in rows[:ROWS_MAX]]
    coloured = panel["fieldConfig"]["defaults"]["custom"].get("cellOptions")
    colours = [[_colour(panel, value) if coloured and isinstance(value, float | int) else "white"
                for value in row] for row in rows[:ROWS_MAX]]
    table = axes.table(shown, colLabels=header, cellColours=colours, loc="upper center",
                       cellLoc="left", edges="closed" if coloured else "horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(9)
    table.scale(1, 1.3)
    axes.axis("off")


def _rows(panel: Json, found: Sequence[Frame]) -> tuple[list[str], list[list[object]]]:
    """One table of all series: their tags, then their columns."""
    header = ["Time", *found[0].tags, *found[0].columns[1:]]
    return header, [[row[0], *frame.tags.values(), *row[1:]]
                    for frame in found for row in frame.rows]


def _matrix(header: list[str], rows: list[list[object]], options: Json
            ) -> tuple[list[str], list[list[object]]]:
    down, across, value = (header.index(options[key])
                           for key in ("rowField", "columnField", "valueField"))
    cells = {(row[down], row[across]): row[value] for row in rows}
    lines, columns = ([*dict.fromkeys(key[at] for key in cells)] for at in (0, 1))
    return ([f"{options['rowField']}\\{options['columnField']}", *map(str, columns)],
            [[line, *(cells.get((line, column), "") for column in columns)] for line in lines])


def _cell(value: object, panel: Json, column: str) -> str:
    if isinstance(value, float | int) and column not in ("Time", "end_ms"):
        return _text(float(value), panel, column)
    if column in ("Time", "end_ms"):
        return f"{datetime.fromtimestamp(float(str(value)) / 1000, ZONE):%d %b %H:%M}"
    return str(value)


def _text(value: float, panel: Json, column: str = "") -> str:
    defaults = panel["fieldConfig"]["defaults"]
    unit = next((override["properties"][0]["value"] for override in
                 panel["fieldConfig"]["overrides"] if override["matcher"]["options"] == column),
                defaults["unit"])
    decimals = defaults.get("decimals", 0 if abs(value) >= 100 else 1)
    if unit in ("watth", "watt") and abs(value) >= 10_000:
        return f"{value / 1000:,.1f} k{UNITS[unit]}"
    return f"{value:,.{decimals}f} {UNITS.get(unit, unit)}".strip()


def _empty(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, ha="center", va="center", fontsize=11, color="gray")
    axes.set_xticks([])
    axes.set_yticks([])

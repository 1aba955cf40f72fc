"""Previews of the dashboards: their very queries on the seeded days, drawn with matplotlib.

`python -m tests.grafana.preview` writes docs/dashboards/*.png. Grafana draws them better.
"""

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.dates import ConciseDateFormatter
from matplotlib.patches import Rectangle

from tests.grafana.files import Json, dashboards, panels
from tests.grafana.influx import Frame
from tests.grafana.seeding import Seeded, seed
from tests.grafana.test_queries import ALL, frames
from tests.servers import influxd
from tests.shared import ROOT

OUT = ROOT / "docs" / "dashboards"
LABEL = "Preview: the dashboard's own queries on two invented days, drawn by the tests, not Grafana"
HOURS = {"sw-tenants": 960, "sw-overview": 48, "sw-pipeline": 48, "sw-devices": 48}


def draw(seeded: Seeded, board: Json, target: Path) -> None:
    """One dashboard, its panels where Grafana puts them."""
    shown = panels(board)
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in shown)
    figure = plt.figure(figsize=(14, bottom * 0.32 + 0.8), dpi=60)
    figure.suptitle(f"{board['title']}: {board['description']}", fontsize=13, y=0.995)
    figure.text(0.5, 0.002, LABEL, ha="center", fontsize=8, color="gray")
    for panel in shown:
        grid = panel["gridPos"]
        axes = figure.add_axes((
            0.03 + 0.965 * grid["x"] / 24, 0.02 + 0.95 * (1 - (grid["y"] + grid["h"]) / bottom),
            0.965 * grid["w"] / 24 - 0.035, 0.95 * grid["h"] / bottom * 0.68))
        axes.set_title(panel["title"], fontsize=8, loc="left")
        axes.tick_params(labelsize=6)
        _draw_panel(axes, panel, _series(seeded, panel, HOURS.get(board["uid"], 72)))
    figure.savefig(target, pil_kwargs={"optimize": True})
    plt.close(figure)


def _series(seeded: Seeded, panel: Json, hours: int) -> list[tuple[str, Frame]]:
    found = []
    for target in panel["targets"]:
        for frame in frames(seeded, target["query"], hours, ALL, panel["interval"]):
            name = target.get("alias", "")
            for tag, value in frame.tags.items():
                name = name.replace(f"$tag_{tag}", value)
            found.append((name, frame))
    return found


def _draw_panel(axes: Axes, panel: Json, series: Sequence[tuple[str, Frame]]) -> None:
    kind = panel["type"]
    if kind == "timeseries":
        _lines(axes, panel, series)
    elif kind == "state-timeline":
        _states(axes, panel, series)
    elif kind == "table":
        _table(axes, series)
    else:
        _figures(axes, panel, series)


def _times(frame: Frame) -> list[float]:
    return [at_ms / 86_400_000 for at_ms, _ in frame.pairs()]


def _lines(axes: Axes, panel: Json, series: Sequence[tuple[str, Frame]]) -> None:
    bars = panel["fieldConfig"]["defaults"]["custom"].get("drawStyle") == "bars"
    heights: dict[float, float] = {}
    for name, frame in series:
        values, times = [value for _, value in frame.pairs()], _times(frame)
        if bars:
            axes.bar(times, values, width=0.3, label=name,
                     bottom=[heights.get(at, 0.0) for at in times])
            heights |= {at: heights.get(at, 0.0) + value
                        for at, value in zip(times, values, strict=True)}
        else:
            axes.plot(_times(frame), values, linewidth=0.8, label=name)
    for step in panel["fieldConfig"]["defaults"]["thresholds"]["steps"][1:]:
        if axes.get_ylim()[0] <= step["value"] <= axes.get_ylim()[1]:
            axes.axhline(step["value"], color=step["color"], linewidth=0.6, linestyle="--")
    _dates(axes)
    axes.legend(fontsize=5, loc="upper left", ncols=3)


def _colour(panel: Json, value: float) -> str:
    """As the panel's mappings or thresholds say."""
    defaults = panel["fieldConfig"]["defaults"]
    for mapping in defaults.get("mappings", []):
        found = mapping["options"].get(f"{value:g}")
        if found:
            return {"text": "lightgray"}.get(found["color"], str(found["color"]))
    steps = [step for step in defaults["thresholds"]["steps"]
             if step["value"] is None or step["value"] <= value]
    return str(steps[-1]["color"]).replace("dark-", "dark").replace("text", "lightgray")


def _states(axes: Axes, panel: Json, series: Sequence[tuple[str, Frame]]) -> None:
    for row, (_, frame) in enumerate(series):
        times, values = _times(frame), [value for _, value in frame.pairs()]
        for at, until, value in zip(times, [*times[1:], times[-1]], values, strict=True):
            axes.add_patch(Rectangle((at, row - 0.4), until - at, 0.8,
                                     color=_colour(panel, value), linewidth=1))
        axes.set_xlim(min(times), max(times))
    axes.set_ylim(-0.6, len(series) - 0.4)
    axes.set_yticks(range(len(series)), [name for name, _ in series], fontsize=5)
    _dates(axes)


def _dates(axes: Axes) -> None:
    axes.xaxis_date()
    axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))


def _table(axes: Axes, series: Sequence[tuple[str, Frame]]) -> None:
    rows: list[list[str]] = []
    for _, frame in series:
        rows += [[*frame.tags.values(), *(_short(value) for value in row[1:])]
                 for row in frame.rows]
    rows = rows[:8] or [["no data"]]
    table = axes.table(rows, loc="upper left", cellLoc="left", edges="horizontal")
    table.auto_set_font_size(False)
    table.set_fontsize(6)
    axes.axis("off")


def _figures(axes: Axes, panel: Json, series: Sequence[tuple[str, Frame]]) -> None:
    unit = panel["fieldConfig"]["defaults"]["unit"].replace("none", "")
    lines = [f"{name}  {_short(frame.pairs()[-1][1])} {unit}" for name, frame in series
             if frame.pairs()]
    axes.text(0.02, 0.5, "\n".join(lines[:8]) or "no data", va="center",
              fontsize=12 if len(lines) < 3 else 7)
    axes.set_xticks([])
    axes.set_yticks([])


def _short(value: Any) -> str:
    return f"{value:,.4g}" if isinstance(value, float | int) else str(value)[:60]


def main() -> None:
    """Seed, and draw every dashboard."""
    OUT.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name:
        server = influxd(Path(name) / "influxd")
        server.start()
        try:
            seeded = seed(server, Path(name))
            for board in dashboards().values():
                draw(seeded, board, OUT / f"{board['uid']}.png")
        finally:
            server.stop()


if __name__ == "__main__":
    main()

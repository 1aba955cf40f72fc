"""Previews of the dashboards: their very queries on the seeded days, drawn with matplotlib.

`python -m tests.grafana.preview` writes docs/dashboards/*.png. Grafana draws them better.
"""

import re
import tempfile
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

from tests.grafana.files import Json, annotations, dashboards
from tests.grafana.influx import Frame
from tests.grafana.interpolation import as_ms
from tests.grafana.preview_panels import Drawn, Span, draw_panel
from tests.grafana.seeding import Seeded, seed
from tests.grafana.test_queries import ALL, frames
from tests.servers import influxd
from tests.shared import ROOT

OUT = ROOT / "docs" / "dashboards"
LABEL = "Preview: the dashboard's own queries on two invented days, drawn by the tests, not Grafana"
HOURS = {"sw-tenants": 960, "sw-devices": 48, "sw-overview": 48, "sw-pipeline": 48}
DRILLED = {"sw-devices": {"zone": ["hall-a", "plant"],
                          "device": ["001", "board", "ups-1", "isp-1", "presence"]}}
COLOURS = {"Outages": "red", "Exchanges": "blue", "Tariffs": "purple", "Maintenance": "orange"}
UNIT_INCH = 0.36
"""Height of one row of Grafana's grid."""


def draw(seeded: Seeded, board: Json, target: Path) -> None:
    """One dashboard, its panels where Grafana puts them."""
    bottom = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in board["panels"])
    height = bottom * UNIT_INCH + 1.0
    figure = plt.figure(figsize=(16, height), dpi=72)
    figure.suptitle(f"{board['title']}: {board['description']}", fontsize=16, y=1 - 0.15 / height)
    figure.text(0.5, 0.1 / height, LABEL, ha="center", fontsize=10, color="gray")
    hours = HOURS.get(board["uid"], 72)
    spans = _spans(seeded, hours)
    for panel in board["panels"]:
        grid = panel["gridPos"]
        left, top = grid["x"] / 24, 1 - (0.55 + grid["y"] * UNIT_INCH) / height
        if panel["type"] == "row":
            figure.text(0.012, top - 0.26 / height, panel["title"], fontsize=13, weight="bold")
            continue
        tall = grid["h"] * UNIT_INCH
        axes = figure.add_axes((left + 0.058, top - (tall - 0.42) / height,
                                grid["w"] / 24 - 0.071, (tall - 0.82) / height))
        axes.set_title(panel["title"], fontsize=11, loc="left")
        drawn = _drawn(seeded, panel, hours, DRILLED.get(board["uid"], {}))
        draw_panel(axes, panel, drawn, spans)
    figure.savefig(target, pil_kwargs={"optimize": True})
    plt.close(figure)


def _spans(seeded: Seeded, hours: int) -> list[Span]:
    """What the annotations shade."""
    return [Span(int(str(row[0])), int(float(str(row[3]))), COLOURS[where.partition(": ")[2]])
            for where, query in annotations() if where.startswith("sw-overview")
            for frame in frames(seeded, query, hours, ALL) for row in frame.rows]


def _drawn(seeded: Seeded, panel: Json, hours: int, drilled: dict[str, list[str]]) -> list[Drawn]:
    found = []
    own = panel.get("timeFrom")
    for target in panel["targets"]:
        for frame in frames(seeded, target["query"], as_ms(own) / 3_600_000 if own else hours,
                            {**ALL, **drilled}, panel["interval"]):
            if target["resultFormat"] == "table":
                found.append(Drawn("", frame))
                continue
            for column in frame.columns[1:]:
                at = frame.columns.index(column)
                one = Frame(frame.tags, ["time", column], [[row[0], row[at]] for row in frame.rows])
                found.append(Drawn(_name(target["alias"], panel, frame, column), one))
    return found


def _name(alias: str, panel: Json, frame: Frame, column: str) -> str:
    """The alias filled in, then what the panel's transformation makes of it."""
    name = alias.replace("$col", column)
    for tag, value in frame.tags.items():
        name = name.replace(f"$tag_{tag}", value)
    for each in panel.get("transformations", []):
        if each["id"] == "renameByRegex":
            pattern = each["options"]["renamePattern"].replace("$1", r"\1")
            name = re.sub(each["options"]["regex"], pattern, name)
    return name


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

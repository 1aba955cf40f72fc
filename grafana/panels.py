"""Panels in few words, made into grafana-foundation-sdk's models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from grafana_foundation_sdk.builders import (
    bargauge,
    gauge,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.cog import variants
from grafana_foundation_sdk.cog.builder import Builder
from grafana_foundation_sdk.models import common, dashboard

from grafana.influxql import Query

Json = dict[str, Any]
NO_DATA = "no data"
GREEN, YELLOW, ORANGE, RED, GREY = "green", "yellow", "orange", "red", "text"

_BUILDERS: Mapping[str, Any] = {
    "stat": stat.Panel, "gauge": gauge.Panel, "bargauge": bargauge.Panel,
    "timeseries": timeseries.Panel, "state-timeline": statetimeline.Panel,
    "table": table.Panel}
_REDUCED = {"reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False}}
_LEGEND = {"displayMode": "table", "placement": "bottom", "showLegend": True,
           "calcs": ["lastNotNull", "max"]}
_OPTIONS: Mapping[str, Json] = {
    "stat": _REDUCED | {"graphMode": "area", "colorMode": "value", "textMode": "auto"},
    "gauge": _REDUCED | {"showThresholdMarkers": True, "showThresholdLabels": False},
    "bargauge": _REDUCED | {"displayMode": "lcd", "orientation": "horizontal"},
    "timeseries": {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}},
    "state-timeline": {"mergeValues": True, "showValue": "auto", "alignValue": "left",
                       "rowHeight": 0.9, "perPage": 20,
                       "legend": {"displayMode": "list", "placement": "bottom",
                                  "showLegend": True},
                       "tooltip": {"mode": "single", "sort": "none"}},
    "table": {"showHeader": True, "cellHeight": "sm"},
}
_CUSTOM: Mapping[str, Json] = {
    "timeseries": {"drawStyle": "line", "lineWidth": 1, "fillOpacity": 8, "showPoints": "auto",
                   "thresholdsStyle": {"mode": "line"}},
    "state-timeline": {"fillOpacity": 80, "lineWidth": 0},
    "table": {"align": "auto", "filterable": True},
}
# Interval of a panel -> how far apart two values may be for a line between them: what is read comes
# every five minutes at least, what is settled every hour.
_LASTS_MS: Mapping[str, int] = {"1m": 900_000, "2m": 900_000, "30m": 7_200_000, "1h": 7_200_000}


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """One panel. `steps` are thresholds: (from, colour), the first from None."""

    kind: str
    title: str
    about: str
    queries: Sequence[Query]
    unit: str
    width: int = 12
    height: int = 8
    interval: str = "1m"
    time_from: str = ""
    decimals: int | None = None
    low: float | None = None
    high: float | None = None
    steps: Sequence[tuple[float | None, str]] = ((None, GREEN),)
    states: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Value -> (text, colour)."""
    stacked: bool = False
    bars: bool = False
    link: tuple[str, str] | None = None
    """Title and address of where a click leads."""
    transformations: Sequence[tuple[str, Json]] = ()
    units: Mapping[str, str] = field(default_factory=dict)
    """Of a table's columns."""
    coloured: bool = False
    """A table's cells in the colour of their threshold."""
    holds_ms: int = 0
    """How long a value stands when no other follows; by default a few of the panel's intervals."""


class InfluxQuery(variants.Dataquery):
    """The target of an InfluxDB data source in raw InfluxQL; the SDK has none."""

    def __init__(self, query: Query, ref_id: str) -> None:
        self._query, self._ref_id = query, ref_id

    def to_json(self) -> dict[str, object]:
        """As Grafana keeps it."""
        target: dict[str, object] = {
            "refId": self._ref_id, "rawQuery": True, "query": self._query.text,
            "resultFormat": "table" if self._query.table else "time_series"}
        return target | ({"alias": self._query.alias} if self._query.alias else {})


@dataclass(frozen=True)
class Made(Builder[Any]):
    """A model that is made already, where the SDK wants a builder."""

    model: Any

    def build(self) -> Any:
        """The model."""
        return self.model


def built(panel: Panel, panel_id: int) -> Made:
    """The SDK's model of a panel."""
    builder: Any = _BUILDERS[panel.kind]()
    builder.id(panel_id).title(panel.title).description(panel.about)
    builder.datasource(common.DataSourceRef(type_val="influxdb", uid="${datasource}"))
    builder.span(panel.width).height(panel.height).unit(panel.unit).no_value(NO_DATA)
    builder.interval(panel.interval).thresholds(Made(_thresholds(panel)))
    builder.mappings(_mappings(panel))
    for number, query in enumerate(panel.queries):
        builder.with_target(Made(InfluxQuery(query, "ABCDEFGH"[number])))
    for name, options in panel.transformations:
        builder.with_transformation(dashboard.DataTransformerConfig(id_val=name, options=options))
    for column, unit in panel.units.items():
        builder.override_by_name(column, [dashboard.DynamicConfigValue("unit", unit)])
    _limits(builder, panel)
    model = builder.build()
    model.options = _OPTIONS[panel.kind]
    if model.field_config is not None:
        model.field_config.defaults.custom = _custom(panel)
    return Made(model)


def _limits(builder: Any, panel: Panel) -> None:
    if panel.decimals is not None:
        builder.decimals(panel.decimals)
    if panel.low is not None:
        builder.min(panel.low)
    if panel.high is not None:
        builder.max(panel.high)
    if panel.time_from:
        builder.time_from(panel.time_from)
    colour = "palette-classic" if panel.kind == "timeseries" else "thresholds"
    builder.color_scheme(Made(dashboard.FieldColor(mode=dashboard.FieldColorModeId(colour))))
    if panel.link:
        builder.data_links([Made(dashboard.DashboardLink(
            title=panel.link[0], url=panel.link[1], type_val=dashboard.DashboardLinkType.LINK))])


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    return dashboard.ThresholdsConfig(
        mode=dashboard.ThresholdsMode.ABSOLUTE,
        steps=[dashboard.Threshold(value=value, color=colour) for value, colour in panel.steps])


def _mappings(panel: Panel) -> list[Any]:
    if not panel.states:
        return []
    return [{"type": "value", "options": {
        value: {"text": text, "color": colour, "index": index}
        for index, (value, (text, colour)) in enumerate(panel.states.items())}}]


def _custom(panel: Panel) -> Json:
    custom = dict(_CUSTOM.get(panel.kind, {}))
    if panel.kind in ("timeseries", "state-timeline"):
        custom["spanNulls"] = panel.holds_ms or _LASTS_MS[panel.interval]
    if panel.stacked:
        custom |= {"stacking": {"mode": "normal", "group": "A"}, "fillOpacity": 40}
    if panel.bars:
        custom |= {"drawStyle": "bars", "fillOpacity": 70, "barAlignment": 1}
    if panel.coloured:
        custom |= {"cellOptions": {"type": "color-background"}}
    if panel.kind == "timeseries" and len(panel.steps) == 1:
        custom["thresholdsStyle"] = {"mode": "off"}
    return custom

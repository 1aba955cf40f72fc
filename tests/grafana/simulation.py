"""How Grafana evaluates an alert rule: query, reduce, math, threshold, pending period."""

import statistics
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.grafana.influx import ask
from tests.grafana.interpolation import as_ms, with_times

Labels = tuple[tuple[str, str], ...]
Values = dict[Labels, float]

REDUCERS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "last": lambda values: values[-1], "mean": statistics.fmean, "min": min, "max": max,
    "sum": sum}
MATH: Mapping[str, Callable[[float, float], bool]] = {
    "$RA < 1 && $RB > 1100": lambda a, b: a < 1 and b > 1100,
    "$RA > $RB": lambda a, b: a > b}


def firing(rule: Mapping[str, Any], port: int, database: str, from_ms: int, to_ms: int
           ) -> dict[Labels, int]:
    """Label sets for which the rule fires between the two instants -> when it first did.

    Evaluated each minute; a label set fires once its condition has held for the pending period.
    """
    pending_ms, since, fired = as_ms(rule["for"]), dict[Labels, int](), dict[Labels, int]()
    for now_ms in range(from_ms, to_ms, 60_000):
        true = {labels for labels, value in evaluate(rule, port, database, now_ms).items() if value}
        since = {labels: since.get(labels, now_ms) for labels in true}
        for labels, began_ms in since.items():
            if now_ms - began_ms >= pending_ms:
                fired.setdefault(labels, now_ms)
    return fired


def evaluate(rule: Mapping[str, Any], port: int, database: str, now_ms: int) -> Values:
    """The condition's value for each label set at one instant."""
    known: dict[str, Any] = {}
    for part in rule["data"]:
        model = part["model"]
        if "query" in model:
            from_ms = now_ms - part["relativeTimeRange"]["from"] * 1000
            text = with_times(model["query"], from_ms, now_ms, model["intervalMs"])
            frames = ask(port, database, text)
            assert all(len(frame.columns) == 2 for frame in frames), "one field a query"
            known[part["refId"]] = {tuple(sorted(frame.tags.items())):
                                    [value for _, value in frame.pairs()] for frame in frames}
        else:
            known[part["refId"]] = _expression(model, known)
    found: Values = known[rule["condition"]]
    return found


def _expression(model: Mapping[str, Any], known: Mapping[str, Any]) -> Values:
    if model["type"] == "reduce":
        assert model["settings"] == {"mode": "dropNN"}
        reducer = REDUCERS[model["reducer"]]
        return {labels: reducer(values) for labels, values in known[model["expression"]].items()
                if values}
    if model["type"] == "math":
        decide = MATH[model["expression"]]
        return {labels: float(decide(value, known["RB"][labels]))
                for labels, value in known["RA"].items() if labels in known["RB"]}
    evaluator = model["conditions"][0]["evaluator"]
    return {labels: float(_beyond(evaluator["type"], evaluator["params"], value))
            for labels, value in known[model["expression"]].items()}


def _beyond(kind: str, params: Sequence[float], value: float) -> bool:
    if kind == "gt":
        return value > params[0]
    if kind == "lt":
        return value < params[0]
    assert kind == "outside_range", kind
    return value < params[0] or value > params[1]

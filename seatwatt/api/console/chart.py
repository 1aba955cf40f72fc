"""Bars of energy as plain shapes, drawn by a template as SVG. Nothing is computed but places."""

from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT = 900, 260
_LEFT, _TOP, _RIGHT, _BOTTOM = 52, 14, 8, 28
_TICKS = 4
_STEPS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One day."""

    x: float
    y: float
    width: float
    height: float
    label: str
    """Under the bar; empty where labels would touch."""
    date: str
    energy_wh: float
    quality: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Bars, and the lines across: (y, Wh)."""

    bars: tuple[Bar, ...]
    lines: tuple[tuple[float, float], ...]
    left: float = _LEFT
    right: float = WIDTH - _RIGHT
    bottom: float = HEIGHT - _BOTTOM
    width: float = WIDTH
    height: float = HEIGHT


def chart(points: list[dict[str, Any]]) -> Chart:
    """A bar for each point of an energy series (`from`, `energy_wh`, `quality`)."""
    step_wh = _step(max((point["energy_wh"] for point in points), default=0) / _TICKS)
    highest_wh = step_wh * _TICKS
    room = WIDTH - _LEFT - _RIGHT
    slot = room / max(1, len(points))
    every = 1 if slot >= 26 else 2 if slot >= 13 else 5

    def y(energy_wh: float) -> float:
        clipped = min(max(energy_wh, 0), highest_wh)
        return round(HEIGHT - _BOTTOM - (HEIGHT - _BOTTOM - _TOP) * clipped / highest_wh, 2)

    bars = tuple(
        Bar(x=round(_LEFT + slot * (at + 0.14), 2), width=round(slot * 0.72, 2),
            y=y(point["energy_wh"]), height=round(HEIGHT - _BOTTOM - y(point["energy_wh"]), 2),
            label=str(int(point["from"][8:10])) if at % every == 0 else "",
            date=point["from"][:10], energy_wh=point["energy_wh"], quality=point["quality"])
        for at, point in enumerate(points))
    return Chart(bars=bars, lines=tuple((y(step_wh * at), step_wh * at)
                                        for at in range(_TICKS + 1)))


def _step(least_wh: float) -> float:
    """The least round number that is no less; of nothing at all, 250 Wh."""
    if least_wh <= 0:
        return 250.0
    power = 1.0
    while power * 10 <= least_wh:
        power *= 10
    while power > least_wh:
        power /= 10
    return next(power * step for step in _STEPS if power * step >= least_wh - 1e-9)

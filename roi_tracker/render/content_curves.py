"""Drawings of what is measured: a curve with its bands, a bridge from plan to actual, lines of weeks."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.render.chart_strokes import BOTTOM, LEFT, RIGHT, TOP, WIDTH, line, rect, scale, text_at, tick_label

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.render.chart_strokes import Palette
    from roi_tracker.render.content_charts import Chart

LayerLook = Literal["band", "interval", "dashed", "dotted", "solid"]
_HEIGHT = 300
_LEGEND = 22
_LEGEND_COLUMNS = 3
_LEAST_GAP = 52.0
_LETTER = 6.0
"""Width of a letter of a label, in units of the drawing; a Korean one is twice as wide, and Korean labels are short."""
_SPARK_ROW, _SPARK_FROM, _SPARK_TO = 48, 270, 600


class Layer(msgspec.Struct, frozen=True):
    """One series of a curve, or the area between two.

    Attributes:
        values: one a place on the x axis.
        until: upper values of an area; empty for a line.
    """

    label: str
    look: LayerLook
    values: tuple[float, ...]
    until: tuple[float, ...] = ()


class Spark(msgspec.Struct, frozen=True):
    """A small line of weeks.

    Attributes:
        values: None where a week was not measured: the line has a gap there.
        shown: the latest value and what is wanted, in words.
    """

    label: str
    values: tuple[float | None, ...]
    target: float
    shown: str


def draw_curve(chart: Chart, palette: Palette) -> tuple[str, int]:
    """Areas first, lines over them, a legend below; shape tells the layers apart, not colour alone."""
    every = [value for layer in chart.layers for value in (*layer.values, *layer.until)]
    y, ticks = scale(min(0.0, *every), max(0.0, *every), _HEIGHT - BOTTOM, TOP)
    first, last = chart.marks[0][0], chart.marks[-1][0]

    def x(place: float) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * (place - first) / ((last - first) or 1.0), 1)

    places = [x(place) for place, _ in chart.marks]
    parts = [text_at(8, 12, chart.unit, palette.dim)]
    for tick in ticks:
        parts.append(line((LEFT, y(tick), WIDTH - RIGHT, y(tick)), palette.dim if tick == 0 else palette.rule))
        parts.append(text_at(LEFT - 6, y(tick) + 4, tick_label(tick), palette.dim, "end"))
    parts.extend(_x_labels(chart, places, palette))
    parts.extend(_layer(layer, places, y, palette) for layer in sorted(chart.layers, key=lambda one: not one.until))
    rows = -(-len(chart.layers) // _LEGEND_COLUMNS)
    for index, layer in enumerate(chart.layers):
        left = LEFT + (WIDTH - LEFT) / _LEGEND_COLUMNS * (index % _LEGEND_COLUMNS)
        top = _HEIGHT + _LEGEND * (index // _LEGEND_COLUMNS)
        low, high = (top + 3.0, top + 13.0) if layer.until else (top + 8.0, 0.0)
        sample = Layer("", layer.look, (low, low), (high, high) if layer.until else ())
        parts.append(_layer(sample, [left, left + 26], float, palette))
        parts.append(text_at(round(left + 34, 1), top + 12, layer.label, palette.ink))
    return "".join(parts), _HEIGHT + _LEGEND * rows + 4


def _x_labels(chart: Chart, places: Sequence[float], palette: Palette) -> list[str]:
    """Labels that have room, the last one always."""
    found: list[str] = []
    limit = WIDTH - RIGHT + _LEAST_GAP
    for place, (_, label) in reversed(list(zip(places, chart.marks, strict=True))):
        if label and place <= limit - _LEAST_GAP:
            found.append(text_at(place, _HEIGHT - 9, label, palette.dim, "end" if not found else "middle"))
            limit = place
    return found


def _layer(layer: Layer, places: Sequence[float], y: Callable[[float], float], palette: Palette) -> str:
    colour = palette.plan if layer.look in {"band", "dashed"} else palette.accent
    points = [f"{at},{round(y(value), 1)}" for at, value in zip(places, layer.values, strict=True)]
    if layer.until:
        back = [f"{at},{round(y(value), 1)}" for at, value in zip(places, layer.until, strict=True)]
        return f'<polygon points="{" ".join(points + back[::-1])}" fill="{colour}" fill-opacity="0.18"/>'
    width, dashes = {"dashed": (2, "7 5"), "dotted": (1.5, "2 3"), "solid": (3, "none")}[layer.look]
    return (
        f'<polyline points="{" ".join(points)}" fill="none" stroke="{colour}" stroke-width="{width}"'
        f' stroke-dasharray="{dashes}"/>'
    )


def draw_bridge(chart: Chart, palette: Palette) -> tuple[str, int]:
    """From the first bar to the last, step by step; what falls is told by sign and colour."""
    height = 250
    every = [value for bar in chart.bars for value in (bar.low, bar.high)]
    y, ticks = scale(min(0.0, *every), max(0.0, *every), height - BOTTOM - 14, TOP + 8)
    parts = [text_at(8, 12, chart.unit, palette.dim)]
    for tick in ticks:
        parts.append(line((LEFT, y(tick), WIDTH - RIGHT, y(tick)), palette.dim if tick == 0 else palette.rule))
        parts.append(text_at(LEFT - 6, y(tick) + 4, tick_label(tick), palette.dim, "end"))
    step = (WIDTH - LEFT - RIGHT) / len(chart.bars)
    width = step * 0.62
    labels = [_label_rows(bar.label, int(step / _LETTER)) for bar in chart.bars]
    middles = [LEFT + step * (index + 0.5) for index in range(len(chart.bars))]
    for index, (middle, bar) in enumerate(zip(middles, chart.bars, strict=True)):
        top, foot = min(y(bar.low), y(bar.high)), max(y(bar.low), y(bar.high))
        total = index in {0, len(chart.bars) - 1}
        colour = palette.plan if total else (palette.bad if bar.high < bar.low else palette.accent)
        parts.append(rect((middle - width / 2, top, width, max(foot - top, 1.0)), colour))
        parts.append(text_at(round(middle, 1), top - 5, bar.shown, palette.ink, "middle"))
        for row, words in enumerate(labels[index]):
            parts.append(text_at(round(middle, 1), height - 20 + 14 * row, words, palette.dim, "middle"))
    for (left, bar), (right, _) in pairwise(zip(middles, chart.bars, strict=True)):
        parts.append(line((left + width / 2, y(bar.high), right - width / 2, y(bar.high)), palette.dim))
    return "".join(parts), height - 34 + 14 * max(map(len, labels)) + 8


def _label_rows(label: str, widest: int) -> list[str]:
    """A label in rows of at most so many characters, broken at spaces.

    >>> _label_rows("Mix and level without the programme", 14)
    ['Mix and level', 'without the', 'programme']
    """
    rows: list[str] = []
    for word in label.split(" "):
        if rows and len(rows[-1]) + 1 + len(word) <= widest:
            rows[-1] += f" {word}"
        else:
            rows.append(word)
    return rows


def draw_sparks(chart: Chart, palette: Palette) -> tuple[str, int]:
    """One row an indicator: its weeks, its target as a dashed line, a mark on the latest week."""
    parts: list[str] = []
    for index, spark in enumerate(chart.sparks):
        top = 8 + _SPARK_ROW * index
        known = [value for value in spark.values if value is not None]
        low, high = min([spark.target, *known]), max([spark.target, *known])
        span = (high - low) or 1.0
        spots = [
            None
            if value is None
            else (
                round(_SPARK_FROM + (_SPARK_TO - _SPARK_FROM) * week / max(len(spark.values) - 1, 1), 1),
                round(top + 36 - 30 * (value - low) / span, 1),
            )
            for week, value in enumerate(spark.values)
        ]
        aim = round(top + 36 - 30 * (spark.target - low) / span, 1)
        parts.append(text_at(8, top + 24, spark.label, palette.ink))
        parts.append(
            f'<line x1="{_SPARK_FROM}" y1="{aim}" x2="{_SPARK_TO}" y2="{aim}" stroke="{palette.plan}"'
            ' stroke-width="1.5" stroke-dasharray="5 4"/>'
        )
        for run in _runs(spots):
            points = " ".join(f"{x},{y}" for x, y in run)
            parts.append(f'<polyline points="{points}" fill="none" stroke="{palette.accent}" stroke-width="2"/>')
        last = next((spot for spot in reversed(spots) if spot is not None), None)
        if last is not None:
            parts.append(f'<circle cx="{last[0]}" cy="{last[1]}" r="3.5" fill="{palette.accent}"/>')
        parts.append(text_at(WIDTH - 4, top + 24, spark.shown, palette.dim, "end"))
    return "".join(parts), 16 + _SPARK_ROW * len(chart.sparks)


def _runs(spots: Sequence[tuple[float, float] | None]) -> list[list[tuple[float, float]]]:
    """Stretches of weeks that follow one another."""
    runs: list[list[tuple[float, float]]] = [[]]
    for spot in spots:
        if spot is None:
            runs.append([])
        else:
            runs[-1].append(spot)
    return [run for run in runs if run]

"""Charts of a report as SVG: one definition for the page (colours by its style sheet) and for the PDF."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.render.chart_strokes import (
    BOTTOM,
    LEFT,
    PAGE,
    PRINT,
    RIGHT,
    TOP,
    WIDTH,
    Palette,
    line,
    rect,
    scale,
    text_at,
    tick_label,
)
from roi_tracker.render.content_curves import Layer, Spark, draw_bridge, draw_curve, draw_sparks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_ROW = 26
_LABELS = 250
_HEIGHT = 260
_FEWEST_TICK_GAP = 46


__all__ = ["PAGE", "PRINT", "Bar", "Chart", "Layer", "Palette", "Spark", "svg", "tick_label"]


class Bar(msgspec.Struct, frozen=True):
    """A bar from `low` to `high` in the axis unit, with what is written beside it."""

    label: str
    low: float
    high: float
    shown: str = ""


class Chart(msgspec.Struct, frozen=True):
    """What to draw.

    Attributes:
        kind: `columns` upright bars from zero with an optional line; `spans` lying bars from low to high, such as a
            tornado; `histogram` upright bars that touch, each from `low` to `high` on the x axis with its height in
            `heights`; `curve` layers over the places in `marks`; `bridge` bars that begin where the one before ends;
            `sparks` a small line an indicator.
        unit: of the axis; of a histogram, the one that goes up.
        across: unit of a histogram's x axis.
        line: running values over the columns; empty for none.
        marks: places on the x axis of a histogram or a curve with their labels.
    """

    kind: Literal["columns", "spans", "histogram", "curve", "bridge", "sparks"]
    title: str
    unit: str
    bars: tuple[Bar, ...] = ()
    line: tuple[float, ...] = ()
    heights: tuple[float, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()
    layers: tuple[Layer, ...] = ()
    sparks: tuple[Spark, ...] = ()
    across: str = ""


def svg(chart: Chart, palette: Palette) -> str:
    """The drawing; text in it is escaped."""
    body, height = _DRAW[chart.kind](chart, palette)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-label="{escape(chart.title)}" font-family="{palette.font}" font-size="11.5">{body}</svg>'
    )


def _grid(chart: Chart, palette: Palette, values: Sequence[float]) -> tuple[list[str], Callable[[float], float]]:
    y, ticks = scale(min(0.0, *values), max(0.0, *values), _HEIGHT - BOTTOM, TOP)
    parts = [text_at(8, 12, chart.unit, palette.dim)]
    for tick in ticks:
        parts.append(line((LEFT, y(tick), WIDTH - RIGHT, y(tick)), palette.dim if tick == 0 else palette.rule))
        parts.append(text_at(LEFT - 6, y(tick) + 4, tick_label(tick), palette.dim, "end"))
    return parts, y


def _columns(chart: Chart, palette: Palette) -> tuple[str, int]:
    parts, y = _grid(chart, palette, [*(bar.high for bar in chart.bars), *chart.line])
    step = (WIDTH - LEFT - RIGHT) / len(chart.bars)
    width = min(56.0, step * 0.62)
    every = max(1, -int(-_FEWEST_TICK_GAP // step))
    middles = [LEFT + step * (index + 0.5) for index in range(len(chart.bars))]
    for index, (middle, bar) in enumerate(zip(middles, chart.bars, strict=True)):
        top, foot = min(y(bar.high), y(0)), max(y(bar.high), y(0))
        parts.append(
            rect(
                (middle - width / 2, top, width, max(foot - top, 0.5)), palette.bad if bar.high < 0 else palette.accent
            )
        )
        if index % every == 0:
            parts.append(text_at(round(middle, 1), _HEIGHT - 9, bar.label, palette.dim, "middle"))
        if bar.shown:
            parts.append(text_at(round(middle, 1), top - 5, bar.shown, palette.ink, "middle"))
    if chart.line:
        points = " ".join(f"{round(x, 1)},{y(value)}" for x, value in zip(middles, chart.line, strict=True))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{palette.plan}" stroke-width="2" stroke-dasharray="7 4"/>'
        )
    return "".join(parts), _HEIGHT


def _spans(chart: Chart, palette: Palette) -> tuple[str, int]:
    height = TOP + _ROW * len(chart.bars) + BOTTOM
    x, ticks = scale(
        min(0.0, *(bar.low for bar in chart.bars)), max(0.0, *(bar.high for bar in chart.bars)), _LABELS, WIDTH - 84
    )
    parts = [text_at(8, 12, chart.unit, palette.dim)]
    for tick in ticks:
        parts.append(line((x(tick), TOP, x(tick), height - BOTTOM), palette.dim if tick == 0 else palette.rule))
        parts.append(text_at(x(tick), height - 12, tick_label(tick), palette.dim, "middle"))
    for index, bar in enumerate(chart.bars):
        top = TOP + _ROW * index + 5
        if bar.low < 0:
            parts.append(rect((x(bar.low), top, x(min(bar.high, 0.0)) - x(bar.low), _ROW - 10), palette.bad))
        if bar.high > 0:
            parts.append(
                rect((x(max(bar.low, 0.0)), top, x(bar.high) - x(max(bar.low, 0.0)), _ROW - 10), palette.accent)
            )
        parts.append(text_at(_LABELS - 8, top + 12, bar.label, palette.ink, "end"))
        parts.append(text_at(WIDTH - 4, top + 12, bar.shown, palette.dim, "end"))
    return "".join(parts), height


def _histogram(chart: Chart, palette: Palette) -> tuple[str, int]:
    parts, y = _grid(chart, palette, chart.heights)
    x, ticks = scale(chart.bars[0].low, chart.bars[-1].high, LEFT, WIDTH - RIGHT)
    for bar, tall in zip(chart.bars, chart.heights, strict=True):
        colour = palette.bad if bar.high <= 0 else palette.accent
        parts.append(rect((x(bar.low), y(tall), x(bar.high) - x(bar.low) - 0.6, y(0) - y(tall)), colour))
    for tick in ticks:  # the last label would run over the edge
        anchor = "end" if tick == ticks[-1] else "middle"
        at = WIDTH - 4 if tick == ticks[-1] else x(tick)
        parts.append(text_at(at, _HEIGHT - 9, tick_label(tick), palette.dim, anchor))
    parts.append(text_at(WIDTH - 4, _HEIGHT + 8, chart.across, palette.dim, "end"))
    for place, label in chart.marks:
        parts.append(line((x(place), TOP - 4, x(place), y(0)), palette.ink))
        parts.append(text_at(x(place), TOP - 8, label, palette.ink, "middle"))
    return "".join(parts), _HEIGHT + 14


_DRAW: dict[str, Callable[[Chart, Palette], tuple[str, int]]] = {
    "columns": _columns,
    "spans": _spans,
    "histogram": _histogram,
    "curve": draw_curve,
    "bridge": draw_bridge,
    "sparks": draw_sparks,
}

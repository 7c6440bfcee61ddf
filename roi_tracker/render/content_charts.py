"""Charts of a report as SVG: one definition for the page (colours by its style sheet) and for the PDF."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.render.axis_ticks import nice_ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

WIDTH = 760
_LEFT, _RIGHT, _TOP, _BOTTOM = 74, 16, 26, 30
_ROW = 26
_LABELS = 250
_HEIGHT = 260
_FEWEST_TICK_GAP = 46


class Palette(msgspec.Struct, frozen=True):
    """Colours and typeface."""

    ink: str
    dim: str
    rule: str
    accent: str
    plan: str
    bad: str
    font: str


PAGE = Palette("var(--ink)", "var(--dim)", "var(--rule)", "var(--accent)", "var(--plan)", "var(--bad)", "inherit")
PRINT = Palette("#16202b", "#55616e", "#d5dae0", "#0b5a8c", "#6b7480", "#a3262a", "Noto Sans CJK KR")


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
            `heights`.
        unit: of the axis.
        line: running values over the columns; empty for none.
        marks: places on the x axis of a histogram with their labels.
    """

    kind: Literal["columns", "spans", "histogram"]
    title: str
    unit: str
    bars: tuple[Bar, ...]
    line: tuple[float, ...] = ()
    heights: tuple[float, ...] = ()
    marks: tuple[tuple[float, str], ...] = ()


def svg(chart: Chart, palette: Palette) -> str:
    """The drawing; text in it is escaped."""
    draw = {"columns": _columns, "spans": _spans, "histogram": _histogram}[chart.kind]
    body, height = draw(chart, palette)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" width="{WIDTH}" height="{height}"'
        f' role="img" aria-label="{escape(chart.title)}" font-family="{palette.font}" font-size="11.5">{body}</svg>'
    )


def tick_label(value: float) -> str:
    """A figure of an axis.

    >>> tick_label(-2500.0), tick_label(0.5)
    ('\N{MINUS SIGN}2,500', '0.5')
    """
    text = f"{abs(value):,.10f}".rstrip("0").rstrip(".")
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def _scale(low: float, high: float, start: float, end: float) -> tuple[Callable[[float], float], tuple[float, ...]]:
    ticks = nice_ticks(low, high)
    span = (ticks[-1] - ticks[0]) or 1.0

    def place(value: float) -> float:
        return round(start + (end - start) * (value - ticks[0]) / span, 1)

    return place, ticks


def _text(x: float, y: float, text: str, fill: str, anchor: str = "start") -> str:
    return f'<text x="{x}" y="{y}" fill="{fill}" text-anchor="{anchor}">{escape(text)}</text>'


def _line(ends: tuple[float, float, float, float], stroke: str) -> str:
    x1, y1, x2, y2 = ends
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="1"/>'


def _rect(box: tuple[float, float, float, float], fill: str) -> str:
    x, y, width, height = (round(value, 1) for value in box)
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'


def _grid(chart: Chart, palette: Palette, values: Sequence[float]) -> tuple[list[str], Callable[[float], float]]:
    y, ticks = _scale(min(0.0, *values), max(0.0, *values), _HEIGHT - _BOTTOM, _TOP)
    parts = [_text(8, 12, chart.unit, palette.dim)]
    for tick in ticks:
        parts.append(_line((_LEFT, y(tick), WIDTH - _RIGHT, y(tick)), palette.dim if tick == 0 else palette.rule))
        parts.append(_text(_LEFT - 6, y(tick) + 4, tick_label(tick), palette.dim, "end"))
    return parts, y


def _columns(chart: Chart, palette: Palette) -> tuple[str, int]:
    parts, y = _grid(chart, palette, [*(bar.high for bar in chart.bars), *chart.line])
    step = (WIDTH - _LEFT - _RIGHT) / len(chart.bars)
    width = min(56.0, step * 0.62)
    every = max(1, -int(-_FEWEST_TICK_GAP // step))
    middles = [_LEFT + step * (index + 0.5) for index in range(len(chart.bars))]
    for index, (middle, bar) in enumerate(zip(middles, chart.bars, strict=True)):
        top, foot = min(y(bar.high), y(0)), max(y(bar.high), y(0))
        parts.append(
            _rect(
                (middle - width / 2, top, width, max(foot - top, 0.5)), palette.bad if bar.high < 0 else palette.accent
            )
        )
        if index % every == 0:
            parts.append(_text(round(middle, 1), _HEIGHT - 9, bar.label, palette.dim, "middle"))
        if bar.shown:
            parts.append(_text(round(middle, 1), top - 5, bar.shown, palette.ink, "middle"))
    if chart.line:
        points = " ".join(f"{round(x, 1)},{y(value)}" for x, value in zip(middles, chart.line, strict=True))
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{palette.plan}" stroke-width="2" stroke-dasharray="7 4"/>'
        )
    return "".join(parts), _HEIGHT


def _spans(chart: Chart, palette: Palette) -> tuple[str, int]:
    height = _TOP + _ROW * len(chart.bars) + _BOTTOM
    x, ticks = _scale(
        min(0.0, *(bar.low for bar in chart.bars)), max(0.0, *(bar.high for bar in chart.bars)), _LABELS, WIDTH - 84
    )
    parts = [_text(8, 12, chart.unit, palette.dim)]
    for tick in ticks:
        parts.append(_line((x(tick), _TOP, x(tick), height - _BOTTOM), palette.dim if tick == 0 else palette.rule))
        parts.append(_text(x(tick), height - 12, tick_label(tick), palette.dim, "middle"))
    for index, bar in enumerate(chart.bars):
        top = _TOP + _ROW * index + 5
        if bar.low < 0:
            parts.append(_rect((x(bar.low), top, x(min(bar.high, 0.0)) - x(bar.low), _ROW - 10), palette.bad))
        if bar.high > 0:
            parts.append(
                _rect((x(max(bar.low, 0.0)), top, x(bar.high) - x(max(bar.low, 0.0)), _ROW - 10), palette.accent)
            )
        parts.append(_text(_LABELS - 8, top + 12, bar.label, palette.ink, "end"))
        parts.append(_text(WIDTH - 4, top + 12, bar.shown, palette.dim, "end"))
    return "".join(parts), height


def _histogram(chart: Chart, palette: Palette) -> tuple[str, int]:
    parts, y = _grid(chart, palette, chart.heights)
    x, ticks = _scale(chart.bars[0].low, chart.bars[-1].high, _LEFT, WIDTH - _RIGHT)
    for bar, tall in zip(chart.bars, chart.heights, strict=True):
        colour = palette.bad if bar.high <= 0 else palette.accent
        parts.append(_rect((x(bar.low), y(tall), x(bar.high) - x(bar.low) - 0.6, y(0) - y(tall)), colour))
    parts.extend(_text(x(tick), _HEIGHT - 9, tick_label(tick), palette.dim, "middle") for tick in ticks)
    for place, label in chart.marks:
        parts.append(_line((x(place), _TOP - 4, x(place), y(0)), palette.ink))
        parts.append(_text(x(place), _TOP - 8, label, palette.ink, "middle"))
    return "".join(parts), _HEIGHT

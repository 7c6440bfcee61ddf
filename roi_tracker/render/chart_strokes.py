"""Strokes that every chart is drawn with: scales, lines, rectangles and texts of an SVG, and its colours."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.render.axis_ticks import nice_ticks

if TYPE_CHECKING:
    from collections.abc import Callable

WIDTH = 760
LEFT, RIGHT, TOP, BOTTOM = 74, 16, 26, 30


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


def tick_label(value: float) -> str:
    """A figure of an axis.

    >>> tick_label(-2500.0), tick_label(0.5)
    ('\N{MINUS SIGN}2,500', '0.5')
    """
    text = f"{abs(value):,.10f}".rstrip("0").rstrip(".")
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def scale(low: float, high: float, start: float, end: float) -> tuple[Callable[[float], float], tuple[float, ...]]:
    """Places of values between two positions, and round ticks that enclose them."""
    ticks = nice_ticks(low, high)
    span = (ticks[-1] - ticks[0]) or 1.0

    def place(value: float) -> float:
        return round(start + (end - start) * (value - ticks[0]) / span, 1)

    return place, ticks


def text_at(x: float, y: float, text: str, fill: str, anchor: str = "start") -> str:
    """A text; escaped."""
    return f'<text x="{x}" y="{y}" fill="{fill}" text-anchor="{anchor}">{escape(text)}</text>'


def line(ends: tuple[float, float, float, float], stroke: str) -> str:
    """A hairline from x1, y1 to x2, y2."""
    x1, y1, x2, y2 = ends
    return f'<line x1="{x1}" y1="{y1}" x2="{x2}" y2="{y2}" stroke="{stroke}" stroke-width="1"/>'


def rect(box: tuple[float, float, float, float], fill: str) -> str:
    """A filled box: x, y, width, height."""
    x, y, width, height = (round(value, 1) for value in box)
    return f'<rect x="{x}" y="{y}" width="{width}" height="{height}" fill="{fill}"/>'

"""Geometry of the cumulative curve: projected with its bands, realized with its interval, as points of an SVG."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.realization.realized import SCENARIO_BANDS
from roi_tracker.render.axis_ticks import nice_ticks

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.realization.realized import CurvePoint

WIDTH, HEIGHT = 760, 300
LEFT, RIGHT, TOP, BOTTOM = 74, 16, 26, 30


class Tick(msgspec.Struct, frozen=True):
    """A labelled position on an axis."""

    at: float
    label: str


class CurveChart(msgspec.Struct, frozen=True):
    """Everything the template draws; points are `x,y x,y ...` in the view box."""

    band: str
    projected: str
    interval: str
    value: str
    low: str
    last_x: float
    last_low_y: float
    zero_y: float
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]


def chart(
    go_live: date, points: Sequence[CurvePoint], factor: int, label: Callable[[Decimal], str]
) -> CurveChart | None:
    """Lay the curve out; None without points.

    Args:
        go_live: where every curve starts at zero.
        points: cumulative money.
        factor: what one unit of the axis is in the currency.
        label: writes a figure of the axis.
    """
    if not points:
        return None
    origin = go_live - timedelta(days=1)
    days = [0, *((point.day - origin).days for point in points)]
    upper = [Decimal(0), *(point.projected * SCENARIO_BANDS[2] for point in points)]
    middle = [Decimal(0), *(point.projected for point in points)]
    lower = [Decimal(0), *(point.projected * SCENARIO_BANDS[0] for point in points)]
    value = [Decimal(0), *(point.value for point in points)]
    low = [Decimal(0), *(point.low for point in points)]
    high = [Decimal(0), *(point.high for point in points)]
    every = [float(amount) / factor for series in (upper, lower, low, high) for amount in series]
    ticks = nice_ticks(min(every), max(every))

    def x(day: int) -> float:
        return round(LEFT + (WIDTH - LEFT - RIGHT) * day / days[-1], 1)

    def y(amount: Decimal | float) -> float:
        share = (float(amount) / factor - ticks[0]) / (ticks[-1] - ticks[0])
        return round(HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * share, 1)

    def line(series: Sequence[Decimal]) -> str:
        return " ".join(f"{x(day)},{y(amount)}" for day, amount in zip(days, series, strict=True))

    def area(top: Sequence[Decimal], bottom: Sequence[Decimal]) -> str:
        back = " ".join(f"{x(day)},{y(amount)}" for day, amount in reversed(list(zip(days, bottom, strict=True))))
        return f"{line(top)} {back}"

    return CurveChart(
        band=area(upper, lower),
        projected=line(middle),
        interval=area(high, low),
        value=line(value),
        low=line(low),
        last_x=x(days[-1]),
        last_low_y=y(low[-1]),
        zero_y=y(0),
        y_ticks=tuple(Tick(y(tick * factor), label(Decimal(repr(tick)))) for tick in ticks),
        x_ticks=tuple(Tick(x(day), f"{point.day:%m-%d}") for day, point in zip(days[1:], points, strict=True)),
    )

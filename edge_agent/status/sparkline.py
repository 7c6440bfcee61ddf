"""Geometry of the small health chart (pure): values 0 to 100 over time as polylines in a fixed box."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from edge_agent.status.snapshot import HealthPoint

WIDTH = 240
HEIGHT = 48
_MARGIN = 3


class Sparkline(msgspec.Struct, frozen=True):
    """Polylines as SVG `points`, one for each stretch without a gap, and the place of the newest value."""

    lines: tuple[str, ...]
    end_x: float
    end_y: float


def sparkline(points: Sequence[HealthPoint]) -> Sparkline | None:
    """Draw a trend; None with fewer than two known values, which show no direction.

    An unknown value breaks the line, so that a gap is never drawn as if it had been measured.
    """
    known = [point for point in points if point.health is not None]
    if len(known) < 2:  # noqa: PLR2004 - a line needs two points
        return None
    start, end = points[0].at.timestamp(), points[-1].at.timestamp()
    span = (end - start) or 1.0
    stretches: list[list[tuple[float, float]]] = [[]]
    for point in points:
        if point.health is None:
            stretches.append([])
            continue
        x = _MARGIN + (WIDTH - 2 * _MARGIN) * (point.at.timestamp() - start) / span
        y = _MARGIN + (HEIGHT - 2 * _MARGIN) * (1 - point.health / 100)
        stretches[-1].append((round(x, 1), round(y, 1)))
    drawn = [stretch for stretch in stretches if stretch]
    return Sparkline(
        lines=tuple(" ".join(f"{x:g},{y:g}" for x, y in stretch) for stretch in drawn),
        end_x=drawn[-1][-1][0],
        end_y=drawn[-1][-1][1],
    )

"""Defects of stamped parts, painted into a part before the camera sees it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal

import cv2
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from edge_agent.virtual_plant.part_geometry import Canvas

DefectKind = Literal["scratch", "dent", "missing_hole", "burr", "stain", "crack"]


# At and above this severity a defect takes its gross form.
GROSS = 0.5


def paint_defect(kind: DefectKind, severity: float, canvas: Canvas, rng: np.random.Generator) -> None:
    """Paint one defect of a severity between 0 and 1 somewhere on the part."""
    _PAINTERS[kind](canvas, severity, rng)


def _scratch(canvas: Canvas, severity: float, rng: np.random.Generator) -> None:
    x, y = _on_metal(canvas, rng, margin=12)
    length = 50 + 130 * severity
    angle = float(rng.uniform(0.25, math.pi - 0.25))  # along the brushing nobody would see it
    bow = float(rng.normal(0, 0.12))
    steps = np.linspace(-0.5, 0.5, 24)
    xs = x + length * steps * math.cos(angle) - length * bow * (steps**2) * math.sin(angle)
    ys = y + length * steps * math.sin(angle) + length * bow * (steps**2) * math.cos(angle)
    line = np.stack([xs, ys], axis=1)
    depth = 28 + 50 * severity
    _stroke(canvas, line, width=2 if severity < GROSS else 3, grey=depth)
    _stroke(canvas, line + 2.0, width=2, grey=-0.7 * depth)


def _dent(canvas: Canvas, severity: float, rng: np.random.Generator) -> None:
    x, y = _on_metal(canvas, rng, margin=22)
    radius = 9 + 15 * severity
    rows, columns = np.mgrid[0 : canvas.surface.shape[0], 0 : canvas.surface.shape[1]].astype(np.float32)
    across, down = (columns - x) / radius, (rows - y) / radius
    bowl = np.exp(-(across**2 + down**2))
    # The slope away from the lamp is dark, the slope towards it bright.
    canvas.surface[:] += (45 + 60 * severity) * (across + down) * bowl - 8 * bowl


def _missing_hole(canvas: Canvas, severity: float, rng: np.random.Generator) -> None:
    x, y, radius = canvas.geometry.holes[int(rng.integers(len(canvas.geometry.holes)))]
    centre, full = (2 * x, 2 * y), 2 * radius
    if severity < GROSS:  # a worn punch: the slug hangs on and covers part of the hole
        angle = float(rng.uniform(0, 360))
        cv2.ellipse(canvas.mask, centre, (full, full), angle, 0, 100 + 200 * severity, 1.0, thickness=-1)
    else:
        cv2.circle(canvas.mask, centre, full + 2, 1.0, thickness=-1)
        # The punch touched but did not go through: a faint ring remains.
        cv2.circle(canvas.surface, centre, full, float(canvas.surface[2 * y, 2 * x]) - 14, thickness=2)


def _burr(canvas: Canvas, severity: float, rng: np.random.Generator) -> None:
    corners = np.array(canvas.geometry.plate, float) * 2
    edge = int(rng.integers(len(corners)))
    start, end = corners[edge], corners[(edge + 1) % len(corners)]
    length = 36 + 60 * severity
    edge_length = float(np.hypot(*(end - start)))
    along = (end - start) / edge_length
    outward = np.array([along[1], -along[0]])  # corners run clockwise in image coordinates
    offset = float(rng.uniform(0.0, max(1.0, edge_length - length)))
    steps = np.linspace(0, min(length, edge_length), 14)
    teeth = (7 + 13 * severity) * rng.uniform(0.25, 1.0, steps.size) * np.sin(np.linspace(0, math.pi, steps.size))
    base = start + np.outer(offset + steps, along)
    polygon = np.concatenate([base - 2 * outward, (base + np.outer(teeth, outward))[::-1]])
    outline = [np.rint(polygon).astype(np.int32)]
    cv2.fillPoly(canvas.mask, outline, 1.0)
    cv2.fillPoly(canvas.surface, outline, 150.0)  # torn metal: no rolled edge, no brushing
    _stroke(canvas, base + np.outer(0.5 * teeth, outward), width=2, grey=60 + 30 * severity)


def _stain(canvas: Canvas, severity: float, rng: np.random.Generator) -> None:
    x, y = _on_metal(canvas, rng, margin=16)
    blot: NDArray[np.float32] = np.zeros_like(canvas.surface)
    for _ in range(6):
        dx, dy = rng.normal(0, 8 + 10 * severity, 2)
        axes = (int(rng.integers(6, 12 + int(18 * severity))), int(rng.integers(5, 10 + int(14 * severity))))
        cv2.ellipse(blot, (int(x + dx), int(y + dy)), axes, float(rng.uniform(0, 180)), 0, 360, 1.0, thickness=-1)
    blot = np.asarray(cv2.GaussianBlur(blot, (0, 0), 3.0), np.float32)
    # Dried oil is darker at its rim than in the middle.
    rim = blot - cv2.GaussianBlur(blot, (0, 0), 6.0)
    canvas.surface[:] -= (16 + 34 * severity) * blot + 18 * np.abs(rim)


def _crack(canvas: Canvas, severity: float, rng: np.random.Generator) -> None:
    x, y, radius = canvas.geometry.holes[int(rng.integers(len(canvas.geometry.holes)))]
    heading = float(rng.uniform(0, 2 * math.pi))
    point = np.array([2 * x + 2 * radius * math.cos(heading), 2 * y + 2 * radius * math.sin(heading)])
    path = [point]
    for _ in range(int(5 + 10 * severity)):
        heading += float(rng.normal(0, 0.45))
        point = point + 6.0 * np.array([math.cos(heading), math.sin(heading)])
        path.append(point)
    _stroke(canvas, np.array(path), width=2 if severity < GROSS else 3, grey=-(45 + 60 * severity))


def _on_metal(canvas: Canvas, rng: np.random.Generator, *, margin: int) -> tuple[float, float]:
    """A point with metal all round it, so that the defect is really on the part."""
    kernel = np.ones((2 * margin + 1, 2 * margin + 1), np.uint8)
    rows, columns = np.nonzero(cv2.erode((canvas.mask > 0.5).astype(np.uint8), kernel))  # noqa: PLR2004 - half covered
    pick = int(rng.integers(rows.size))
    return float(columns[pick]), float(rows[pick])


def _stroke(canvas: Canvas, line: NDArray[np.float64], *, width: int, grey: float) -> None:
    trace = np.zeros_like(canvas.surface)
    cv2.polylines(trace, [np.rint(line).astype(np.int32)], isClosed=False, color=1.0, thickness=width)
    canvas.surface[:] += grey * cv2.GaussianBlur(trace, (0, 0), 0.9)


_PAINTERS: dict[DefectKind, Callable[[Canvas, float, np.random.Generator], None]] = {
    "scratch": _scratch,
    "dent": _dent,
    "missing_hole": _missing_hole,
    "burr": _burr,
    "stain": _stain,
    "crack": _crack,
}

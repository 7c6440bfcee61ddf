"""Camera pictures of stamped brackets: brushed metal in drifting light, slightly misplaced, now and then defective."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import cv2
import msgspec
import numpy as np

from edge_agent.virtual_plant.part_defects import DefectKind, paint_defect
from edge_agent.virtual_plant.part_geometry import GEOMETRY, HEIGHT, SUPERSAMPLING, WIDTH, Canvas, Geometry, Product

if TYPE_CHECKING:
    from numpy.typing import NDArray

DEFECT_KINDS: tuple[DefectKind, ...] = ("scratch", "dent", "missing_hole", "burr", "stain", "crack")

STEEL, BELT = 158.0, 42.0


class Defect(msgspec.Struct, frozen=True):
    """A planted defect: what it is, and how bad, 0 (just there) to 1 (gross)."""

    kind: DefectKind
    severity: float


@dataclass(frozen=True)
class PartPicture:
    """A rendered part.

    Attributes:
        pixels: uint8 (240, 320, 3), BGR as cv2 writes it.
        defect: what was planted, None for a good part; goes into the truth, never beside the picture.
    """

    pixels: NDArray[np.uint8]
    defect: Defect | None


class PartCamera:
    """Renders parts of one product as an inspection camera would take them.

    Every picture has its own brushed texture, pose (about 1.5 pixels and half a degree) and sensor noise; light drifts
    slowly in level, colour and direction from part to part, as lamps and daylight do. The same seed and calls give the
    same pictures.

    Args:
        product: which bracket.
        seed: of all randomness.
    """

    def __init__(self, product: Product, seed: int) -> None:
        self._geometry = GEOMETRY[product]
        self._rng = np.random.default_rng([seed, sorted(GEOMETRY).index(product)])
        self._mask, self._relief = _blank(self._geometry)
        self._brush = _brushed(self._rng)
        self._belt = _belt(self._rng)
        ys, xs = np.mgrid[0:HEIGHT, 0:WIDTH].astype(np.float32)
        self._x = (xs - WIDTH / 2) / WIDTH
        self._y = (ys - HEIGHT / 2) / WIDTH
        self._vignette = 1.0 - 0.55 * (self._x**2 + self._y**2)
        self._light = np.zeros(4)

    def wait(self, parts: int) -> None:
        """Let the light drift on for as many parts without a picture."""
        for _ in range(parts):
            self._light = 0.97 * self._light + 0.24 * self._rng.normal(size=4)

    def take(self, defect: Defect | None = None) -> PartPicture:
        """Picture the next part, with a planted defect or good."""
        self.wait(1)
        mask = self._mask.copy()
        surface = STEEL + self._relief + self._cut(self._brush, *self._mask.shape)
        if defect is not None:
            paint_defect(defect.kind, defect.severity, Canvas(surface, mask, self._geometry), self._rng)
        return PartPicture(self._expose(surface, mask), defect)

    def _expose(self, surface: NDArray[np.float32], mask: NDArray[np.float32]) -> NDArray[np.uint8]:
        pose = self._pose()
        size = (WIDTH, HEIGHT)
        flags = cv2.INTER_LINEAR
        cover = cv2.warpAffine(mask, pose, size, flags=flags)
        part = cv2.warpAffine(surface, pose, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
        # The part throws a soft shadow to the lower right, away from the lamp.
        shadow = cv2.GaussianBlur(cv2.warpAffine(cover, np.array([[1, 0, 4], [0, 1, 5]], np.float32), size), (0, 0), 3)
        belt = self._cut(self._belt, HEIGHT, WIDTH) * (1.0 - 0.5 * shadow)
        grey = cover * part + (1.0 - cover) * belt

        level, tilt_x, tilt_y, warmth = (float(value) for value in np.tanh(self._light))
        gain = self._vignette * (1.0 + 0.06 * level + 0.16 * tilt_x * self._x + 0.16 * tilt_y * self._y)
        grey = cv2.GaussianBlur((grey * gain).astype(np.float32), (0, 0), 0.6)
        balance = np.array([1.02 - 0.02 * warmth, 1.0, 0.97 + 0.02 * warmth], np.float32)
        colour = grey[:, :, None] * balance
        # Photon noise grows with the square root of the signal; read-out noise does not.
        noise = self._rng.standard_normal(grey.shape, dtype=np.float32)
        colour += (noise * np.sqrt(0.02 * grey + 1.0))[:, :, None]
        pixels: NDArray[np.uint8] = np.clip(np.rint(colour), 0, 255).astype(np.uint8)
        return pixels

    def _cut(self, sheet: NDArray[np.float32], height: int, width: int) -> NDArray[np.float32]:
        top = int(self._rng.integers(0, sheet.shape[0] - height))
        left = int(self._rng.integers(0, sheet.shape[1] - width))
        return sheet[top : top + height, left : left + width]

    def _pose(self) -> NDArray[np.float32]:
        angle = math.radians(float(np.clip(self._rng.normal(0, 0.4), -1.2, 1.2)))
        dx, dy = np.clip(self._rng.normal(0, 1.0, 2), -3, 3)
        cosine, sine = math.cos(angle) / SUPERSAMPLING, math.sin(angle) / SUPERSAMPLING
        centre_x, centre_y = WIDTH * SUPERSAMPLING / 2, HEIGHT * SUPERSAMPLING / 2
        return np.array(
            [
                [cosine, -sine, WIDTH / 2 + dx - cosine * centre_x + sine * centre_y],
                [sine, cosine, HEIGHT / 2 + dy - sine * centre_x - cosine * centre_y],
            ],
            np.float32,
        )


def draw_defect(rng: np.random.Generator) -> Defect:
    """Choose a defect as the process makes them: kinds in unequal shares, mild more often than gross."""
    kind = DEFECT_KINDS[int(rng.choice(len(DEFECT_KINDS), p=(0.28, 0.18, 0.10, 0.16, 0.16, 0.12)))]
    return Defect(kind, round(float(0.25 + 0.75 * rng.beta(1.6, 1.6)), 3))


def _blank(geometry: Geometry) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Mask and relief (light and shade of edges, holes and bend) of a good part."""
    scale = SUPERSAMPLING
    mask = np.zeros((HEIGHT * scale, WIDTH * scale), np.uint8)
    cv2.fillPoly(mask, [np.array(geometry.plate, np.int32) * scale], 255)
    x0, y0, x1, y1, half = (value * scale for value in geometry.slot)
    cv2.line(mask, (x0, y0), (x1, y1), 0, thickness=2 * half)
    for x, y, radius in geometry.holes:
        cv2.circle(mask, (x * scale, y * scale), radius * scale, 0, thickness=-1)
    solid = mask.astype(np.float32) / 255.0
    # Rolled edges: the lamp stands at the upper left, so edges facing it shine and the others are dark.
    soft = cv2.GaussianBlur(solid, (0, 0), 2.5)
    relief = 260.0 * (soft - np.roll(soft, (4, 4), axis=(0, 1)))
    columns = np.arange(WIDTH * scale, dtype=np.float32) / scale - geometry.bend_x
    bend = 26.0 * np.exp(-(((columns + 2.0) / 2.0) ** 2)) - 30.0 * np.exp(-(((columns - 2.5) / 2.5) ** 2))
    flange = np.where(columns > 0, -9.0, 0.0)
    return solid, (relief + bend + flange).astype(np.float32)


def _brushed(rng: np.random.Generator) -> NDArray[np.float32]:
    """A sheet of brushed steel, larger than a part: streaks along x of several lengths."""
    shape = (HEIGHT * SUPERSAMPLING + 256, WIDTH * SUPERSAMPLING + 256)
    sheet = np.zeros(shape, np.float32)
    for length, depth in ((15, 3.0), (61, 4.0), (201, 3.5)):
        streaks = cv2.blur(rng.standard_normal(shape, dtype=np.float32), (length, 1))
        sheet += depth * streaks / float(streaks.std())
    coarse = rng.standard_normal((shape[0] // 8, shape[1] // 8), dtype=np.float32)
    cloud = cv2.resize(cv2.GaussianBlur(coarse, (0, 0), 3), shape[::-1])
    return np.asarray(sheet + 3.0 * cloud / float(cloud.std()), np.float32)


def _belt(rng: np.random.Generator) -> NDArray[np.float32]:
    """The rubber belt, larger than a picture: it has moved on under every part."""
    shape = (HEIGHT + 256, WIDTH + 256)
    grain = cv2.GaussianBlur(rng.standard_normal(shape, dtype=np.float32), (0, 0), 1.2)
    return np.asarray(BELT + 2.5 * grain / float(grain.std()), np.float32)

"""Shapes of the stamped brackets, and the canvas they are drawn on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Product = Literal["bracket-a", "bracket-b"]

WIDTH, HEIGHT = 320, 240
# Parts are drawn this much larger and reduced by the camera's warp, so that edges come out smooth.
SUPERSAMPLING = 2


class Geometry(msgspec.Struct, frozen=True):
    """A stamped bracket seen from above, in pixels of the 320 x 240 picture.

    Attributes:
        plate: corners of the blank (x, y).
        holes: (x, y, radius) of each punched hole.
        slot: (x0, y0, x1, y1, half width) of the slotted hole.
        bend_x: where the flange is bent up: a line of light and shade.
    """

    plate: tuple[tuple[int, int], ...]
    holes: tuple[tuple[int, int, int], ...]
    slot: tuple[int, int, int, int, int]
    bend_x: int


GEOMETRY: dict[Product, Geometry] = {
    "bracket-a": Geometry(
        plate=((46, 52), (62, 38), (262, 38), (276, 52), (276, 132), (176, 132), (162, 146), (162, 202), (46, 202)),
        holes=((76, 68, 11), (246, 68, 11), (76, 174, 11), (132, 174, 8)),
        slot=(140, 84, 190, 84, 9),
        bend_x=216,
    ),
    "bracket-b": Geometry(
        plate=((40, 64), (280, 64), (280, 176), (246, 176), (234, 190), (86, 190), (74, 176), (40, 176)),
        holes=((68, 92, 10), (252, 92, 10), (68, 150, 10), (252, 150, 10), (160, 92, 7)),
        slot=(128, 150, 192, 150, 11),
        bend_x=104,
    ),
}


@dataclass(frozen=True)
class Canvas:
    """A part while it is drawn, at `SUPERSAMPLING` times the picture's size; its arrays are painted in place.

    Attributes:
        surface: float32 (480, 640) grey values of the metal.
        mask: float32 (480, 640), 1 where there is metal.
        geometry: of the product, in pixels of the picture.
    """

    surface: NDArray[np.float32]
    mask: NDArray[np.float32]
    geometry: Geometry

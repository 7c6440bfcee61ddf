"""Zones of vibration severity by ISO 20816-3 (before: 10816-3) and ISO 10816-1: how bad an RMS velocity is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

import msgspec
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

MachineGroup = Literal[
    "large_rigid",
    "large_flexible",
    "medium_rigid",
    "medium_flexible",
    "class_1",
    "class_2",
    "class_3",
    "class_4",
]
ZONE_NAMES: Final = ("A", "B", "C", "D")


class ZoneLimits(msgspec.Struct, frozen=True):
    """Upper ends of zones A, B and C in mm/s RMS, rising."""

    a_b: float
    b_c: float
    c_d: float


ZONE_LIMITS: Final[dict[MachineGroup, ZoneLimits]] = {
    # ISO 20816-3 tables A.1 and A.2: above 300 kW; 15 to 300 kW
    "large_rigid": ZoneLimits(2.3, 4.5, 7.1),
    "large_flexible": ZoneLimits(3.5, 7.1, 11.0),
    "medium_rigid": ZoneLimits(1.4, 2.8, 4.5),
    "medium_flexible": ZoneLimits(2.3, 4.5, 7.1),
    # ISO 10816-1 annex B: parts of machines to 15 kW; 15 to 75 kW; large on heavy, and on soft foundations
    "class_1": ZoneLimits(0.71, 1.8, 4.5),
    "class_2": ZoneLimits(1.12, 2.8, 7.1),
    "class_3": ZoneLimits(1.8, 4.5, 11.2),
    "class_4": ZoneLimits(2.8, 7.1, 18.0),
}
"""Typical limits; what a machine's maker or its own history says counts more (ISO 20816-1 clause 6)."""


def zone_numbers(velocities_mm_s: NDArray[np.floating[Any]], limits: ZoneLimits) -> NDArray[np.int64]:
    """Zone of each RMS velocity: 1 (A, as new) to 4 (D, does damage); a value on a limit is in the better zone.

    >>> zone_numbers(np.array([1.4, 1.41, 4.5, 4.6]), ZONE_LIMITS["medium_rigid"]).tolist()
    [1, 2, 3, 4]
    """
    return np.searchsorted([limits.a_b, limits.b_c, limits.c_d], velocities_mm_s, side="left") + 1


def zone_name(number: int) -> str:
    """The zone's letter.

    >>> zone_name(4)
    'D'
    """
    return ZONE_NAMES[number - 1]

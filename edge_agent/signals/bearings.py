"""How often a damaged rolling bearing hits, from its geometry and the speed of its shaft."""

from __future__ import annotations

import math
from typing import Final, Literal

import msgspec

FaultName = Literal["bpfo", "bpfi", "bsf", "ftf"]
FAULTS: Final[tuple[FaultName, ...]] = ("bpfo", "bpfi", "bsf", "ftf")


class BearingGeometry(msgspec.Struct, frozen=True):
    """A bearing whose inner ring turns.

    Attributes:
        elements: number of balls or rollers.
        element_diameter: of a ball or roller, in any unit.
        pitch_diameter: of the circle of their centres, in the same unit.
        contact_angle_deg: 0 for deep-groove ball bearings.
    """

    elements: int
    element_diameter: float
    pitch_diameter: float
    contact_angle_deg: float = 0.0


class FaultFrequencies(msgspec.Struct, frozen=True):
    """Rates in Hz, or in orders of the shaft's speed.

    Attributes:
        bpfo: balls over one place of the outer ring.
        bpfi: balls over one place of the inner ring.
        bsf: turns of a ball; a fault on it hits both rings, so that `2 bsf` is what is heard.
        ftf: turns of the cage.
    """

    bpfo: float
    bpfi: float
    bsf: float
    ftf: float

    def heard(self, fault: FaultName) -> float:
        """The rate at which a fault of this part hits."""
        rates: dict[FaultName, float] = {
            "bpfo": self.bpfo,
            "bpfi": self.bpfi,
            "bsf": 2 * self.bsf,
            "ftf": self.ftf,
        }
        return rates[fault]


def fault_frequencies(geometry: BearingGeometry, shaft_hz: float) -> FaultFrequencies:
    """Fault frequencies without slip; real ones lie a percent or two beside them.

    Source: Randall and Antoni, Mech. Syst. Signal Process. 25 (2011) 485-520, equations 1 to 4.

    >>> skf_6205 = BearingGeometry(9, 0.3126, 1.537)  # inches
    >>> orders = fault_frequencies(skf_6205, 1.0)
    >>> [round(rate, 3) for rate in (orders.bpfo, orders.bpfi, orders.heard("bsf"), orders.ftf)]
    [3.585, 5.415, 4.713, 0.398]
    """
    ratio = geometry.element_diameter / geometry.pitch_diameter * math.cos(math.radians(geometry.contact_angle_deg))
    return FaultFrequencies(
        bpfo=geometry.elements / 2 * shaft_hz * (1 - ratio),
        bpfi=geometry.elements / 2 * shaft_hz * (1 + ratio),
        bsf=geometry.pitch_diameter / (2 * geometry.element_diameter) * shaft_hz * (1 - ratio**2),
        ftf=shaft_hz / 2 * (1 - ratio),
    )

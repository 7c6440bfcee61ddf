"""What is planted in the virtual line and when: faults and stops. This is the truth; agent and tracker never see it."""

from __future__ import annotations

import math
from typing import Literal

import msgspec

from edge_agent.events import MachineStateName

FaultKind = Literal["cooling_failure", "bearing_wear", "belt_slip"]

# Wear feeds on itself: its progress follows an exponential, so most of the rise comes late in the fault's life.
WEAR_GROWTH = 4.0


class PlantedFault(msgspec.Struct, frozen=True):
    """A fault that acts from `start_s` until it is repaired at `end_s`, in plant seconds.

    Attributes:
        kind: which physics is disturbed.
        start_s, end_s: when it acts, seconds of plant time.
        severity: 0 (none) to 1 (as bad as it gets), reached at the end of the onset.
        onset_s: seconds from the first effect to full severity.
    """

    kind: FaultKind
    start_s: float
    end_s: float
    severity: float
    onset_s: float

    def level(self, t_s: float) -> float:
        """How strongly the fault acts at a moment, 0 to `severity`.

        >>> PlantedFault("belt_slip", 10, 30, 0.8, 10).level(15)
        0.4
        """
        if not self.start_s <= t_s < self.end_s:
            return 0.0
        progress = min(1.0, (t_s - self.start_s) / self.onset_s)
        if self.kind == "bearing_wear":
            progress = math.expm1(WEAR_GROWTH * progress) / math.expm1(WEAR_GROWTH)
        return self.severity * progress


class PlantedStop(msgspec.Struct, frozen=True):
    """The line leaves `producing` from `start_s` to `end_s`, in plant seconds."""

    start_s: float
    end_s: float
    state: MachineStateName
    reason: str


class Schedule(msgspec.Struct, frozen=True):
    """All that is planted, repeated every `period_s` plant seconds (0: it happens once).

    Attributes:
        faults: at most one of a kind acts at a time.
        stops: ascending, not overlapping.
        period_s: after this time it all begins again.
    """

    faults: tuple[PlantedFault, ...] = ()
    stops: tuple[PlantedStop, ...] = ()
    period_s: float = 0.0

    def level(self, kind: FaultKind, t_s: float) -> float:
        """How strongly a kind of fault acts at a moment, 0 to 1."""
        moment = self._within(t_s)
        return max((fault.level(moment) for fault in self.faults if fault.kind == kind), default=0.0)

    def stop_at(self, t_s: float) -> PlantedStop | None:
        """The stop in force at a moment.

        >>> schedule = Schedule(stops=(PlantedStop(10, 20, "planned_stop", "break"),), period_s=100)
        >>> schedule.stop_at(115).reason, schedule.stop_at(120)
        ('break', None)
        """
        moment = self._within(t_s)
        return next((stop for stop in self.stops if stop.start_s <= moment < stop.end_s), None)

    def _within(self, t_s: float) -> float:
        return math.fmod(t_s, self.period_s) if self.period_s else t_s


def healthy_schedule() -> Schedule:
    """A good phase as models are taught from: no fault, with the breaks and set-ups that belong to normal work.

    The meal is longer than any repair of `eventful_schedule`, so that a press that has cooled down is known as normal.
    """
    return Schedule(
        stops=(
            PlantedStop(2_400, 2_700, "planned_stop", "break"),
            PlantedStop(4_200, 5_100, "planned_stop", "meal"),
            PlantedStop(6_000, 6_480, "setup", "coil_change"),
        ),
        period_s=7_200,
    )


def eventful_schedule() -> Schedule:
    """Three plant hours in which every planted fault acts once and is repaired, again and again.

    The first forty minutes are calm, so that whoever watches sees normal work before the first fault.
    """
    return Schedule(
        faults=(
            PlantedFault("cooling_failure", 2_400, 4_200, 0.7, 120),
            PlantedFault("belt_slip", 5_400, 6_300, 0.8, 240),
            PlantedFault("bearing_wear", 6_900, 9_600, 1.0, 2_400),
        ),
        stops=(
            PlantedStop(1_500, 1_680, "setup", "coil_change"),
            PlantedStop(3_600, 4_200, "unplanned_stop", "die_overheated"),
            PlantedStop(4_800, 5_100, "planned_stop", "break"),
            PlantedStop(6_120, 6_300, "unplanned_stop", "belt_retensioned"),
            PlantedStop(9_300, 9_900, "unplanned_stop", "bearing_replaced"),
        ),
        period_s=10_800,
    )

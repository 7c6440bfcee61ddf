"""The virtual line: press and conveyor in one hall, moved step by step along a schedule of planted faults and stops."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec
import numpy as np

from edge_agent.events import MachineStateName
from edge_agent.virtual_plant.conveyor import Conveyor, ConveyorDemand, ConveyorSignals
from edge_agent.virtual_plant.press import Press, PressDemand, PressSignals

if TYPE_CHECKING:
    from edge_agent.virtual_plant.schedule import Schedule

DAY_S = 86_400.0
# Slow fluctuation of load and hall temperature: an Ornstein-Uhlenbeck process with this correlation time.
DRIFT_TAU_S = 900.0


class LineTick(msgspec.Struct, frozen=True):
    """The line after one step.

    Attributes:
        t_s: plant time, seconds since the start.
        state, reason: machine state (ISO 22400) in force.
        press, conveyor: what the sensors show.
        energy_kwh: electrical energy used in the step.
        produced: strokes made in the step, with fractions.
    """

    t_s: float
    state: MachineStateName
    reason: str
    press: PressSignals
    conveyor: ConveyorSignals
    energy_kwh: float
    produced: float


class VirtualLine:
    """Press and conveyor with shared ambient and load; the same seed and steps give the same signals.

    Args:
        schedule: what is planted.
        seed: of all randomness.
        warm: start at running temperature instead of cold.
    """

    def __init__(self, schedule: Schedule, seed: int, *, warm: bool = True) -> None:
        self._schedule = schedule
        self._rng = np.random.default_rng([seed, 1])
        self.press = Press(np.random.default_rng([seed, 2]), die_temperature=56.0 if warm else 23.0)
        self.conveyor = Conveyor(np.random.default_rng([seed, 3]), bearing_temperature=38.0 if warm else 23.0)
        self.t_s = 0.0
        self._load_drift = 0.0
        self._ambient_drift = 0.0

    def step(self, dt_s: float) -> LineTick:
        """Advance by `dt_s` plant seconds."""
        self.t_s += dt_s
        stop = self._schedule.stop_at(self.t_s)
        running = stop is None
        self._drift(dt_s)
        load = 1.0 + 0.04 * self._load_drift
        ambient = 23.0 + 2.0 * math.sin(2 * math.pi * self.t_s / DAY_S) + 0.5 * self._ambient_drift
        press = self.press.step(
            dt_s,
            PressDemand(
                running=running,
                load=load,
                ambient_cel=ambient,
                cooling_loss=self._schedule.level("cooling_failure", self.t_s),
                wear=self._schedule.level("bearing_wear", self.t_s),
            ),
        )
        conveyor = self.conveyor.step(
            dt_s,
            ConveyorDemand(
                running=running,
                load=load,
                ambient_cel=ambient,
                slip=self._schedule.level("belt_slip", self.t_s),
            ),
        )
        # Three phases at 400 V and a power factor of 0.85; 2.5 kW of control, lights and hydraulics never rest.
        kilowatts = 2.5 + math.sqrt(3) * 0.4 * 0.85 * (press.motor_current + conveyor.motor_current)
        return LineTick(
            t_s=self.t_s,
            state="producing" if stop is None else stop.state,
            reason="" if stop is None else stop.reason,
            press=press,
            conveyor=conveyor,
            energy_kwh=kilowatts * dt_s / 3600.0,
            produced=self.press.stroke_rate * dt_s / 60.0 if running else 0.0,
        )

    def _drift(self, dt_s: float) -> None:
        keep = math.exp(-dt_s / DRIFT_TAU_S)
        fresh = math.sqrt(1.0 - keep * keep)
        noise = self._rng.normal(size=2)
        self._load_drift = keep * self._load_drift + fresh * float(noise[0])
        self._ambient_drift = keep * self._ambient_drift + fresh * float(noise[1])

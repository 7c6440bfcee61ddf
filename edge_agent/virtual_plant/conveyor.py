"""The virtual outfeed conveyor: motor current, belt speed and bearing temperature that follow from load and slip."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np

UNITS = {"bearing_temperature": "Cel", "belt_speed": "m/s", "motor_current": "A"}


class ConveyorParameters(msgspec.Struct, frozen=True):
    """A short belt conveyor of the 1.5 kW class.

    Attributes:
        speed_m_s: belt speed without slip.
        speed_tau_s: time constant of run-up and run-down, seconds.
        slip_at_full_severity: share of the drum's speed lost when the belt slips fully.
        idle_current_a, load_current_a: motor current empty, and extra at nominal load.
        bearing_rise_cel: steady rise of the drive bearing over ambient at nominal load, kelvin.
        slip_heat_cel: extra steady rise from the drum rubbing under a fully slipping belt, kelvin.
        bearing_tau_s: time constant of the bearing, seconds.
    """

    speed_m_s: float = 0.50
    speed_tau_s: float = 4.0
    slip_at_full_severity: float = 0.30
    idle_current_a: float = 1.4
    load_current_a: float = 1.2
    bearing_rise_cel: float = 16.0
    slip_heat_cel: float = 22.0
    bearing_tau_s: float = 420.0


class ConveyorDemand(msgspec.Struct, frozen=True):
    """What acts on the conveyor in one step: whether it runs, relative load, hall temperature, slip severity 0 to 1."""

    running: bool
    load: float
    ambient_cel: float
    slip: float = 0.0


class ConveyorSignals(msgspec.Struct, frozen=True):
    """What the conveyor's sensors show; units in `UNITS`."""

    bearing_temperature: float
    belt_speed: float
    motor_current: float


class Conveyor:
    """One conveyor with its state: drum speed (relative) and bearing temperature.

    A slipping belt moves slower than the drum, carries less of the load's torque, and rubs: the bearing beside the
    drum warms. So speed and current fall while the temperature rises, which no change of load does.

    Args:
        rng: randomness of the sensors.
        parameters: the machine.
        bearing_temperature: bearing at the start, Cel.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        parameters: ConveyorParameters | None = None,
        bearing_temperature: float = 24.0,
    ) -> None:
        self._rng = rng
        self._machine = parameters or ConveyorParameters()
        self.bearing_temperature = bearing_temperature
        self.drum = 0.0

    def step(self, dt_s: float, demand: ConveyorDemand) -> ConveyorSignals:
        """Advance by `dt_s` plant seconds and read the sensors."""
        machine = self._machine
        self.drum += (float(demand.running) - self.drum) * -math.expm1(-dt_s / machine.speed_tau_s)
        rise = machine.bearing_rise_cel * (0.4 + 0.6 * demand.load) + machine.slip_heat_cel * demand.slip
        steady = demand.ambient_cel + self.drum * rise
        self.bearing_temperature += (steady - self.bearing_temperature) * -math.expm1(-dt_s / machine.bearing_tau_s)

        noise = self._rng.normal(size=3).tolist()
        carried = demand.load * (1.0 - 0.5 * demand.slip)
        speed = machine.speed_m_s * self.drum * (1.0 - machine.slip_at_full_severity * demand.slip)
        current = self.drum * (machine.idle_current_a + machine.load_current_a * carried)
        return ConveyorSignals(
            bearing_temperature=round(self.bearing_temperature + 0.12 * noise[0], 3),
            belt_speed=round(max(0.0, speed + 0.004 * self.drum * noise[1]), 4),
            motor_current=round(max(0.0, current + 0.03 * noise[2]), 4),
        )

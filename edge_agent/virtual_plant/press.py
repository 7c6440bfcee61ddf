"""The virtual press: heat, oil pressure, motor current and vibration that follow from strokes, load and wear."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    import numpy as np

NOMINAL_STROKE_RATE = 42.0
UNITS = {
    "die_temperature": "Cel",
    "hydraulic_pressure": "bar",
    "motor_current": "A",
    "stroke_rate": "1/min",
    "vibration_velocity": "mm/s",
}


class PressParameters(msgspec.Struct, frozen=True):
    """A small mechanical press with hydraulic overload protection (about 800 kN); values as on type plates.

    Attributes:
        heating_cel: steady rise of the die over ambient at nominal stroke rate and load, kelvin.
        thermal_tau_s: time constant of the die with cooling in order, seconds.
        cooling_share: share of the heat that the cooling circuit carries; the rest leaves by air.
        stroke_tau_s: time constant of the drive's run-up, seconds.
        pressure_bar: oil pressure at standstill and 40 Cel.
        pressure_per_cel: loss of oil pressure as the oil warms and thins, bar per kelvin.
        pressure_per_load: extra pressure at nominal load, bar.
        idle_current_a: drive current with the clutch open.
        load_current_a: extra current at nominal stroke rate and load.
        vibration_floor: velocity RMS of the running machine in good order, mm/s (ISO 20816 zone A/B).
        vibration_of_wear: velocity RMS that a fully worn bearing adds, mm/s.
        current_of_wear: extra friction current of a fully worn bearing, A.
    """

    heating_cel: float = 34.0
    thermal_tau_s: float = 600.0
    cooling_share: float = 0.75
    stroke_tau_s: float = 12.0
    pressure_bar: float = 128.0
    pressure_per_cel: float = 0.22
    pressure_per_load: float = 32.0
    idle_current_a: float = 18.0
    load_current_a: float = 46.0
    vibration_floor: float = 1.6
    vibration_of_wear: float = 6.5
    current_of_wear: float = 6.0


class PressDemand(msgspec.Struct, frozen=True):
    """What acts on the press in one step.

    Attributes:
        running: the drive is asked to stroke.
        load: forming work relative to nominal, about 1.
        ambient_cel: temperature of the hall.
        cooling_loss: 0 (cooling in order) to 1 (circuit dead).
        wear: bearing wear, 0 to 1.
    """

    running: bool
    load: float
    ambient_cel: float
    cooling_loss: float = 0.0
    wear: float = 0.0


class PressSignals(msgspec.Struct, frozen=True):
    """What the press' sensors show; units in `UNITS`."""

    die_temperature: float
    hydraulic_pressure: float
    motor_current: float
    stroke_rate: float
    vibration_velocity: float


class Press:
    """One press with its state: die temperature and stroke rate.

    The die is a first-order thermal body: heat comes with every stroke, leaves through the cooling circuit and the air.
    Without the circuit both its steady temperature and its time constant rise by 1 / (1 - cooling_share).

    Args:
        rng: randomness of the sensors.
        parameters: the machine.
        die_temperature: die at the start, Cel.
    """

    def __init__(
        self,
        rng: np.random.Generator,
        parameters: PressParameters | None = None,
        die_temperature: float = 24.0,
    ) -> None:
        self._rng = rng
        self._machine = parameters or PressParameters()
        self.die_temperature = die_temperature
        self.stroke_rate = 0.0

    def step(self, dt_s: float, demand: PressDemand) -> PressSignals:
        """Advance by `dt_s` plant seconds (any length: the linear parts are solved exactly) and read the sensors."""
        machine = self._machine
        target = NOMINAL_STROKE_RATE if demand.running else 0.0
        self.stroke_rate += (target - self.stroke_rate) * -math.expm1(-dt_s / machine.stroke_tau_s)
        work = self.stroke_rate / NOMINAL_STROKE_RATE * demand.load

        conductance = 1.0 - machine.cooling_share * demand.cooling_loss
        steady = demand.ambient_cel + machine.heating_cel * work / conductance
        tau_s = machine.thermal_tau_s / conductance
        self.die_temperature += (steady - self.die_temperature) * -math.expm1(-dt_s / tau_s)
        return self._sense(work, demand)

    def _sense(self, work: float, demand: PressDemand) -> PressSignals:
        machine, noise = self._machine, self._rng.normal(size=4).tolist()
        speed = self.stroke_rate / NOMINAL_STROKE_RATE
        running = 1.0 if demand.running else speed
        oil_warming = self.die_temperature - 40.0
        pressure = machine.pressure_bar + machine.pressure_per_load * work - machine.pressure_per_cel * oil_warming
        current = (
            machine.idle_current_a * running
            + machine.load_current_a * work
            + machine.current_of_wear * demand.wear * speed
        )
        # Independent sources of vibration add as powers.
        vibration = speed * math.hypot(machine.vibration_floor, machine.vibration_of_wear * demand.wear)
        return PressSignals(
            die_temperature=round(self.die_temperature + 0.15 * noise[0], 3),
            hydraulic_pressure=round(pressure + 0.8 * noise[1], 3),
            motor_current=round(max(0.0, current + 0.5 * noise[2]), 3),
            stroke_rate=round(self.stroke_rate, 3),
            vibration_velocity=round(0.05 + vibration * math.exp(0.06 * noise[3]), 4),
        )

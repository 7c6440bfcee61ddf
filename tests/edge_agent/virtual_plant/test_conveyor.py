"""The conveyor's physics against hand-computed values."""

from __future__ import annotations

import numpy as np
import pytest

from edge_agent.virtual_plant.conveyor import Conveyor, ConveyorDemand, ConveyorSignals


def _mean(demand: ConveyorDemand) -> ConveyorSignals:
    conveyor = Conveyor(np.random.default_rng(1))
    conveyor.step(1_000.0, demand)
    conveyor.step(60_000.0, demand)
    ticks = [conveyor.step(1.0, demand) for _ in range(400)]
    return ConveyorSignals(
        *(float(np.mean([getattr(tick, name) for tick in ticks])) for name in ConveyorSignals.__struct_fields__)
    )


def test_in_good_order() -> None:
    signals = _mean(ConveyorDemand(running=True, load=1.0, ambient_cel=23.0))
    assert signals.belt_speed == pytest.approx(0.50, abs=0.001)
    assert signals.motor_current == pytest.approx(2.6, abs=0.01)
    assert signals.bearing_temperature == pytest.approx(39.0, abs=0.05)


def test_full_slip_slows_the_belt_unloads_the_motor_and_heats_the_bearing() -> None:
    signals = _mean(ConveyorDemand(running=True, load=1.0, ambient_cel=23.0, slip=1.0))
    assert signals.belt_speed == pytest.approx(0.35, abs=0.001)
    assert signals.motor_current == pytest.approx(2.0, abs=0.01)
    assert signals.bearing_temperature == pytest.approx(61.0, abs=0.05)


def test_a_stopped_belt_stands() -> None:
    signals = _mean(ConveyorDemand(running=False, load=1.0, ambient_cel=23.0))
    assert signals.belt_speed == 0.0
    assert signals.bearing_temperature == pytest.approx(23.0, abs=0.05)

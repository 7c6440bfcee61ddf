"""The press' physics against hand-computed values."""

from __future__ import annotations

import math

import numpy as np
import pytest

from edge_agent.virtual_plant.press import NOMINAL_STROKE_RATE, Press, PressDemand, PressParameters, PressSignals


def _settled(demand: PressDemand, seconds: float = 60_000.0, seed: int = 5) -> Press:
    press = Press(np.random.default_rng(seed))
    press.step(1_000.0, demand)  # run-up first: one step takes the work at its end for all of it
    press.step(seconds, demand)
    return press


def _mean(press: Press, demand: PressDemand, steps: int = 400) -> PressSignals:
    ticks = [press.step(1.0, demand) for _ in range(steps)]
    return PressSignals(
        *(float(np.mean([getattr(tick, name) for tick in ticks])) for name in PressSignals.__struct_fields__)
    )


def test_die_settles_at_ambient_plus_heating() -> None:
    press = _settled(PressDemand(running=True, load=1.0, ambient_cel=23.0))
    assert press.die_temperature == pytest.approx(23.0 + 34.0, abs=1e-6)
    assert press.stroke_rate == pytest.approx(NOMINAL_STROKE_RATE)


def test_die_follows_the_first_order_law() -> None:
    press = Press(np.random.default_rng(0), PressParameters(stroke_tau_s=1e-6), die_temperature=23.0)
    press.step(600.0, PressDemand(running=True, load=1.0, ambient_cel=23.0))
    assert press.die_temperature == pytest.approx(23.0 + 34.0 * (1 - math.exp(-1)), abs=1e-9)


def test_one_long_step_equals_many_short_ones() -> None:
    demand = PressDemand(running=False, load=1.0, ambient_cel=20.0)
    long, short = (Press(np.random.default_rng(0), die_temperature=60.0) for _ in range(2))
    long.step(300.0, demand)
    for _ in range(300):
        short.step(1.0, demand)
    assert long.die_temperature == pytest.approx(short.die_temperature, abs=1e-9)


def test_dead_cooling_multiplies_the_rise_by_four() -> None:
    press = _settled(PressDemand(running=True, load=1.0, ambient_cel=23.0, cooling_loss=1.0))
    assert press.die_temperature == pytest.approx(23.0 + 34.0 / 0.25, abs=1e-6)


def test_warm_oil_lowers_the_pressure() -> None:
    demand = PressDemand(running=True, load=1.0, ambient_cel=23.0)
    signals = _mean(_settled(demand), demand)
    assert signals.hydraulic_pressure == pytest.approx(128.0 + 32.0 - 0.22 * (57.0 - 40.0), abs=0.2)


def test_wear_raises_vibration_as_a_sum_of_powers() -> None:
    worn = PressDemand(running=True, load=1.0, ambient_cel=23.0, wear=1.0)
    signals = _mean(_settled(worn), worn)
    assert signals.vibration_velocity == pytest.approx(0.05 + math.hypot(1.6, 6.5), rel=0.02)
    assert signals.motor_current == pytest.approx(18.0 + 46.0 + 6.0, abs=0.2)


def test_standing_press_neither_vibrates_nor_draws_current() -> None:
    signals = _mean(_settled(still := PressDemand(running=False, load=1.0, ambient_cel=23.0)), still)
    assert signals.vibration_velocity == pytest.approx(0.05, abs=1e-3)
    assert signals.motor_current < 0.5
    assert signals.stroke_rate == 0.0

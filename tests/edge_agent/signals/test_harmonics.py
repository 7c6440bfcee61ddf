from __future__ import annotations

import math

import numpy as np
import pytest

from edge_agent.signals.harmonics import CHANCE, Search, find_harmonics
from edge_agent.signals.spectra import Spectrum


def _spectrum(power: np.ndarray[tuple[int], np.dtype[np.float64]]) -> Spectrum:
    return Spectrum(np.arange(len(power)) * 0.5, power)


def test_prominence_is_the_power_over_the_neighbours_median_in_decibel() -> None:
    power = np.full(1_000, 2.0)
    power[200] = 2_000.0
    [line] = find_harmonics(_spectrum(power), 100.0, Search(harmonics=1))
    assert (line.order, line.frequency_hz, line.found) == (1, 100.0, True)
    assert line.prominence_db == pytest.approx(30.0)
    # 99 to 101 Hz are 5 bins: log2(5 / 0.001)
    assert line.limit_db == pytest.approx(10 * math.log10(math.log2(5 / CHANCE)))


def test_noise_passes_for_a_harmonic_about_as_rarely_as_it_is_told_to() -> None:
    generator = np.random.default_rng(11)
    found = sum(
        line.found
        for _ in range(200)
        for line in find_harmonics(_spectrum(generator.exponential(size=4_000)), 40.0, Search(harmonics=10))
    )
    assert found <= 10  # 2 are expected of 2,000, and the floor's own scatter adds some


def test_harmonics_outside_the_spectrum_and_in_its_first_bins_are_left_out() -> None:
    power = np.ones(400)  # up to 199.5 Hz
    assert [line.order for line in find_harmonics(_spectrum(power), 90.0, Search(harmonics=5))] == [1, 2]
    assert find_harmonics(_spectrum(power), 0.7, Search(harmonics=1)) == ()


def test_the_shafts_own_harmonics_are_no_evidence() -> None:
    power = np.ones(4_000)
    power[300] = 1e4  # 150 Hz, the 5th order of a shaft at 30 Hz
    [taken] = find_harmonics(_spectrum(power), 149.0, Search(harmonics=1, tolerance_ratio=0.02))
    [passed] = find_harmonics(_spectrum(power), 149.0, Search(harmonics=1, tolerance_ratio=0.02, shaft_hz=30.0))
    assert taken.found
    assert not passed.found


def test_a_range_that_the_shaft_covers_whole_says_nothing() -> None:
    assert find_harmonics(_spectrum(np.ones(4_000)), 150.0, Search(1, 0.001, 30.0)) == ()


def test_an_empty_spectrum_says_nothing() -> None:
    assert find_harmonics(_spectrum(np.zeros(4_000)), 150.0, Search()) == ()

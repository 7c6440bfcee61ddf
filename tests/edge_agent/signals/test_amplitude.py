from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from edge_agent.signals.amplitude import amplitudes


def test_hand_computed_figures() -> None:
    found = amplitudes(np.array([2.0, 2.0, 2.0, 10.0]))  # mean 4; -2 -2 -2 6; squares 4 4 4 36
    assert float(found.mean) == 4.0
    assert float(found.rms) == pytest.approx(12**0.5)
    assert float(found.peak) == 6.0
    assert float(found.crest) == pytest.approx(6 / 12**0.5)
    assert float(found.kurtosis) == pytest.approx(((3 * 16 + 36**2) / 4) / 144)


def test_kurtosis_is_scipys_pearson_kurtosis_and_rms_the_standard_deviation() -> None:
    waveforms = np.random.default_rng(1).laplace(size=(5, 10_000)) + 3.0
    found = amplitudes(waveforms)
    np.testing.assert_allclose(found.kurtosis, scipy.stats.kurtosis(waveforms, axis=-1, fisher=False), rtol=1e-10)
    np.testing.assert_allclose(found.rms, waveforms.std(axis=-1), rtol=1e-12)


def test_a_sine_has_a_crest_of_the_root_of_two_and_a_kurtosis_of_three_halves() -> None:
    found = amplitudes(np.sin(np.arange(1_000) * 2 * np.pi / 100))
    assert float(found.crest) == pytest.approx(2**0.5, rel=1e-9)
    assert float(found.kurtosis) == pytest.approx(1.5, rel=1e-9)


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_what_stands_still_has_neither_crest_nor_kurtosis(kind: type[np.floating]) -> None:
    found = amplitudes(np.full((2, 1_000), 0.1, dtype=kind))
    assert np.isnan(found.crest).all()
    assert np.isnan(found.kurtosis).all()


def test_a_waveform_so_small_that_its_squares_vanish_gives_no_kurtosis_and_no_warning() -> None:
    found = amplitudes(np.array([1e-30, -1e-30] * 10, dtype=np.float32))
    assert np.isnan(found.kurtosis)


def test_time_may_run_down_the_rows_as_in_the_ring() -> None:
    waveforms = np.random.default_rng(2).standard_normal((64, 7))
    np.testing.assert_allclose(amplitudes(waveforms, axis=0).kurtosis, amplitudes(waveforms.T).kurtosis)

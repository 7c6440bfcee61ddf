from __future__ import annotations

import numpy as np
import pytest
import scipy.integrate
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st

from edge_agent.signals.spectra import Band, band_rms, hann, least_samples, velocity_rms, welch_psd

RATE = 10_000.0
TIME_S = np.arange(20_000) / RATE


def _sine(amplitude: float, hz: float) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return amplitude * np.sin(2 * np.pi * hz * TIME_S)


def test_the_window_is_scipys_periodic_hann() -> None:
    np.testing.assert_allclose(hann(1_000), scipy.signal.get_window("hann", 1_000), atol=1e-15)


@pytest.mark.parametrize("samples", [4_096, 10_001])
def test_welch_equals_scipy(samples: int) -> None:
    waveforms = np.random.default_rng(3).standard_normal((3, samples)) + 5.0
    ours = welch_psd(waveforms, 1_234.5, 512)
    frequencies, density = scipy.signal.welch(waveforms, 1_234.5, nperseg=512)
    np.testing.assert_allclose(ours.frequencies_hz, frequencies)
    np.testing.assert_allclose(ours.values, density, rtol=1e-9, atol=1e-18)
    assert ours.resolution_hz == pytest.approx(1_234.5 / 512)


def test_welch_of_float32_stays_float32_and_is_as_good() -> None:
    waveforms = np.random.default_rng(3).standard_normal((2, 8_192)).astype(np.float32)
    ours = welch_psd(waveforms, 1_000.0, 1_024)
    _, density = scipy.signal.welch(waveforms.astype(float), 1_000.0, nperseg=1_024)
    assert ours.values.dtype == np.float32
    np.testing.assert_allclose(ours.values, density, rtol=2e-4, atol=1e-9)


@pytest.mark.parametrize("segment", [33, 2_000])
def test_welch_refuses_odd_and_overlong_segments(segment: int) -> None:
    with pytest.raises(ValueError, match="odd or longer"):
        welch_psd(np.zeros((1, 1_000)), 100.0, segment)


def test_a_sine_of_ten_metres_per_second_squared_at_a_thousand_radians_moves_at_ten_millimetres_per_second() -> None:
    found = velocity_rms(_sine(10.0, 1_000 / (2 * np.pi)), RATE)
    assert float(found) == pytest.approx(10 / np.sqrt(2), rel=1e-4)


def test_offset_drift_and_what_lies_beside_the_band_count_for_nothing() -> None:
    clean = _sine(10.0, 100.0)
    disturbed = clean + 9.81 + 0.5 * TIME_S + _sine(50.0, 2_500.0) + _sine(0.05, 2.0)
    both = velocity_rms(np.stack([clean, disturbed]), RATE)
    assert both[0] == pytest.approx(10 / (2 * np.pi * 100) / np.sqrt(2) * 1e3, rel=1e-4)
    assert both[1] == pytest.approx(both[0], rel=1e-3)


def test_velocity_equals_integration_in_time_of_a_band_limited_waveform() -> None:
    noise = np.random.default_rng(7).standard_normal(40_000)
    sos = scipy.signal.butter(8, [20.0, 500.0], "bandpass", fs=RATE, output="sos")
    acceleration = scipy.signal.sosfiltfilt(sos, noise)
    velocity = scipy.integrate.cumulative_trapezoid(acceleration, dx=1 / RATE, initial=0)
    velocity = scipy.signal.sosfiltfilt(scipy.signal.butter(4, 12.0, "highpass", fs=RATE, output="sos"), velocity)
    inner = slice(4_000, -4_000)
    expected = 1e3 * velocity[inner].std()
    assert float(velocity_rms(acceleration, RATE)) == pytest.approx(expected, rel=0.05)


def test_a_velocity_sensor_is_not_integrated() -> None:
    assert float(band_rms(_sine(3.0, 100.0), RATE)) == pytest.approx(3 / np.sqrt(2), rel=1e-6)


def test_a_short_block_and_a_slow_rate_are_refused_with_what_would_do() -> None:
    assert least_samples(RATE, Band(10.0, 1_000.0)) == 4_000
    velocity_rms(np.ones(4_000), RATE)
    with pytest.raises(ValueError, match="4000 are needed"):
        velocity_rms(np.ones(3_999), RATE)
    with pytest.raises(ValueError, match="cannot show 1000 Hz"):
        velocity_rms(np.ones(4_000), 2_000.0)


@settings(deadline=None, max_examples=30)
@given(st.floats(1e-3, 1e3), st.integers(0, 2**32 - 1))
def test_velocity_scales_with_the_acceleration(factor: float, seed: int) -> None:
    noise = np.random.default_rng(seed).standard_normal((2, 4_096))
    np.testing.assert_allclose(velocity_rms(factor * noise, RATE), factor * velocity_rms(noise, RATE), rtol=1e-9)

from __future__ import annotations

import numpy as np
import pytest
import scipy.signal
from hypothesis import given
from hypothesis import strategies as st

from edge_agent.signals.envelopes import envelopes, smooth_length, squared_envelope_spectrum
from edge_agent.signals.spectra import Band, hann

RATE = 12_000.0


def _ringing(hits_hz: float, seconds: float = 2.0, noise: float = 0.05) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    """A 3 kHz resonance that rings at every hit."""
    samples = int(seconds * RATE)
    train = np.zeros(samples)
    train[(np.arange(1, int(seconds * hits_hz)) / hits_hz * RATE).astype(int)] = 1.0
    decay_s = np.arange(120) / RATE
    response = np.exp(-decay_s * 800) * np.sin(2 * np.pi * 3_000 * decay_s)
    return np.convolve(train, response)[:samples] + noise * np.random.default_rng(5).standard_normal(samples)


def test_the_envelope_is_scipys_hilbert_of_the_band() -> None:
    waveforms = np.random.default_rng(9).standard_normal((2, 6_000))
    spectrum = np.fft.rfft(waveforms)
    frequencies = np.fft.rfftfreq(6_000, 1 / RATE)
    spectrum[:, (frequencies < 2_000) | (frequencies > 4_000)] = 0
    expected = np.abs(scipy.signal.hilbert(np.fft.irfft(spectrum, 6_000), axis=-1))
    np.testing.assert_allclose(envelopes(waveforms, RATE, Band(2_000.0, 4_000.0)), expected, atol=1e-12)


@pytest.mark.parametrize("samples", [6_000, 6_007, 24_000])
def test_the_shifted_envelope_loses_nothing_against_the_one_at_full_rate(samples: int) -> None:
    waveform = _ringing(107.0)[:samples]
    band = Band(2_000.0, 4_000.0)
    ours = squared_envelope_spectrum(waveform, RATE, band)
    squared = envelopes(waveform, RATE, band) ** 2
    full = np.abs(np.fft.rfft((squared - squared.mean()) * hann(samples))) ** 2
    np.testing.assert_allclose(
        ours.values / ours.values.max(), full[: len(ours.values)] / full.max(), atol=1e-6, rtol=1e-3
    )
    np.testing.assert_allclose(ours.frequencies_hz, np.fft.rfftfreq(samples, 1 / RATE)[: len(ours.values)])


@pytest.mark.parametrize("whiten", [False, True])
def test_the_rate_of_the_hits_stands_in_the_spectrum_though_not_in_the_waveforms_own(whiten: bool) -> None:  # noqa: FBT001 - a parameter of the test
    waveform = _ringing(107.0)
    spectrum = squared_envelope_spectrum(waveform, RATE, Band(2_000.0, 4_000.0), whiten=whiten)
    top = spectrum.frequencies_hz[spectrum.values.argmax()]
    assert min(top % 107.0, -top % 107.0) < 1.0


def test_a_loud_line_hides_the_hits_until_the_band_is_whitened() -> None:
    time_s = np.arange(24_000) / RATE
    loud = _ringing(107.0) + (1 + 0.9 * np.cos(2 * np.pi * 61 * time_s)) * 5 * np.sin(2 * np.pi * 2_500 * time_s)
    band = Band(2_000.0, 4_000.0)
    hidden = squared_envelope_spectrum(loud, RATE, band)
    white = squared_envelope_spectrum(loud, RATE, band, whiten=True)
    assert hidden.frequencies_hz[hidden.values.argmax()] == pytest.approx(61.0, abs=1.0)
    assert white.frequencies_hz[white.values.argmax()] % 107.0 < 1.0


def test_channels_do_not_touch_one_another() -> None:
    waveforms = np.stack([_ringing(107.0), _ringing(61.0)])
    both = squared_envelope_spectrum(waveforms, RATE, Band(2_000.0, 4_000.0), whiten=True)
    for row, waveform in enumerate(waveforms):
        alone = squared_envelope_spectrum(waveform, RATE, Band(2_000.0, 4_000.0), whiten=True)
        np.testing.assert_allclose(both.values[row], alone.values, rtol=1e-9, atol=1e-20)


@pytest.mark.parametrize(
    ("band", "words"),
    [
        (Band(0.0, 100.0), "does not lie between"),
        (Band(5_000.0, 6_000.0), "does not lie between"),
        (Band(300.0, 200.0), "does not lie between"),
        (Band(1_000.0, 1_001.0), "3 bins of 24000 samples, too few"),
    ],
)
def test_a_band_that_cannot_be_is_refused(band: Band, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        squared_envelope_spectrum(_ringing(107.0), RATE, band)


@given(st.integers(1, 50_000))
def test_a_smooth_length_is_the_smallest_with_factors_two_three_and_five(least: int) -> None:
    def smooth(number: int) -> bool:
        for factor in (2, 3, 5):
            while number % factor == 0:
                number //= factor
        return number == 1

    found = smooth_length(least)
    assert smooth(found)
    assert found >= least
    assert not any(smooth(number) for number in range(least, found))

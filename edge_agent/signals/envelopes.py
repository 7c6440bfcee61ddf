"""Envelopes: how the strength of a band's vibration goes up and down, and at which frequencies it does.

A damaged bearing hits a thousand times too weakly to be seen in the spectrum, but each hit rings a resonance: the band
around it is demodulated, and the rate of the hits stands in the spectrum of its envelope.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from edge_agent.signals.spectra import Spectrum, hann

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

    from edge_agent.signals.spectra import Band

Floats: TypeAlias = "NDArray[np.floating[Any]]"

LEAST_BAND_BINS = 16


def envelopes(waveforms: Floats, rate_hz: float, band: Band) -> Floats:
    """Magnitude of the analytic signal of a band, sample by sample.

    Args:
        waveforms: (..., samples).
        rate_hz: sampling rate.
        band: what is let through, by a filter without phase or slopes.

    Returns:
        (..., samples), in the waveform's unit.

    Raises:
        ValueError: the band does not lie between 0 and half the rate, or holds too few bins.

    >>> from edge_agent.signals.spectra import Band
    >>> time_s = np.arange(1000) / 1000
    >>> beating = (1 + 0.5 * np.cos(2 * np.pi * 5 * time_s)) * np.cos(2 * np.pi * 200 * time_s)
    >>> found = envelopes(beating, 1000.0, Band(150.0, 250.0))
    >>> round(float(found.max()), 3), round(float(found.min()), 3)
    (1.5, 0.5)
    """
    samples = waveforms.shape[-1]
    first, end = _bins(samples, rate_hz, band)
    inside = np.fft.rfft(waveforms)[..., first:end]
    analytic = np.zeros((*waveforms.shape[:-1], samples), dtype=inside.dtype)
    analytic[..., first:end] = 2 * inside
    return np.abs(np.fft.ifft(analytic))


def squared_envelope_spectrum(waveforms: Floats, rate_hz: float, band: Band, *, whiten: bool = False) -> Spectrum:
    """Power spectrum of the squared envelope of a band.

    The square, because its own bandwidth is exactly that of the band: the band is shifted down to 0 Hz and transformed
    back at twice its width instead of at the sampling rate, which costs a fraction and loses nothing.

    Args:
        waveforms: (..., samples).
        rate_hz: sampling rate.
        band: what is demodulated.
        whiten: give all frequencies of the band one strength before (cepstrum pre-whitening), so that a loud gear or
            motor line does not hide the hits.

    Returns:
        Power in arbitrary unit; from 0 Hz to the band's width.

    Raises:
        ValueError: as `envelopes`.

    Source: Randall and Antoni, Mech. Syst. Signal Process. 25 (2011) 485-520; whitening: Borghesani et al., ibid. 36
    (2013) 370-384.

    >>> from edge_agent.signals.spectra import Band
    >>> time_s = np.arange(2000) / 1000
    >>> beating = (1 + 0.5 * np.cos(2 * np.pi * 5 * time_s)) * np.cos(2 * np.pi * 200 * time_s)
    >>> spectrum = squared_envelope_spectrum(beating, 1000.0, Band(150.0, 250.0))
    >>> float(spectrum.frequencies_hz[spectrum.values.argmax()])
    5.0
    """
    samples = waveforms.shape[-1]
    first, end = _bins(samples, rate_hz, band)
    inside = np.fft.rfft(waveforms)[..., first:end]
    if whiten:
        size = np.abs(inside)
        inside = np.divide(inside, size, out=np.zeros_like(inside), where=size > 0)
    width = smooth_length(2 * (end - first))
    shifted = np.zeros((*waveforms.shape[:-1], width), dtype=inside.dtype)
    shifted[..., : end - first] = inside
    analytic = np.fft.ifft(shifted)
    squared = analytic.real**2 + analytic.imag**2
    squared -= squared.mean(axis=-1, keepdims=True)
    transformed = np.fft.rfft(squared * hann(width).astype(squared.dtype))[..., : end - first]
    power = transformed.real.astype(np.float64) ** 2 + transformed.imag.astype(np.float64) ** 2
    return Spectrum(rate_hz / samples * np.arange(end - first), power)


def smooth_length(least: int) -> int:
    """The smallest length from `least` whose only factors are 2, 3 and 5: others transform slowly.

    >>> smooth_length(97), smooth_length(128)
    (100, 128)
    """
    best = 1 << (least - 1).bit_length()
    five = 1
    while five < best:
        three = five
        while three < best:
            rest = -(-least // three)
            best = min(best, three << (rest - 1).bit_length())
            three *= 3
        five *= 5
    return best


def _bins(samples: int, rate_hz: float, band: Band) -> tuple[int, int]:
    """First bin of a band and the one behind its last."""
    if not 0 < band.low_hz < band.high_hz < rate_hz / 2:
        message = f"{band.low_hz:g} to {band.high_hz:g} Hz does not lie between 0 and {rate_hz / 2:g} Hz"
        raise ValueError(message)
    first = math.ceil(band.low_hz * samples / rate_hz)
    end = math.floor(band.high_hz * samples / rate_hz) + 1
    if end - first < LEAST_BAND_BINS:
        message = f"{band.low_hz:g} to {band.high_hz:g} Hz are {max(0, end - first)} bins of {samples} samples, too few"
        raise ValueError(message)
    return first, end

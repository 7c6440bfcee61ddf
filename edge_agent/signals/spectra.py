"""Spectra of waveforms: power density by Welch's method, and the RMS velocity of a measured acceleration."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.floating[Any]]"

HALF_LOBE_BINS = 2.0
"""The main lobe of a Hann window reaches this many bins to each side."""
LEAST_BINS = 2 * HALF_LOBE_BINS
"""The lower end of a band lies at least this many bins from 0 Hz, so that the offset does not leak into it."""


class Band(msgspec.Struct, frozen=True):
    """A range of frequencies in Hz, both ends included."""

    low_hz: float
    high_hz: float


SEVERITY_BAND = Band(10.0, 1_000.0)
"""The band of ISO 20816-3 for machines above 600 revolutions a minute; below, it begins at 2 Hz."""


class Spectrum(msgspec.Struct, frozen=True):
    """Values at equally spaced frequencies from 0.

    Attributes:
        frequencies_hz: (bins,).
        values: (..., bins).
    """

    frequencies_hz: Floats
    values: Floats

    @property
    def resolution_hz(self) -> float:
        """Distance of two bins."""
        return float(self.frequencies_hz[1])


@lru_cache(maxsize=32)
def hann(samples: int) -> NDArray[np.float64]:
    """Periodic Hann window, the one for spectra; read-only, because it is shared.

    >>> hann(4).round(12).tolist()
    [0.0, 0.5, 1.0, 0.5]
    """
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(samples) / samples)
    window.flags.writeable = False
    return np.asarray(window)


def least_samples(rate_hz: float, band: Band) -> int:
    """Samples that a block needs so that a band can be told from the offset.

    >>> least_samples(25_600.0, Band(10.0, 1000.0))
    10240
    """
    return math.ceil(LEAST_BINS * rate_hz / band.low_hz)


def welch_psd(waveforms: Floats, rate_hz: float, segment: int) -> Spectrum:
    """One-sided power spectral density: Hann windows, half overlapped, offset of each segment removed.

    Args:
        waveforms: (..., samples).
        rate_hz: sampling rate.
        segment: samples of a segment, even, at most those of a waveform.

    Returns:
        Density in the square of the waveform's unit per Hz; its sum times the resolution is the mean square.

    Source: Welch, IEEE Trans. Audio Electroacoust. 15 (1967) 70-73.

    >>> noise = np.random.default_rng(1).standard_normal((2, 100_000))
    >>> density = welch_psd(noise, 1000.0, 256)
    >>> [round(float(mean_square), 2) for mean_square in density.values.sum(axis=-1) * density.resolution_hz]
    [0.99, 1.0]
    """
    if segment > waveforms.shape[-1] or segment % 2:
        message = f"a segment of {segment} samples is odd or longer than the waveform of {waveforms.shape[-1]}"
        raise ValueError(message)
    window = hann(segment).astype(waveforms.dtype)
    pieces = np.lib.stride_tricks.sliding_window_view(waveforms, segment, axis=-1)[..., :: segment // 2, :]
    transformed = np.fft.rfft((pieces - pieces.mean(axis=-1, keepdims=True)) * window)
    power = (transformed.real**2 + transformed.imag**2).mean(axis=-2)
    power *= 2 / (rate_hz * float(np.square(window, dtype=np.float64).sum()))
    power[..., 0] /= 2
    power[..., -1] /= 2
    return Spectrum(np.fft.rfftfreq(segment, 1 / rate_hz), power)


def band_rms(waveforms: Floats, rate_hz: float, band: Band = SEVERITY_BAND, *, integrations: int = 0) -> Floats:
    """RMS within a band, of the waveform or of its integral over time.

    The whole block under one Hann window: dividing by the frequency weighs low bins most, and without a window an
    offset or a slow drift would leak there.

    Args:
        waveforms: (..., samples).
        rate_hz: sampling rate; the band ends below half of it.
        band: 10 to 1,000 Hz by ISO 20816-1.
        integrations: 0, or how often it is integrated: 1 from acceleration to velocity, 2 to displacement.

    Returns:
        (...), in the waveform's unit times s to the power of `integrations`.

    Raises:
        ValueError: the block is too short for the band's lower end, or the rate too low for its upper end.
    """
    samples = waveforms.shape[-1]
    if samples < least_samples(rate_hz, band):
        message = (
            f"{samples} samples at {rate_hz:g} Hz are too few for {band.low_hz:g} Hz:"
            f" {least_samples(rate_hz, band)} are needed"
        )
        raise ValueError(message)
    if band.high_hz >= rate_hz / 2:
        message = f"a rate of {rate_hz:g} Hz cannot show {band.high_hz:g} Hz"
        raise ValueError(message)
    window = hann(samples).astype(waveforms.dtype)
    transformed = np.fft.rfft((waveforms - waveforms.mean(axis=-1, keepdims=True)) * window)
    bins = np.arange(math.ceil(band.low_hz * samples / rate_hz), math.floor(band.high_hz * samples / rate_hz) + 1)
    inside = transformed[..., bins[0] : bins[-1] + 1]
    power = inside.real.astype(np.float64) ** 2 + inside.imag.astype(np.float64) ** 2
    power /= (2 * np.pi * rate_hz / samples * bins) ** (2 * integrations)
    mean_square = 2 * power.sum(axis=-1) / (samples * float(np.square(window, dtype=np.float64).sum()))
    return np.asarray(np.sqrt(mean_square))


def velocity_rms(accelerations: Floats, rate_hz: float, band: Band = SEVERITY_BAND) -> Floats:
    """RMS vibration velocity in mm/s of accelerations (..., samples) in m/s2, integrated in the frequency domain.

    Raises:
        ValueError: as `band_rms`.

    >>> time_s = np.arange(20_000) / 10_000
    >>> float(velocity_rms(10 * np.sin(2 * np.pi * 100 * time_s), 10_000.0).round(3))  # 10/(2 pi 100)/sqrt(2) m/s
    11.254
    """
    return 1e3 * band_rms(accelerations, rate_hz, band, integrations=1)

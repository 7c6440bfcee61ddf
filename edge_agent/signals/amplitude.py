"""What the amplitudes of a waveform say, without its frequencies: RMS, peak, crest factor, kurtosis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from typing import TypeAlias

    from numpy.typing import NDArray

Floats: TypeAlias = "NDArray[np.floating[Any]]"


class Amplitudes(msgspec.Struct, frozen=True):
    """Figures of waveforms, one a channel, in the waveform's unit; all are taken about the mean.

    A sensor's constant offset (gravity, bias current) is no vibration, so that it counts in none of them.

    Attributes:
        mean: the offset.
        rms: root of the mean square.
        peak: greatest distance from the mean.
        crest: peak divided by RMS, 1.41 for a sine; NaN for a waveform that never moves.
        kurtosis: fourth moment over the squared second (Pearson's, not the excess): 3 for Gaussian noise, 1.5 for a
            sine, more for impacts; NaN for a waveform that never moves.
    """

    mean: Floats
    rms: Floats
    peak: Floats
    crest: Floats
    kurtosis: Floats


def amplitudes(waveforms: Floats, *, axis: int = -1) -> Amplitudes:
    """Figures of every channel at once.

    Args:
        waveforms: float, any shape; time runs along `axis`.
        axis: the axis of time.

    >>> square = amplitudes(np.array([[1.0, -1.0, 1.0, -1.0], [3.0, 3.0, 3.0, 7.0]]))
    >>> square.rms.tolist(), square.crest.tolist()[0], square.kurtosis.tolist()[0], square.mean.tolist()
    ([1.0, 1.7320508075688772], 1.0, 1.0, [0.0, 4.0])
    """
    mean = waveforms.mean(axis=axis, keepdims=True)
    moved = waveforms - mean
    peak = np.maximum(moved.max(axis=axis), -moved.min(axis=axis))
    np.multiply(moved, moved, out=moved)
    second = moved.mean(axis=axis)
    np.multiply(moved, moved, out=moved)
    fourth = moved.mean(axis=axis)
    rms = np.sqrt(second)
    # the mean of equal values is off by a rounding: below it nothing has moved
    floor = np.abs(mean.squeeze(axis=axis)) * np.finfo(rms.dtype).eps * 8
    moves = rms > floor
    nothing = np.full_like(rms, np.nan)
    crest = np.divide(peak, rms, out=nothing.copy(), where=moves)
    kurtosis = np.divide(fourth, second * second, out=nothing, where=moves & (second * second > 0))
    return Amplitudes(mean.squeeze(axis=axis), rms, peak, crest, kurtosis)

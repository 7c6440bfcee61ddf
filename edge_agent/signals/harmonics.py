"""Which harmonics of a frequency stand out of a spectrum, and how far beyond chance.

In the power spectrum of noise each bin is exponentially distributed around its neighbourhood: with `m` their median,
a bin exceeds `r m` with probability `2**-r`. So the greatest of `n` bins that are searched exceeds
`m log2(n / p)` with probability at most `p`, and that is the limit here. No machine is pure noise: the limit says what
chance explains, not what damage is.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from edge_agent.signals.spectra import Spectrum

CHANCE = 1e-3
"""Probability at which noise alone passes for a harmonic."""
LEAST_NEIGHBOURS = 20
"""Bins that a floor is taken from, at least."""
LOBE_BINS = 2
"""A pure tone fills so many bins to each side of its own under a Hann window."""


class Search(msgspec.Struct, frozen=True):
    """Where harmonics are looked for.

    Attributes:
        harmonics: how many, the fundamental included.
        tolerance_ratio: how far beside its frequency a harmonic may lie, as a share of it: slip and uncertain speed.
        shaft_hz: harmonics of the shaft are no evidence of anything else: their bins are passed over; 0 for none.
    """

    harmonics: int = 3
    tolerance_ratio: float = 0.01
    shaft_hz: float = 0.0


class Harmonic(msgspec.Struct, frozen=True):
    """What stands at one harmonic.

    Attributes:
        order: 1 for the fundamental.
        frequency_hz: where the greatest bin of the searched range is.
        prominence_db: its power over the neighbourhood's median, decibel.
        limit_db: what chance alone reaches with probability `CHANCE`.
    """

    order: int
    frequency_hz: float
    prominence_db: float
    limit_db: float

    @property
    def found(self) -> bool:
        """Whether it stands out beyond chance."""
        return self.prominence_db > self.limit_db


def find_harmonics(spectrum: Spectrum, fundamental_hz: float, search: Search) -> tuple[Harmonic, ...]:
    """Harmonics of one frequency in the power spectrum of one waveform.

    Args:
        spectrum: power, (bins,).
        fundamental_hz: the frequency, more than 0.
        search: where to look.

    Returns:
        In order; those are left out whose range lies outside the spectrum or is covered by the shaft's harmonics.

    >>> from edge_agent.signals.spectra import Spectrum
    >>> power = np.random.default_rng(4).exponential(size=2_000)
    >>> power[[300, 600]] = 300.0
    >>> lines = find_harmonics(Spectrum(np.arange(2_000) * 0.1, power), 29.9, Search())
    >>> [(line.order, round(line.frequency_hz, 1)) for line in lines if line.found]
    [(1, 30.0), (2, 60.0)]
    """
    found = [_harmonic(spectrum, fundamental_hz, order, search) for order in range(1, search.harmonics + 1)]
    return tuple(harmonic for harmonic in found if harmonic is not None)


def orders_found(harmonics: Sequence[Harmonic]) -> tuple[int, ...]:
    """Orders of the harmonics that stand out; none where the fundamental does not.

    A higher harmonic alone proves little: the third of an outer ring's rate lies beside the second of the inner ring's.

    >>> orders_found([Harmonic(1, 30.0, 20.0, 11.0), Harmonic(2, 60.0, 8.0, 11.0), Harmonic(3, 90.0, 15.0, 11.0)])
    (1, 3)
    >>> orders_found([Harmonic(1, 30.0, 9.0, 11.0), Harmonic(2, 60.0, 20.0, 11.0)])
    ()
    """
    found = tuple(harmonic.order for harmonic in harmonics if harmonic.found)
    return found if 1 in found else ()


def _harmonic(spectrum: Spectrum, fundamental_hz: float, order: int, search: Search) -> Harmonic | None:
    power, step_hz = spectrum.values, spectrum.resolution_hz
    at_hz = order * fundamental_hz
    reach_hz = max(at_hz * search.tolerance_ratio, step_hz)
    first, last = math.ceil((at_hz - reach_hz) / step_hz), math.floor((at_hz + reach_hz) / step_hz)
    if first <= LOBE_BINS or last >= len(power):
        return None
    searched = np.arange(first, last + 1)
    if search.shaft_hz > 0:
        shaft = np.round(searched * step_hz / search.shaft_hz) * search.shaft_hz
        searched = searched[np.abs(searched * step_hz - shaft) > LOBE_BINS * step_hz]
    if not len(searched):
        return None
    best = int(searched[power[searched].argmax()])
    floor = _floor(power, first, last)
    if floor <= 0:
        return None
    limit = math.log2(len(searched) / CHANCE)
    prominence_db = 10 * math.log10(max(float(power[best]) / floor, 1e-9))
    return Harmonic(order, best * step_hz, prominence_db, 10 * math.log10(limit))


def _floor(power: NDArray[np.floating[Any]], first: int, last: int) -> float:
    """Median of the bins beside a searched range, as many on each side as it has itself, or some more."""
    reach = max(last - first + 1, LEAST_NEIGHBOURS)
    below = power[max(LOBE_BINS, first - LOBE_BINS - reach) : max(LOBE_BINS, first - LOBE_BINS)]
    above = power[last + LOBE_BINS + 1 : last + LOBE_BINS + 1 + reach]
    return float(np.median(np.concatenate([below, above])))

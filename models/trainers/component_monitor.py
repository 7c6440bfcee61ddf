"""PCA monitoring of machine health: Hotelling's T2 inside the model, SPE outside it, one combined index.

T2 and SPE after Jackson and Mudholkar (1979); the combined index T2 / limit + SPE / limit after Yue and Qin (2001);
contributions by partial decomposition of that index (Alcala and Qin 2009), which are never negative and sum to it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import numpy as np
from numpy.typing import NDArray

from models.errors import TeachingError

if TYPE_CHECKING:
    from collections.abc import Sequence

Array = NDArray[np.float64]

VARIANCE_KEPT = 0.9
# A feature that hardly varies in healthy data may move this much, in units of its channel's scale, for one unit.
SPREAD_FLOOR = 0.05
_EIGENVALUE_FLOOR = 1e-3
_TINY = 1e-12


class Components(msgspec.Struct, frozen=True):
    """A principal component model of standardised features.

    Attributes:
        mean, spread: (features,), of the healthy data.
        directions: (features, k), orthonormal.
        variances: (k,), along the directions.
    """

    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    directions: NDArray[np.float64]
    variances: NDArray[np.float64]


class HealthMonitor(msgspec.Struct, frozen=True):
    """Components with their limits.

    Attributes:
        components: fitted on all healthy windows.
        t2_limit, spe_limit: quantiles over held-out blocks.
        limit: quantile of the combined index over held-out blocks; the statistic is sqrt(index / limit).
        typical: median statistic of held-out healthy windows, below 1; health is 100 up to here.
    """

    components: Components
    t2_limit: float
    spe_limit: float
    limit: float
    typical: float


def fit_components(features: Array, variance_kept: float = VARIANCE_KEPT) -> Components:
    """Fit on healthy features (n, features)."""
    mean = features.mean(axis=0)
    spread = np.maximum(features.std(axis=0), SPREAD_FLOOR)
    standard = (features - mean) / spread
    values, vectors = np.linalg.eigh(standard.T @ standard / len(standard))
    values, vectors = values[::-1], vectors[:, ::-1]
    total = float(values.sum())
    share = np.cumsum(values) / total if total > _TINY else np.ones_like(values)
    kept = int(np.searchsorted(share, variance_kept)) + 1
    kept = min(kept, len(values))
    main = vectors[:, :kept]
    signs = np.sign(main[np.abs(main).argmax(axis=0), np.arange(kept)])
    return Components(
        mean=mean,
        spread=spread,
        directions=main * np.where(signs == 0, 1.0, signs),
        variances=np.maximum(values[:kept], _EIGENVALUE_FLOOR),
    )


def t2_and_spe(model: Components, features: Array) -> tuple[Array, Array]:
    """Hotelling's T2 and the squared prediction error of each row of features (n, features)."""
    standard = (features - model.mean) / model.spread
    inside = standard @ model.directions
    outside = standard - inside @ model.directions.T
    return (inside**2 / model.variances).sum(axis=1), (outside**2).sum(axis=1)


def calibrate(blocks: Sequence[Array], quantile: float) -> HealthMonitor:
    """Fit on all blocks; take the limits from each block scored by a model of the others.

    Neighbouring windows share rows, so a random split would put nearly the same window on both sides; whole
    blocks of time are held out instead.

    Args:
        blocks: healthy features by stretch of time, (n_i, features) each, two blocks or more.
        quantile: share of healthy windows inside the limit.

    Raises:
        TeachingError: fewer than two blocks.
    """
    if len(blocks) < 2:  # noqa: PLR2004 - one to hold out, one to fit
        raise TeachingError("healthy data must span two blocks of time", field="blocks", value=len(blocks))
    held_out = [
        t2_and_spe(fit_components(np.concatenate([b for j, b in enumerate(blocks) if j != i])), block)
        for i, block in enumerate(blocks)
    ]
    t2 = np.concatenate([pair[0] for pair in held_out])
    spe = np.concatenate([pair[1] for pair in held_out])
    t2_limit = max(float(np.quantile(t2, quantile)), _TINY)
    spe_limit = max(float(np.quantile(spe, quantile)), _TINY)
    index = t2 / t2_limit + spe / spe_limit
    limit = max(float(np.quantile(index, quantile)), _TINY)
    return HealthMonitor(
        components=fit_components(np.concatenate(list(blocks))),
        t2_limit=t2_limit,
        spe_limit=spe_limit,
        limit=limit,
        typical=min(float(np.median(np.sqrt(index / limit))), 0.95),
    )


def root_of_index(monitor: HealthMonitor) -> Array:
    """The symmetric matrix R (features, features) with ||R z||^2 = index / limit for a standardised row z."""
    components = monitor.components
    directions = components.directions
    inside = (directions / np.sqrt(components.variances * monitor.t2_limit)) @ directions.T
    outside = (np.eye(len(directions)) - directions @ directions.T) / np.sqrt(monitor.spe_limit)
    return np.asarray((inside + outside) / np.sqrt(monitor.limit))


def statistic(monitor: HealthMonitor, features: Array) -> tuple[Array, Array]:
    """The statistic (n,), 1.0 at the limit, and each feature's part of its square (n, features)."""
    standard = (features - monitor.components.mean) / monitor.components.spread
    parts = (standard @ root_of_index(monitor)) ** 2
    return np.sqrt(parts.sum(axis=1)), parts


def health(value: Array, typical: float) -> Array:
    """Health of a statistic: 100 up to typical, 50 at the limit, halving again with every such step beyond.

    >>> health(np.array([0.2, 0.5, 1.0, 1.5]), typical=0.5).tolist()
    [100.0, 100.0, 50.0, 25.0]
    """
    return np.asarray(100.0 * 0.5 ** np.maximum((value - typical) / (1.0 - typical), 0.0))

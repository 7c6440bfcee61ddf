"""One Gaussian a grid position over patch features of good parts; the distance from it says how abnormal a patch is.

After PaDiM (Defard et al., "PaDiM: a Patch Distribution Modeling Framework for Anomaly Detection and Localization",
2020), with three changes: features are projected on the main directions of the good parts' variation around each
position's mean instead of a random choice of channels; covariances shrink towards the one pooled over positions, the
more the fewer images there are; and the map is smoothed on the feature grid.
"""

from __future__ import annotations

import msgspec
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

DEFAULT_DIMENSIONS = 64
# Added to every covariance as a share of the mean variance: keeps rarely varying directions from dominating.
RIDGE = 0.1
SMOOTHING_CELLS = 0.85
SMOOTHING_RADIUS = 3
_FLOOR = 1e-6


class PatchGaussian(msgspec.Struct, frozen=True):
    """A fitted model; all arrays float32.

    Attributes:
        projection: (channels, d), applied to raw features.
        offset: (d,), added after the projection.
        means: (positions, d), position = row * side + column.
        whitening: (positions, d, d); ||(z - mean) @ whitening|| is the Mahalanobis distance.
        side: grid side.
    """

    projection: NDArray[np.float32]
    offset: NDArray[np.float32]
    means: NDArray[np.float32]
    whitening: NDArray[np.float32]
    side: int


def fit(features: Array, dimensions: int = DEFAULT_DIMENSIONS) -> PatchGaussian:
    """Fit from good parts' features, float32 (n, positions, channels), positions a square grid."""
    n, positions, channels = features.shape
    dimensions = min(dimensions, channels)
    spread = np.maximum(features.std(axis=(0, 1), dtype=np.float64), _FLOOR)
    centre = features.mean(axis=(0, 1), dtype=np.float64)
    means = features.mean(axis=0, dtype=np.float64)
    directions = _main_directions(features, means, spread, dimensions)
    projection = (directions / spread[:, None]).astype(np.float32)
    offset = (-(centre / spread) @ directions).astype(np.float32)
    projected = features @ projection + offset
    mean = projected.mean(axis=0, dtype=np.float64)
    residual = (projected - mean.astype(np.float32)).transpose(1, 0, 2)
    covariance = np.matmul(residual.transpose(0, 2, 1), residual).astype(np.float64) / n
    pooled = covariance.mean(axis=0)
    # as if the pooled covariance had been seen in d further images (an inverse-Wishart prior)
    shrink = dimensions / (n + dimensions)
    ridge = RIDGE * max(float(np.trace(pooled)) / dimensions, _FLOOR)
    shrunk = (1 - shrink) * covariance + shrink * pooled + ridge * np.eye(dimensions)
    whitening = np.linalg.inv(np.linalg.cholesky(shrunk)).transpose(0, 2, 1)
    return PatchGaussian(
        projection=projection,
        offset=offset,
        means=mean.astype(np.float32),
        whitening=np.ascontiguousarray(whitening, dtype=np.float32),
        side=round(positions**0.5),
    )


def distances(model: PatchGaussian, features: Array) -> Array:
    """Mahalanobis distance of every patch: float32 (n, positions, channels) to (n, positions)."""
    projected = (features @ model.projection + model.offset - model.means).transpose(1, 0, 2)
    whitened = np.matmul(projected, model.whitening)
    return np.asarray(np.sqrt((whitened * whitened).sum(axis=2)).T, dtype=np.float32)


def smooth(maps: Array) -> Array:
    """Gaussian smoothing on the grid, mirrored at the border: (n, side, side) to the same shape."""
    kernel = smoothing_kernel()
    size = kernel.shape[0]
    padded = np.pad(maps, ((0, 0), (SMOOTHING_RADIUS,) * 2, (SMOOTHING_RADIUS,) * 2), mode="reflect")
    height, width = maps.shape[1:]
    out = np.zeros_like(maps)
    for row in range(size):
        for column in range(size):
            out += kernel[row, column] * padded[:, row : row + height, column : column + width]
    return out


def smoothing_kernel() -> Array:
    """The kernel, float32 (7, 7), summing to 1.

    >>> round(float(smoothing_kernel().sum()), 5)
    1.0
    """
    at = np.arange(-SMOOTHING_RADIUS, SMOOTHING_RADIUS + 1)
    line = np.exp(-(at**2) / (2 * SMOOTHING_CELLS**2))
    kernel = np.outer(line, line)
    return np.asarray(kernel / kernel.sum(), dtype=np.float32)


def score(model: PatchGaussian, features: Array) -> tuple[NDArray[np.float64], Array]:
    """Scores (n,) and maps (n, side, side) of raw features: the reference of the exported graph."""
    maps = smooth(distances(model, features).reshape(-1, model.side, model.side))
    return maps.max(axis=(1, 2)).astype(np.float64), maps


def _main_directions(
    features: Array, means: NDArray[np.float64], spread: NDArray[np.float64], dimensions: int
) -> NDArray[np.float64]:
    """Orthonormal directions (channels, d) of largest variation around the positions' means, signs fixed."""
    channels = features.shape[2]
    scatter = np.zeros((channels, channels))
    for image in features:
        residual = (image - means) / spread
        scatter += residual.T @ residual
    _values, vectors = np.linalg.eigh(scatter / (features.shape[0] * features.shape[1]))
    main = vectors[:, ::-1][:, :dimensions]
    # an eigenvector's sign is arbitrary; its largest component is made positive so that it is always the same
    signs = np.sign(main[np.abs(main).argmax(axis=0), np.arange(dimensions)])
    return np.asarray(main * np.where(signs == 0, 1.0, signs))

"""Which good images are held out together, so that a threshold is set on parts the model has really not seen.

The same part photographed twice, once taught and once held out, would make the held-out score too low and the
threshold fail good parts later. File names cannot be trusted to tell, so images that deviate from the mean image in
the same way are taken for the same part.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

FOLDS = 5
# Neighbouring images often come from one lot: they are held out in so many runs, dealt out to the folds in turn.
RUNS = 20
# Cosine between two images' deviations from the mean image. Different parts measure about 0.2, the same part under
# another exposure 0.6 to 0.8.
LIKENESS_STEPS = (0.5, 0.6, 0.7, 0.8, 0.9)
# More images than this that are alike are not one part but a kind of part, or a common cause such as light: then only
# closer likeness counts.
MOST_OF_ONE_PART = 12
_FLOOR = 1e-6


def lookalikes(features: NDArray[np.float32]) -> NDArray[np.int64]:
    """Group number of each image: images alike, directly or through others, share one.

    Args:
        features: float32 (n, positions, channels), positions a square grid.
    """
    deviations = _deviations(features)
    return split_groups(deviations @ deviations.T)


def split_groups(likeness: NDArray[np.float32]) -> NDArray[np.int64]:
    """Group numbers from a likeness matrix (n, n); a group too large for one part is split at the next step.

    >>> alike = np.array([[1, 0.6, 0], [0.6, 1, 0], [0, 0, 1]], dtype=np.float32)
    >>> split_groups(alike).tolist()
    [0, 0, 1]
    """
    groups = connected(likeness > LIKENESS_STEPS[0])
    for step in LIKENESS_STEPS[1:]:
        for group in np.flatnonzero(np.bincount(groups) > MOST_OF_ONE_PART):
            members = np.flatnonzero(groups == group)
            groups[members] = groups.max() + 1 + connected(likeness[np.ix_(members, members)] > step)
    for group in np.flatnonzero(np.bincount(groups) > MOST_OF_ONE_PART):
        members = np.flatnonzero(groups == group)
        groups[members] = groups.max() + 1 + np.arange(len(members))
    return _in_order(groups)


def connected(linked: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Number the connected groups of a symmetric relation (n, n), in order of their first member.

    >>> connected(np.array([[1, 0, 1], [0, 1, 0], [1, 0, 1]], dtype=bool)).tolist()
    [0, 1, 0]
    """
    n = len(linked)
    groups = np.full(n, -1)
    count = 0
    for first in range(n):
        if groups[first] >= 0:
            continue
        pending = [first]
        groups[first] = count
        while pending:
            near = np.flatnonzero(linked[pending.pop()] & (groups < 0))
            groups[near] = count
            pending.extend(near.tolist())
        count += 1
    return groups


def folds(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """Fold of each image: whole groups, in runs of neighbours, dealt out in turn.

    >>> folds(np.arange(10)).tolist()
    [0, 1, 2, 3, 4, 0, 1, 2, 3, 4]
    >>> folds(np.array([0, 0, 1, 2, 2, 3, 4, 5, 0, 6])).tolist()
    [0, 0, 3, 4, 4, 1, 2, 3, 0, 4]
    """
    sizes = np.bincount(groups)
    before = np.cumsum(sizes) - sizes
    runs = min(RUNS, len(groups))
    return np.asarray((before * runs // len(groups)) % FOLDS)[groups]


def _in_order(groups: NDArray[np.int64]) -> NDArray[np.int64]:
    """The same groups, numbered from 0 in order of their first member."""
    _values, first, inverse = np.unique(groups, return_index=True, return_inverse=True)
    rank = np.empty(len(first), dtype=np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    return rank[inverse]


def _deviations(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """Each image's standardised deviation from the mean image on a grid of half the side, as a unit row."""
    n, positions, channels = features.shape
    side = round(positions**0.5)
    half = side // 2
    spread = np.maximum(features.std(axis=(0, 1)), _FLOOR)
    centred = (features - features.mean(axis=0)) / spread
    grid = centred.reshape(n, side, side, channels)[:, : 2 * half, : 2 * half]
    coarse = grid.reshape(n, half, 2, half, 2, channels).mean(axis=(2, 4)).reshape(n, -1)
    norms = np.linalg.norm(coarse, axis=1, keepdims=True)
    return np.asarray(coarse / np.maximum(norms, _FLOOR), dtype=np.float32)

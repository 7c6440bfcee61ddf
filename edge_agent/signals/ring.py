"""The recent past of many channels, where a tick costs one write and a window costs nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import ArrayLike, NDArray


class MirroredRing:
    """The last `rows` values of every channel as one contiguous view.

    Each row is written twice, `rows` apart, so that the newest `rows` rows always lie in one piece: no copy, no wrap.

    Args:
        rows: ticks in a window.
        channels: values of a tick.

    >>> ring = MirroredRing(rows=2, channels=1)
    >>> ring.push([1.0]), ring.push([2.0]), ring.push([3.0])
    (None, None, None)
    >>> ring.window.tolist()
    [[2.0], [3.0]]
    """

    def __init__(self, *, rows: int, channels: int) -> None:
        self._rows = rows
        self._at = 0
        self._filled = 0
        self._values = np.zeros((2 * rows, channels), dtype=np.float32)

    @property
    def filled(self) -> int:
        """Ticks held, at most `rows`."""
        return self._filled

    @property
    def window(self) -> NDArray[np.float32]:
        """float32 (rows, channels), oldest first; a view, valid until the next `push`. Zeros where nothing was yet."""
        return self._values[self._at : self._at + self._rows]

    def push(self, row: ArrayLike) -> None:
        """Add one tick: a value for every channel."""
        self._values[self._at] = row
        self._values[self._at + self._rows] = row
        self._at = (self._at + 1) % self._rows
        self._filled = min(self._filled + 1, self._rows)

    def clear(self) -> None:
        """Forget the past; the window fills again."""
        self._filled = 0

"""What looks: decoders and models."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import msgspec

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from edge_agent.inspection.inspections import Limits, Score
    from edge_agent.machines.health import HealthScore


class ModelIdentity(msgspec.Struct, frozen=True):
    """Which model this is: `name@version` and the sha256 digest of its manifest."""

    label: str
    digest: str


class ImageDecoder(Protocol):
    """Turns untrusted bytes into pixels."""

    def decode(self, encoded: bytes) -> NDArray[np.uint8]:
        """Return uint8 (height, width, 3), RGB.

        Raises:
            ImageRefusedError: header limits exceeded, truncated, unsupported, or not an image.
        """
        ...


class ReducingDecoder(ImageDecoder, Protocol):
    """A decoder that can also give a smaller picture for less time."""

    def decode_reduced(self, encoded: bytes, least_side_px: int) -> NDArray[np.uint8] | None:
        """Return the smallest picture, uint8 (height, width, 3), RGB, whose shorter side is at least so many pixels;
        None where the format or the size has none smaller than the full one.

        Raises:
            ImageRefusedError: as `decode`.
        """
        ...


class ImageScorer(Protocol):
    """An image model, loaded and warm. One instance is used by one thread at a time."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def limits(self) -> Limits: ...

    @property
    def provider(self) -> str:
        """The execution provider that is really in use, verified after load."""
        ...

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        """Score one image: uint8 (height, width, 3), RGB, any size.

        Raises:
            ModelRefusedError: the model broke its contract (shape, dtype).
        """
        ...


class HealthScorer(Protocol):
    """A machine-health model, loaded and warm. One instance is used by one thread at a time."""

    @property
    def identity(self) -> ModelIdentity: ...

    @property
    def provider(self) -> str: ...

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in the order of the window's columns."""
        ...

    @property
    def period_s(self) -> float:
        """Seconds between two rows of a window."""
        ...

    @property
    def window_rows(self) -> int:
        """Rows of a window."""
        ...

    def assess(self, window: NDArray[np.float32]) -> HealthScore:
        """Score one window: float32 (window_rows, channels), oldest row first, in physical units."""
        ...

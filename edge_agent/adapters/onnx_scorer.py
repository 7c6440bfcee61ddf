"""Scores images and windows with a verified ONNX model: the agent's side of `models.inference`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from edge_agent.errors import ModelRefusedError
from edge_agent.inspection.inspections import Limits, Score
from edge_agent.machines.health import HealthScore
from edge_agent.ports import ModelIdentity
from models.errors import ModelError
from models.inference import HealthModel, ImageModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy as np
    from numpy.typing import NDArray

    from models.model_folder import ModelFolder


class OnnxImageScorer:
    """An image model, warm, its golden set passed on the provider in use; implements `ports.ImageScorer`.

    Args:
        folder: a verified model folder.
        providers: ONNX Runtime providers, most wanted first; the first that works is taken.

    Raises:
        ModelRefusedError: it is no image model, or no provider answers its golden set as it should.
    """

    def __init__(self, folder: ModelFolder, providers: Sequence[str]) -> None:
        try:
            self._model = ImageModel(folder, providers)
        except ModelError as error:
            raise refused(error) from error
        self._identity = ModelIdentity(label=folder.manifest.label, digest=folder.digest)
        self.input_side_px = folder.manifest.input.side_px
        """Side that images are resized to inside the model, pixels; 0 when the model does not say."""
        self._limits = Limits(threshold=self._model.limits.threshold, review_from=self._model.limits.review_from)

    @property
    def identity(self) -> ModelIdentity:
        """Label and digest of the model."""
        return self._identity

    @property
    def limits(self) -> Limits:
        """The manifest's decision limits."""
        return self._limits

    @property
    def provider(self) -> str:
        """The execution provider in use, as the session reports it."""
        return self._model.opened.provider

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Why each more wanted provider is not in use."""
        return self._model.opened.passed_over

    def score(self, pixels: NDArray[np.uint8]) -> Score:
        """Score one image: uint8 (height, width, 3), RGB, any size; a score may be NaN, which the caller must judge.

        Raises:
            ModelRefusedError: image or answer broke the contract.
        """
        try:
            value, anomaly_map = self._model.score(pixels)
        except ModelError as error:
            raise refused(error) from error
        return Score(value, anomaly_map)


class OnnxHealthScorer:
    """A machine-health model, warm, its golden set passed; implements `ports.HealthScorer`.

    Args:
        folder: a verified model folder.
        providers: ONNX Runtime providers, most wanted first.

    Raises:
        ModelRefusedError: it is no health model, or no provider answers its golden set as it should.
    """

    def __init__(self, folder: ModelFolder, providers: Sequence[str]) -> None:
        try:
            self._model = HealthModel(folder, providers)
        except ModelError as error:
            raise refused(error) from error
        self._identity = ModelIdentity(label=folder.manifest.label, digest=folder.digest)

    @property
    def identity(self) -> ModelIdentity:
        """Label and digest of the model."""
        return self._identity

    @property
    def provider(self) -> str:
        """The execution provider in use, as the session reports it."""
        return self._model.opened.provider

    @property
    def passed_over(self) -> tuple[str, ...]:
        """Why each more wanted provider is not in use."""
        return self._model.opened.passed_over

    @property
    def channels(self) -> tuple[str, ...]:
        """Channel names in column order."""
        return self._model.channels

    @property
    def period_s(self) -> float:
        """Seconds between two rows of a window."""
        return self._model.contract.period_s

    @property
    def window_rows(self) -> int:
        """Rows of a window."""
        return self._model.contract.window_rows

    def assess(self, window: NDArray[np.float32]) -> HealthScore:
        """Score one window: float32 (window_rows, channels), oldest row first; figures may be NaN.

        Raises:
            ModelRefusedError: window or answer broke the contract.
        """
        try:
            statistic, health, contributions = self._model.assess(window)
        except ModelError as error:
            raise refused(error) from error
        return HealthScore(statistic=statistic, health=health, contributions=contributions)


def refused(error: ModelError) -> ModelRefusedError:
    """The workshop's error as the agent's, nothing lost."""
    return ModelRefusedError(str(error.args[0]), field=error.field, value=error.value, hint=error.hint)

"""Finds the model a setting names, a folder or an installed name, and opens it for the agent."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from edge_agent.adapters.onnx_scorer import OnnxHealthScorer, OnnxImageScorer, refused
from edge_agent.errors import ModelRefusedError
from models.errors import ModelError
from models.manifest import MANIFEST_NAME
from models.model_folder import read_model
from models.providers import provider_matrix
from models.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Sequence

    from models.model_folder import ModelFolder
    from models.providers import ProviderRow


class ModelCatalog:
    """The models an agent may use.

    Args:
        models_dir: where named models are: installed versions, or plain model folders by name.
        providers: ONNX Runtime providers, most wanted first.
    """

    def __init__(self, models_dir: Path, providers: Sequence[str]) -> None:
        self._models_dir = models_dir
        self._registry = Registry(models_dir)
        self._providers = tuple(providers)

    def digest(self, model: str) -> str:
        """Digest of a model's manifest as it lies there now, every file verified against it.

        Raises:
            ModelRefusedError: no such model, or not sound.
        """
        return self._open(model).digest

    def image_scorer(self, model: str) -> OnnxImageScorer:
        """A new scorer for one thread; a second thread asks for its own.

        Args:
            model: path of a model folder (with a `/`), or the name of a model in the models folder.

        Raises:
            ModelRefusedError: no such model, not sound, no image model, or its golden set fails here.
        """
        return OnnxImageScorer(self._open(model), self._providers)

    def health_scorer(self, model: str) -> OnnxHealthScorer:
        """A new scorer for one thread.

        Args:
            model: path of a model folder (with a `/`), or the name of a model in the models folder.

        Raises:
            ModelRefusedError: no such model, not sound, no health model, or its golden set fails here.
        """
        return OnnxHealthScorer(self._open(model), self._providers)

    def try_providers(self, model: str) -> tuple[ProviderRow, ...]:
        """What each provider of this machine makes of a model: runs it, answers otherwise, refuses it, is not there.

        Raises:
            ModelRefusedError: no such model, or not sound.
        """
        try:
            return provider_matrix(self._open(model), self._providers)
        except ModelError as error:
            raise refused(error) from error

    def _open(self, model: str) -> ModelFolder:
        plain = self._models_dir / model
        try:
            if "/" in model:
                return read_model(Path(model))
            return read_model(plain) if (plain / MANIFEST_NAME).is_file() else self._registry.read_active(model)
        except ModelError as error:
            raise refused(error) from error
        except OSError as error:
            raise ModelRefusedError(
                f"the model cannot be read: {error.strerror}", field="model", value=model, hint="check its permissions"
            ) from error

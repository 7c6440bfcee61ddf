"""Errors of the model workshop: one tree; each says which field, which value, and what to do."""

from __future__ import annotations


class ModelError(Exception):
    """Base of every error this package raises on purpose.

    Attributes:
        field: dotted name of the input at fault, or None.
        value: the offending value, shortened for people.
        hint: one sentence that says how to fix it.
        retryable: True when the same call may succeed later without a change.
    """

    retryable = False

    def __init__(self, message: str, *, field: str | None = None, value: object = None, hint: str = "") -> None:
        super().__init__(message)
        self.field = field
        self.value = value
        self.hint = hint

    def __str__(self) -> str:
        parts = [super().__str__()]
        if self.field:
            parts.append(f"[{self.field} = {_short(self.value)}]")
        if self.hint:
            parts.append(f"Fix: {self.hint}")
        return " ".join(parts)


class ManifestError(ModelError):
    """A manifest cannot be read or contradicts itself."""


class FolderRefusedError(ModelError):
    """A model folder is not exactly what its manifest says; nothing of it is used."""


class ContractError(ModelError):
    """A model's graph does not do what its manifest says: tensors, golden outputs, provider."""


class TeachingError(ModelError):
    """The data given cannot teach a model."""


class DatasetError(ModelError):
    """An image or a table of readings cannot be read."""


class RegistryError(ModelError):
    """An installed model is missing, or a name or version is already taken."""


def _short(value: object, limit: int = 80) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[: limit - 1] + "…"

"""The agent's errors: one tree; each says which field, which value, what to do, and whether trying again can help."""

from __future__ import annotations


class AgentError(Exception):
    """Base of every error the agent raises on purpose.

    Attributes:
        field: dotted name of the setting or input at fault, or None.
        value: the offending value, shortened for people; never a secret.
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


class ConfigError(AgentError):
    """The configuration cannot be used as it stands."""


class PoisonMessageError(AgentError):
    """One message cannot be understood; it is quarantined with `reason` and the stream goes on.

    Attributes:
        reason: stable snake_case name of what is wrong, used as a metric label and stored with the payload.
    """

    def __init__(self, reason: str, message: str, *, field: str | None = None, value: object = None) -> None:
        super().__init__(message, field=field, value=value)
        self.reason = reason


class ImageRefusedError(AgentError):
    """An image cannot be turned into pixels safely; the part gets NO_VERDICT, never PASS.

    Attributes:
        reason: stable snake_case name of what is wrong, shown to operators in words.
    """

    def __init__(self, reason: str, message: str, *, field: str | None = None, value: object = None) -> None:
        super().__init__(message, field=field, value=value)
        self.reason = reason


class ModelRefusedError(AgentError):
    """A model cannot be loaded or broke its contract."""


class StoreError(AgentError):
    """The store refused or failed; nothing of the batch was written."""


class StoreBusyError(StoreError):
    """The store could not take the batch now; the same batch may be offered again."""

    retryable = True


class ValueRefusedError(StoreError):
    """A value of the batch can never be stored; the batch without it can."""


class RevisionRefusedError(AgentError):
    """A stop cannot be revised as asked; nothing was changed.

    Attributes:
        reason: stable snake_case name of what is wrong.
    """

    def __init__(self, reason: str, message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.reason = reason


class UnreachableError(AgentError):
    """Something outside (broker, folder, service) cannot be reached now."""

    retryable = True


def _short(value: object, limit: int = 80) -> str:
    """Cut in the middle: of a path, the end says most."""
    text = repr(value)
    half = (limit - 1) // 2
    return text if len(text) <= limit else f"{text[:half]}…{text[-half:]}"

"""The tracker's errors: one tree; each says which field, which value, what to do, and whether trying again can help."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.observations.facts import FactChange


class TrackerError(Exception):
    """Base of every error the tracker raises on purpose.

    Attributes:
        field: dotted name of the input at fault, or None.
        value: the offending value.
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
            parts.append(f"[{self.field} = {str(self.value)[:80]!r}]")
        if self.hint:
            parts.append(f"Fix: {self.hint}")
        return " ".join(parts)


class MoneyError(TrackerError):
    """An amount cannot be read, or two currencies were mixed."""


class CaseError(TrackerError):
    """The business case cannot be used as it stands."""


class RowError(msgspec.Struct, frozen=True):
    """One line of an import that cannot be used.

    Attributes:
        source: file name or feed address.
        line: line number, from 1.
        message: what is wrong, naming the field.
        column: header of the column at fault, empty where no single one is.
        value: what stands there, as text.
        fix: how to put it right.
        message_ko, fix_ko: both in Korean; empty where only the machine's own words are known.
    """

    source: str
    line: int
    message: str
    column: str = ""
    value: str = ""
    fix: str = ""
    message_ko: str = ""
    fix_ko: str = ""


class IntakeError(TrackerError):
    """An import was refused as a whole; `rows` says which lines are wrong. Nothing of it was stored.

    Attributes:
        message_ko, hint_ko: message and hint in Korean; empty where they are known in English only.
    """

    def __init__(
        self,
        message: str,
        *,
        rows: tuple[RowError, ...] = (),
        hint: str = "",
        message_ko: str = "",
        hint_ko: str = "",
    ) -> None:
        super().__init__(message, hint=hint)
        self.rows = rows
        self.message_ko = message_ko
        self.hint_ko = hint_ko


class StoreError(TrackerError):
    """The tracker's store refused or failed; nothing was written."""


class FactsChangedError(StoreError):
    """Known facts have other content in this import; nothing was written.

    Attributes:
        changes: the first of them (`observations.facts.FactChange`).
        count: how many there are.
    """

    def __init__(self, changes: Sequence[FactChange], count: int) -> None:
        super().__init__(
            f"{count} facts are known with other content; nothing was stored",
            field="key",
            value=changes[0].given.key,
            hint="correct the file, or replace what is stored with --replace",
        )
        self.changes = tuple(changes)
        self.count = count


class UnreachableError(TrackerError):
    """A feed cannot be reached now; what was already imported stays."""

    retryable = True


class StoreUnusableError(StoreError, UnreachableError):
    """The store's file or folder cannot be used: a path that cannot be made, another program's file, a newer schema."""

    retryable = False

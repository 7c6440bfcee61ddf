"""A row that cannot be used, as those who correct it read it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.errors import RowError

if TYPE_CHECKING:
    from roi_tracker.plant_files.fault_words import Fault

_SHOWN = 80
"""Characters of a cell that are shown."""


class BadRow(Exception):  # noqa: N818 - a row, told as an error of the file
    """A row that cannot be used, by its column."""

    def __init__(self, column: str, value: object, fault: Fault) -> None:
        self.column = column
        self.value = "" if value is None else str(value)
        self.fault = fault
        super().__init__(f"{column}: {_quoted(self.value)}{fault.en}" if column else fault.en)

    def error(self, source: str, line: int) -> RowError:
        """The row as those who correct it read it: line, column, what is wrong, what to do, in both languages."""
        fault = self.fault
        korean = f"{self.column}: {_quoted(self.value)}{fault.ko}" if self.column else fault.ko
        return RowError(
            source,
            line,
            str(self),
            self.column,
            self.value[:_SHOWN],
            fault.fix_en,
            message_ko=korean,
            fix_ko=fault.fix_ko,
        )


def _quoted(value: str) -> str:
    """A value before what is wrong with it; nothing for an empty cell."""
    return f"{value[:_SHOWN]} " if value else ""

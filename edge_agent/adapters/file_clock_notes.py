"""What is known of the clock, in a file of the data folder that is replaced whole."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from edge_agent.errors import StoreError
from edge_agent.ports.keeping import ClockNote

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

CLOCK_NOTE = "clock.json"


class FileClockNotes:
    """ports.ClockNotes in a folder: a power cut leaves the note before or the note after."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._file = folder / CLOCK_NOTE

    def read(self) -> ClockNote | None:
        """What was noted last, None for nothing.

        Raises:
            StoreError: it cannot be read, or is none.
        """
        with self._errors("reading"):
            try:
                content = self._file.read_bytes()
            except FileNotFoundError:
                return None
            return msgspec.json.decode(content, type=ClockNote)

    def write(self, note: ClockNote) -> None:
        """Replace it, durably.

        Raises:
            StoreError: the disk failed; what was noted before stands.
        """
        unfinished = self._file.with_suffix(".incoming")
        with self._errors("writing"):
            with unfinished.open("wb") as file:
                file.write(msgspec.json.encode(note))
                file.flush()
                os.fsync(file.fileno())
            unfinished.replace(self._file)
            folder = os.open(self._folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
            try:
                os.fsync(folder)
            finally:
                os.close(folder)

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except (OSError, msgspec.MsgspecError) as error:
            raise StoreError(
                f"{doing} what is known of the clock failed: {error}",
                field="agent.data_dir",
                value=str(self._file),
                hint="check the folder, its permissions and the free space; the file may be removed when the clock is "
                "right",
            ) from error

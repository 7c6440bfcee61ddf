"""Room on the file system, and the ballast: a file that is given up so that facts go on when the disk is full."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import TYPE_CHECKING

from edge_agent.errors import StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

BALLAST = "ballast"


class PosixDisk:
    """ports.Disk of the file system that holds a folder.

    Args:
        folder: where the ballast lies.
        ballast_bytes: its size, 0 for none.
    """

    def __init__(self, folder: Path, ballast_bytes: int) -> None:
        self._folder = folder
        self._file = folder / BALLAST
        self.ballast_bytes = ballast_bytes

    def free_bytes(self) -> int:
        """Room that is left for this process."""
        with self._errors("asking for the room that is left"):
            seen = os.statvfs(self._folder)
        return seen.f_bavail * seen.f_frsize

    def ballast(self) -> bool:
        """Whether the ballast is there; always, where none is wanted."""
        with self._errors("looking for the ballast"):
            return self.ballast_bytes == 0 or (self._file.exists() and self._file.stat().st_size == self.ballast_bytes)

    def take_ballast(self) -> None:
        """Make the ballast of real blocks; a file system without room for it is left as it was.

        Raises:
            StoreError: it could not be made.
        """
        if self.ballast():
            return
        with self._errors("making the ballast"):
            try:
                with self._file.open("wb") as file:
                    os.posix_fallocate(file.fileno(), 0, self.ballast_bytes)
                    os.fsync(file.fileno())
            except OSError:
                self._file.unlink(missing_ok=True)
                raise

    def drop_ballast(self) -> int:
        """Give the ballast's room back; returns its bytes."""
        with self._errors("giving up the ballast"):
            try:
                size = self._file.stat().st_size
                self._file.unlink()
            except FileNotFoundError:
                return 0
        return size

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise StoreError(
                f"the disk failed while {doing}: {error.strerror or error}",
                field="agent.data_dir",
                value=str(self._folder),
                hint="check the folder, its permissions and the free space",
            ) from error

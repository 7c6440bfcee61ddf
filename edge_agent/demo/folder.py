"""The demo's data folder: made afresh every time, and only ever deleted when the demo itself has made it."""

from __future__ import annotations

import fcntl
import shutil
from typing import TYPE_CHECKING

from edge_agent.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path
    from types import TracebackType

MARKER = ".lineproof-demo"
PURPOSE = "This folder was made by `edge-agent demo`, which deletes it when it starts again.\n"


class DemoFolder:
    """Takes the folder for one run; a context manager that holds it locked against a second demo.

    Args:
        path: the folder; anything may be there, but only an empty or a marked one is used.

    Raises:
        ConfigError: on entry, when the folder holds something that is not the demo's, or another demo uses it.
    """

    def __init__(self, path: Path) -> None:
        self.path = path.absolute()

    def __enter__(self) -> Path:
        if self.path.is_symlink() or (self.path.exists() and not self.path.is_dir()):
            raise self._foreign("is not a plain folder")
        self.path.mkdir(parents=True, exist_ok=True)
        marker = self.path / MARKER
        if not marker.is_file() and any(self.path.iterdir()):
            raise self._foreign("holds files that the demo has not made")
        marker.touch()
        self._lock = marker.open("r+", encoding="utf-8")
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            self._lock.close()
            raise self._foreign("is in use by another demo") from None
        self._lock.write(PURPOSE)
        self._lock.flush()
        for entry in self.path.iterdir():
            if entry.name == MARKER:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()
        return self.path

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        self._lock.close()

    def _foreign(self, what: str) -> ConfigError:
        return ConfigError(
            f"the demo's data folder {what}", field="--data-dir", value=str(self.path), hint="name another folder"
        )

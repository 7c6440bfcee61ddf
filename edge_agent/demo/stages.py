"""Shows how far the demo is: real stages with real times, a bar on a terminal and plain lines elsewhere, on stderr."""

from __future__ import annotations

import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

if TYPE_CHECKING:
    from collections.abc import Iterator

TOTAL = 7


class Stages:
    """Counts finished stages; never claims a share of a stage that it cannot know."""

    def __init__(self) -> None:
        self._console = Console(stderr=True)
        self._started = time.monotonic()
        self.took_s: dict[str, float] = {}
        self._bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=self._console,
            disable=not self._console.is_terminal,
            transient=True,
        )
        self._task = self._bar.add_task("demo", total=TOTAL)
        self._bar.start()

    @property
    def elapsed_s(self) -> float:
        """Seconds since the demo began."""
        return time.monotonic() - self._started

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """One stage; it counts when it ends without an error."""
        begun = time.monotonic()
        self._bar.update(self._task, description=name)
        yield
        self.took_s[name] = round(time.monotonic() - begun, 2)
        self._bar.advance(self._task)
        self.say(f"{name}: {self.took_s[name]:.1f} s")

    def say(self, line: str) -> None:
        """One line for people."""
        self._console.print(line, highlight=False, markup=False, soft_wrap=True)

    def done(self, line: str) -> None:
        """All stages are through; the bar goes away."""
        self._bar.stop()
        self.say(line)

    def close(self) -> None:
        """Leave the terminal as it was."""
        self._bar.stop()

"""What another thread wants done on the writer's thread, between two commits."""

from __future__ import annotations

import time
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from edge_agent.errors import StoreBusyError

if TYPE_CHECKING:
    from collections.abc import Callable


@dataclass(frozen=True, slots=True)
class Fence:
    """Something to be done once all that waited before it is durable and acknowledged."""

    action: Callable[[], None]
    done: Future[None] = field(default_factory=Future)

    def wait(self, put: Callable[[Fence, float], bool], timeout_s: float) -> None:
        """Have it queued by `put` and wait until it is done.

        Raises:
            StoreBusyError: not begun within the time; it is not done later.
            Exception: whatever the action raised.
        """
        began_s = time.monotonic()
        try:
            if put(self, timeout_s):
                self.done.result(timeout=max(0.0, timeout_s - (time.monotonic() - began_s)))
                return
        except FutureTimeoutError:
            if not self.done.cancel():
                self.done.result()  # it is being done, which takes no wait for anybody
                return
        raise StoreBusyError(
            f"what waits is not durable within {timeout_s:g} s", hint="try again when the store takes facts"
        )

    def pass_by(self) -> None:
        """Do it; the writer's thread."""
        if not self.done.set_running_or_notify_cancel():
            return
        try:
            self.action()
        except Exception as error:  # noqa: BLE001 - it belongs to whoever put the fence, never to the writer
            self.done.set_exception(error)
        else:
            self.done.set_result(None)

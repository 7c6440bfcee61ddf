"""How a process of the virtual plant learns that it shall end: SIGTERM, SIGINT, or the parent closing its stdin."""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import FrameType


def ended_by_parent(stop: threading.Event) -> None:
    """Set `stop` on SIGTERM, on SIGINT, and when stdin reaches its end; call once, from the main thread.

    A terminal or /dev/null as stdin is not a parent: then only signals count.
    """

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        stop.set()

    signal.signal(signal.SIGTERM, on_signal)
    signal.signal(signal.SIGINT, on_signal)
    descriptor = sys.stdin.fileno()
    if os.isatty(descriptor) or os.path.samestat(os.fstat(descriptor), os.stat(os.devnull)):  # noqa: PTH116 - a descriptor has no Path
        return

    def watch() -> None:
        while os.read(descriptor, 4096):
            pass
        stop.set()

    threading.Thread(target=watch, name="parent-watch", daemon=True).start()

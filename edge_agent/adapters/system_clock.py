"""Time from the operating system."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from edge_agent.instant import Instant

BOOT_ID_FILE = Path("/proc/sys/kernel/random/boot_id")
_NS_PER_US = 1_000


class SystemClock:
    """The wall clock, the monotonic clock and the boot they belong to (port `Clock`).

    Args:
        boot_id_file: where the kernel names this boot. Where it cannot be read the name is random, so that monotonic
            times of two processes are never taken for comparable when they may not be.
    """

    def __init__(self, boot_id_file: Path = BOOT_ID_FILE) -> None:
        self._boot_id = _boot_id(boot_id_file)

    def now(self) -> Instant:
        """The present moment; never blocks."""
        return Instant(utc_us=time.time_ns() // _NS_PER_US, mono_ns=time.monotonic_ns(), boot_id=self._boot_id)


def _boot_id(file: Path) -> str:
    try:
        named = file.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        named = ""
    return named or f"process-{uuid.uuid4()}"

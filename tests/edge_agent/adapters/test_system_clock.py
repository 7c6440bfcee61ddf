from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from edge_agent.adapters.system_clock import BOOT_ID_FILE, SystemClock

if TYPE_CHECKING:
    from pathlib import Path


def test_now_lies_between_two_looks_at_the_clocks() -> None:
    clock = SystemClock()
    before = time.time_ns() // 1_000, time.monotonic_ns()
    now = clock.now()
    after = time.time_ns() // 1_000, time.monotonic_ns()
    assert before[0] <= now.utc_us <= after[0]
    assert before[1] <= now.mono_ns <= after[1]


@pytest.mark.skipif(not BOOT_ID_FILE.exists(), reason="this kernel names no boots")
def test_two_clocks_of_one_boot_agree_on_its_name() -> None:
    assert SystemClock().now().boot_id == SystemClock().now().boot_id == BOOT_ID_FILE.read_text().strip()


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe"])
def test_without_a_boot_name_two_clocks_are_not_comparable(tmp_path: Path, content: bytes | None) -> None:
    file = tmp_path / "boot_id"
    if content is not None:
        file.write_bytes(content)
    one, two = SystemClock(file), SystemClock(file)
    assert one.now().boot_id == one.now().boot_id != two.now().boot_id
    assert one.now().boot_id.startswith("process-")

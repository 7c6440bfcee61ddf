from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

UNIT = Path(__file__).resolve().parents[2] / "deploy" / "systemd" / "edge-agent.service"
WORST_EXPOSURE = 1.5


def test_the_unit_exposes_as_little_as_promised() -> None:
    if shutil.which("systemd-analyze") is None:
        pytest.skip("systemd-analyze is not installed: apt-get install systemd")
    asked = subprocess.run(
        ["systemd-analyze", "security", "--offline=yes", "--no-pager", str(UNIT)],
        check=False,
        capture_output=True,
        text=True,
    )
    found = re.search(r"Overall exposure level for edge-agent.service: ([0-9.]+)", asked.stdout)
    assert found is not None, asked.stdout + asked.stderr
    assert float(found.group(1)) <= WORST_EXPOSURE


def test_the_unit_starts_the_commands_that_exist_and_restarts_always() -> None:
    text = UNIT.read_text(encoding="utf-8")
    assert "edge-agent check --config" in text
    assert "edge-agent run --config" in text
    assert "Restart=always" in text
    assert "Type=notify" in text

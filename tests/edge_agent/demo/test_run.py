"""The demo from the command line to its summary: every part real, all of them ended."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from edge_agent.demo import run as demo
from edge_agent.errors import ConfigError


def _children_of(folder: Path) -> list[str]:
    """Command lines of processes that name the folder."""
    found = []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            command = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if str(folder) in command:
            found.append(command)
    return found


def _demo(folder: Path, *options: str) -> subprocess.Popen[bytes]:
    command = (sys.executable, "-m", "edge_agent", "demo", "--data-dir", str(folder), *options)
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


@pytest.mark.broker
@pytest.mark.timeout(300)
def test_the_demo_runs_by_itself_and_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "demo-data"
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        process = _demo(folder, "--seconds", "1", "--port", str(port), "--json")
        out, err = process.communicate(timeout=280)
    assert process.returncode == 0, err.decode()
    summary = json.loads(out)
    assert summary["first_verdict_s"] > 0
    assert sum(summary["verdicts"].values()) > 0
    assert set(summary["verdicts"]) <= {"PASS", "FAIL", "REVIEW"}
    assert summary["page"] != f"http://127.0.0.1:{port}"
    assert f"port {port} is in use" in err.decode()
    assert "fewer-defects" in summary["report"]["proven"]
    assert summary["report"]["origin"] == "simulated"
    assert (folder / "report.html").stat().st_size > 10_000
    assert _children_of(folder) == []


@pytest.mark.broker
def test_an_interrupted_demo_leaves_no_process(tmp_path: Path) -> None:
    folder = tmp_path / "demo-data"
    process = _demo(folder, "--port", "18080")
    deadline = time.monotonic() + 60
    while len(_children_of(folder)) < 3 and time.monotonic() < deadline:  # itself, the broker, the first teacher
        time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode != 0
    assert _children_of(folder) == []


def test_a_missing_extra_is_named_with_its_command(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == "iotcore" else object())
    with pytest.raises(ConfigError, match=r"lineproof\[demo,roi,train\]"):
        demo.run_demo(1, 18080, tmp_path / "demo-data")
    assert not (tmp_path / "demo-data").exists()

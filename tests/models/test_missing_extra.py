"""Without the libraries of the extra `train` teaching says what to install; all else works without them."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

WITHOUT_ONNX = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "onnx":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

sys.meta_path.insert(0, Absent())
from models.__main__ import main
main()
"""


def edge_model(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", WITHOUT_ONNX, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


@pytest.mark.parametrize("kind", ["images", "health"])
def test_teaching_says_what_to_install(kind: str, tmp_path: Path) -> None:
    readings = tmp_path / "readings.csv"
    readings.write_text("time,bearing\n0,1.0\n1,1.1\n", encoding="utf-8")
    source = ("--good", tmp_path) if kind == "images" else ("--readings", readings)
    done = edge_model("teach", kind, *source, "--out", tmp_path / "model")
    assert done.returncode == 2
    assert "'onnx'" in done.stderr
    assert "pip install 'lineproof[train]'" in done.stderr
    assert "requirements/server.txt" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "model").exists()


def test_quantising_says_what_to_install(tmp_path: Path) -> None:
    done = edge_model("quantize", tmp_path, "--calibration", tmp_path, "--out", tmp_path / "model")
    assert done.returncode == 2
    assert "pip install 'lineproof[train]'" in done.stderr


def test_installed_models_are_listed_without_the_extra(tmp_path: Path) -> None:
    done = edge_model("list", "--into", tmp_path, "--json")
    assert (done.returncode, done.stdout.strip()) == (0, '{\n  "models": []\n}')

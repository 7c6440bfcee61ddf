"""Without the libraries of the extra `roi` the command says what to install; `--help` needs none of them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import roi_tracker

CASE = Path(roi_tracker.__file__).parent / "examples" / "small_workshop.yaml"
ROI = ("holidays", "httpx", "openpyxl", "yaml", "scipy", "statsmodels", "typst", "xlsxwriter")
BLOCKED = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {missing!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Absent())
from roi_tracker.__main__ import main
main()
"""


def without(missing: tuple[str, ...], *arguments: object) -> subprocess.CompletedProcess[str]:
    code = BLOCKED.format(missing=missing)
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=60
    )


@pytest.mark.parametrize("words", [(), ("appraise",), ("import",), ("baseline", "freeze"), ("serve",)])
def test_help_needs_nothing_of_the_extra(words: tuple[str, ...]) -> None:
    done = without((*ROI, "numpy", "apsw"), *words, "--help")
    assert done.returncode == 0, done.stderr
    assert "Usage:" in done.stdout


@pytest.mark.parametrize(
    ("missing", "arguments"),
    [
        ("yaml", ("appraise", CASE)),
        ("scipy", ("appraise", CASE)),
        ("typst", ("appraise", CASE, "--out", "{folder}/a.pdf")),
        ("xlsxwriter", ("audit", CASE, "--format", "all", "--out", "{folder}")),
        ("openpyxl", ("appraise", "{folder}/case.xlsx")),
        ("httpx", ("import", "--feed", "http://127.0.0.1:9", "--store", "{folder}/s.sqlite")),
    ],
)
def test_a_missing_library_is_told_with_what_to_install(
    missing: str, arguments: tuple[str | Path, ...], tmp_path: Path
) -> None:
    done = without((missing,), *(str(one).format(folder=tmp_path) for one in arguments))
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert repr(missing) in done.stderr
    assert "pip install 'lineproof[roi]'" in done.stderr
    assert "requirements/server.txt" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_missing_file_of_the_package_itself_keeps_its_traceback() -> None:
    code = BLOCKED.format(missing=()).replace(
        "import sys\n", "import sys\nsys.modules['roi_tracker.documents'] = None\n", 1
    )
    broken = subprocess.run(
        [sys.executable, "-c", code, "appraise", str(CASE)], capture_output=True, text=True, check=False, timeout=60
    )
    assert broken.returncode == 1
    assert "Traceback" in broken.stderr

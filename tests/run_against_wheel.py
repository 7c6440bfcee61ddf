"""Builds the wheel, installs it into a fresh environment and runs the tests against it, outside the checkout.

What is installed must work without the checkout, and must not carry tests or benchmarks. The environment borrows the
third-party packages of the running one, so that nothing is downloaded twice.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import sysconfig
import tempfile
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
CARRIED = {"edge_agent", "models", "roi_tracker"}
COMMANDS = ("edge-agent", "edge-model", "roi-tracker")
# Faults, browsers, oracles and simulations ask nothing of the packaging and have had their turn in the checkout.
LEFT_OUT = (
    "tests/benchmarks",
    "tests/browser",
    "tests/deploy",
    "tests/docs",
    "tests/end_to_end",
    "tests/faults",
    "tests/roi_tracker/audit",
    "tests/roi_tracker/oracles",
)
SPREAD = ("-n", "auto", "--dist", "loadfile")


def main() -> int:
    """Returns pytest's exit status, or 1 when the wheel itself is wrong."""
    with tempfile.TemporaryDirectory(prefix="lineproof-wheel-") as folder:
        place = Path(folder)
        wheel = build(place / "dist")
        strangers = carried(wheel) - CARRIED - {wheel.name.rsplit("-", 3)[0] + ".dist-info"}
        if strangers:
            sys.stderr.write(f"the wheel carries what it should not: {sorted(strangers)}\n")
            return 1
        python = install(place / "venv", wheel)
        work = place / "work"
        shutil.copytree(ROOT / "tests", work / "tests", ignore=shutil.ignore_patterns("__pycache__"))
        shutil.copy(ROOT / "pyproject.toml", work / "pyproject.toml")
        for name in ("deploy", "docs"):
            shutil.copytree(ROOT / name, work / name)
        if (ROOT.parent / "shared").is_dir():
            (place / "shared").symlink_to(ROOT.parent / "shared")
        for command in COMMANDS:
            subprocess.run([str(python.parent / command), "--help"], check=True, stdout=subprocess.DEVNULL, cwd=work)
        ignores = [f"--ignore={path}" for path in LEFT_OUT]
        return subprocess.run([str(python), "-m", "pytest", "-q", *SPREAD, *ignores], check=False, cwd=work).returncode


def build(out: Path) -> Path:
    """The wheel of this checkout."""
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return next(out.glob("*.whl"))


def carried(wheel: Path) -> set[str]:
    """First path parts of everything in the wheel."""
    with zipfile.ZipFile(wheel) as archive:
        return {name.split("/", 1)[0] for name in archive.namelist()}


def install(folder: Path, wheel: Path) -> Path:
    """Install the wheel into a fresh environment that sees our third-party packages, but not our checkout."""
    venv.create(folder, with_pip=True)
    python = folder / "bin" / "python"
    site = next((folder / "lib").glob("python*/site-packages"))
    # addsitedir would read the editable install's .pth and bring the checkout back; a plain path line does not
    (site / "borrowed.pth").write_text(sysconfig.get_paths()["purelib"] + "\n")
    command = [str(python), "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", str(wheel)]
    subprocess.run(command, check=True)
    probe = "import edge_agent, pathlib; print(pathlib.Path(edge_agent.__file__).resolve())"
    where = subprocess.run([python, "-c", probe], check=True, capture_output=True, text=True, cwd=folder).stdout
    if not where.startswith(str(folder.resolve())):
        message = f"the tests would run against {where.strip()}, not against the wheel"
        raise RuntimeError(message)
    return python


if __name__ == "__main__":
    sys.exit(main())

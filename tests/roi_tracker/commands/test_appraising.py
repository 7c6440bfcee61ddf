"""All formats of an appraisal or an audit at once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

import roi_tracker
from roi_tracker.__main__ import app
from roi_tracker.errors import CaseError

CASE = Path(roi_tracker.__file__).parent / "examples" / "small_workshop.yaml"
ENDINGS = ("csv", "html", "json", "pdf", "xlsx")
COMMANDS = [("appraise", "appraisal"), ("audit", "audit")]


def run(*arguments: object) -> str:
    done = CliRunner().invoke(app, [str(one) for one in arguments], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.output


@pytest.mark.parametrize(("command", "name"), COMMANDS)
def test_all_formats_are_those_asked_for_one_by_one(command: str, name: str, tmp_path: Path) -> None:
    pytest.importorskip("typst")
    folder = tmp_path / "new" / "files"
    dated = ("--lang", "en", "--as-of", "2025-03-01")
    said = run(command, CASE, "--format", "all", "--out", folder, *dated)
    made = {path.name: path for path in folder.iterdir()}
    assert sorted(made) == [f"small_workshop-{name}-en.{ending}" for ending in ENDINGS]
    assert said.count("bytes\n") == len(ENDINGS)
    for ending in ENDINGS:
        alone = tmp_path / f"alone.{ending}"
        run(command, CASE, "--out", alone, *dated)
        assert made[f"small_workshop-{name}-en.{ending}"].read_bytes() == alone.read_bytes(), ending
    document = json.loads(made[f"small_workshop-{name}-en.json"].read_bytes())
    assert document["case"] == "small-workshop"


@pytest.mark.parametrize(("command", "_name"), COMMANDS)
def test_all_formats_need_a_folder(command: str, _name: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"--format all needs a folder .* Fix: add --out FOLDER"):
        run(command, CASE, "--format", "all")
    blocked = tmp_path / "file"
    blocked.write_text("in the way", encoding="utf-8")
    with pytest.raises(CaseError, match="no folder can be made here"):
        run(command, CASE, "--format", "all", "--out", blocked)
    assert blocked.read_text(encoding="utf-8") == "in the way"


@pytest.mark.parametrize(("command", "_name"), COMMANDS)
def test_one_format_needs_a_file_with_its_ending(command: str, _name: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"--format pdf needs a file .* Fix: add --out FILE\.pdf"):
        run(command, CASE, "--format", "pdf")
    with pytest.raises(CaseError, match=r"no format for this ending .* --format all"):
        run(command, CASE, "--out", tmp_path / "appraisal.all")
    run(command, CASE, "--format", "csv", "--out", tmp_path / "figures.txt")
    assert (tmp_path / "figures.txt").read_bytes().startswith(b"\xef\xbb\xbfaddress,")


def test_no_file_is_written_when_one_format_fails(tmp_path: Path) -> None:
    pytest.importorskip("typst")
    odd = tmp_path / "odd.yaml"
    text = CASE.read_text(encoding="utf-8")
    title = next(line for line in text.splitlines() if line.startswith("name:"))
    odd.write_text(text.replace(title, 'name: {ko: "계획 \N{SNOWMAN}", en: "Plan \N{SNOWMAN}"}', 1), encoding="utf-8")
    with pytest.raises(CaseError, match="SNOWMAN"):
        run("appraise", odd, "--format", "all", "--out", tmp_path / "files")
    assert not (tmp_path / "files").exists()

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


def test_no_file_is_written_when_one_format_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("typst")

    def refuse(*_: object) -> bytes:
        raise CaseError("the PDF cannot be made")

    monkeypatch.setattr("roi_tracker.render.content_pdf.render_content_pdf", refuse)
    monkeypatch.setattr("roi_tracker.render.appraisal_outputs.render_content_pdf", refuse, raising=False)
    with pytest.raises(CaseError, match="the PDF cannot be made"):
        run("appraise", CASE, "--format", "all", "--out", tmp_path / "files")
    assert not (tmp_path / "files").exists()


def test_a_template_never_overwrites_a_case_or_a_workbook(tmp_path: Path) -> None:
    case = tmp_path / "case.yaml"
    case.write_text("id: mine", encoding="utf-8")
    with pytest.raises(CaseError, match=r"a template is a workbook .* --case case\.yaml"):
        run("template", case)
    assert case.read_text(encoding="utf-8") == "id: mine"
    with pytest.raises(CaseError, match="a template is a workbook"):
        run("template", tmp_path / "t.pdf")
    assert not (tmp_path / "t.pdf").exists()
    book = tmp_path / "filled.xlsx"
    book.write_bytes(b"work")
    with pytest.raises(CaseError, match=r"is there already.* --force"):
        run("template", book)
    assert book.read_bytes() == b"work"
    run("template", book, "--force", "--case", CASE)
    assert book.read_bytes().startswith(b"PK")


@pytest.mark.parametrize(("command", "_name"), COMMANDS)
def test_a_name_that_contradicts_the_format_is_refused(command: str, _name: str, tmp_path: Path) -> None:
    with pytest.raises(CaseError, match=r"the name says html, --format says pdf .* Fix: end the name \.pdf"):
        run(command, CASE, "--format", "pdf", "--out", tmp_path / "a.html")
    for extra in (("--out", tmp_path / "a.json"), ("--format", "json")):
        with pytest.raises(CaseError, match="--json prints to standard output"):
            run(command, CASE, "--json", *extra)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("command", "_name"), COMMANDS)
def test_text_goes_to_standard_output_and_nothing_else_does(
    command: str, _name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    said = run(command, CASE, "--format", "json", "--out", "-", "--lang", "en", "--as-of", "2025-03-01")
    assert json.loads(said)["case"] == "small-workshop"
    with pytest.raises(CaseError, match="pdf is not written to standard output"):
        run(command, CASE, "--format", "pdf", "--out", "-")
    with pytest.raises(CaseError, match="all is not written to standard output"):
        run(command, CASE, "--format", "all", "--out", "-")
    with pytest.raises(CaseError, match="no ending that says the format"):
        run(command, CASE, "--out", "-")
    assert not list(tmp_path.iterdir())

"""Commands on a plan: appraise, audit, template."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.case_file import CaseArgument, load_case, make_folder, write_file
from roi_tracker.commands.console import NO, JsonOption, LangOption, language_of, table_console
from roi_tracker.commands.out_names import (
    STANDARD_OUTPUT,
    check_ending,
    check_standard_output,
    check_workbook_name,
    ending_of,
    write_standard_output,
)
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from roi_tracker.money import Language
    from roi_tracker.render.appraisal_outputs import OutputFormat


class AppraisalFormat(StrEnum):
    """Formats of an appraisal and of an audit; `all` is every one of them, each in a file of a folder."""

    html = "html"
    pdf = "pdf"
    xlsx = "xlsx"
    csv = "csv"
    json = "json"
    all = "all"


_EACH: tuple[OutputFormat, ...] = ("html", "pdf", "xlsx", "csv", "json")

_FormatOption = Annotated[AppraisalFormat | None, typer.Option("--format", help="write a file; needs --out")]
_OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="file to write, its ending gives the format; with --format all a folder; - is stdout"),
]
_DateOption = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="date of the document; today when left out")
]


def appraise(  # noqa: PLR0913, PLR0917 - each is an option of the command
    case: CaseArgument,
    draws: Annotated[int, typer.Option(min=100, max=1_000_000, help="Monte Carlo draws")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="of the simulation; same seed, same figures")] = 20250101,
    lang: LangOption = None,
    as_of: _DateOption = None,
    format: _FormatOption = None,  # noqa: A002 - the option's published name
    out: _OutOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """The whole appraisal: NPV, every IRR, paybacks, sensitivity, break-even, Monte Carlo, alternatives, decision.

    Example: roi-tracker appraise roi_tracker/examples/abc_manufacturing.yaml --lang en --out appraisal.pdf
    All files at once: roi-tracker appraise case.yaml --format all --out FOLDER
    """
    from roi_tracker.documents import appraisal_document, encode_document

    output = _chosen(format, out, json=json)
    plan = load_case(case)
    document = appraisal_document(plan, draws, seed)
    if output is not None and out is not None:
        from roi_tracker.render.appraisal_outputs import render_appraisal

        when, language = (as_of or datetime.now(UTC)).date(), language_of(lang, plan)
        files = _files(out, output, f"{case.stem}-appraisal-{language}")
        _write_together({path: render_appraisal(plan, document, one, language, when) for path, one in files.items()})
        return
    if json:
        sys.stdout.write(encode_document(document).decode() + "\n")
        return
    from roi_tracker.render.terminal import print_appraisal

    print_appraisal(plan, document, table_console())


def audit(  # noqa: PLR0913 - each is an option of the command
    case: CaseArgument,
    lang: LangOption = None,
    as_of: _DateOption = None,
    format: _FormatOption = None,  # noqa: A002 - the option's published name
    out: _OutOption = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="exit 1 when a stated figure does not follow")] = False,
    json: JsonOption = False,
) -> None:
    """Recompute every figure that a plan states: what is wrong, why most likely, and what it does to the NPV.

    Example: roi-tracker audit roi_tracker/examples/abc_manufacturing.yaml --json
    All files at once: roi-tracker audit case.yaml --format all --out FOLDER
    """
    from roi_tracker.audit import audit as audit_case

    output = _chosen(format, out, json=json)
    plan = load_case(case)
    language = language_of(lang, plan)
    found = audit_case(plan)
    if output is not None and out is not None:
        from roi_tracker.audit import corrected_case
        from roi_tracker.audit.document import audit_document
        from roi_tracker.render.appraisal_outputs import render_audit

        when: tuple[Language, date] = (language, (as_of or datetime.now(UTC)).date())
        corrected = corrected_case(plan)
        document = audit_document(plan, found, corrected)
        files = _files(out, output, f"{case.stem}-audit-{language}")
        _write_together({path: render_audit(plan, corrected, document, one, when) for path, one in files.items()})
    elif json:
        from roi_tracker.audit.document import audit_document
        from roi_tracker.documents import encode_document

        sys.stdout.write(encode_document(audit_document(plan, found)).decode() + "\n")
    else:
        from roi_tracker.audit.tables import print_audit

        print_audit(found, table_console(), language)
    if check and found.of_kind("recomputable_error"):
        raise typer.Exit(NO)


def template(
    out: Annotated[Path, typer.Argument(help="workbook to write")],
    case: Annotated[
        Path | None, typer.Option("--case", help="fill it with this case; else with a small example")
    ] = None,
    *,
    force: Annotated[bool, typer.Option("--force", help="replace a file that is there")] = False,
) -> None:
    """A case as a workbook to fill in; `appraise` and `audit` read it back like a YAML file.

    Example: roi-tracker template case.xlsx
    Filled with a case: roi-tracker template case.xlsx --case case.yaml
    """
    check_workbook_name(out, force=force)
    from roi_tracker.adapters.xlsx_case import write_xlsx_case
    from roi_tracker.business_case import parse_case

    example = resources.files("roi_tracker").joinpath("examples", "small_workshop.yaml")
    plan = parse_case(example.read_text(encoding="utf-8"), "yaml") if case is None else load_case(case)
    write_file(out, write_xlsx_case(plan))


def _chosen(output: AppraisalFormat | None, out: Path | None, *, json: bool) -> AppraisalFormat | None:
    """The format asked for, by name or by the file's ending; None for tables on the terminal."""
    if json and (out is not None or output is not None):
        raise CaseError(
            "--json prints to standard output, --out and --format write a file",
            field="--json",
            value=json,
            hint="leave --json out; --format json --out FILE.json writes the same document",
        )
    if out is None:
        if output is None:
            return None
        place = "a folder" if output is AppraisalFormat.all else "a file"
        hint = "add --out FOLDER" if output is AppraisalFormat.all else f"add --out FILE.{output}"
        raise CaseError(f"--format {output} needs {place}", field="--out", hint=hint)
    if out == STANDARD_OUTPUT:
        check_standard_output(output)
        return output
    ending = ending_of(out)
    if output is None and ending not in _EACH:
        raise CaseError(
            "no format for this ending",
            field="--out",
            value=out,
            hint="end it .html .pdf .xlsx .csv .json; or --format all for a folder with every one",
        )
    if output is not None and output is not AppraisalFormat.all:
        check_ending(out, output, _EACH)
    return output or AppraisalFormat(ending)


def _files(out: Path, output: AppraisalFormat, name: str) -> dict[Path, OutputFormat]:
    """Files to write with their formats: the one named, or one a format in the folder named."""
    if output is AppraisalFormat.all:
        return {out / f"{name}.{one}": one for one in _EACH}
    return {out: next(one for one in _EACH if one == output)}


def _write_together(files: Mapping[Path, bytes]) -> None:
    """Write files that are all made already, so that a format that fails leaves no half set behind."""
    for path, content in files.items():
        if path == STANDARD_OUTPUT:
            write_standard_output(content)
            continue
        if len(files) > 1:
            make_folder(path.parent)
        write_file(path, content)

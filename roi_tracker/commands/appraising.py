"""Commands on a plan: appraise, audit, template."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from roi_tracker.commands.case_file import CaseArgument, load_case, write_file
from roi_tracker.commands.console import NO, JsonOption, PageLanguage
from roi_tracker.errors import CaseError

if TYPE_CHECKING:
    from roi_tracker.money import Language


class AppraisalFormat(StrEnum):
    """Formats of an appraisal and of an audit."""

    html = "html"
    pdf = "pdf"
    xlsx = "xlsx"
    csv = "csv"
    json = "json"


_FormatOption = Annotated[AppraisalFormat | None, typer.Option("--format", help="write a file; needs --out")]
_OutOption = Annotated[Path | None, typer.Option("--out", help="file to write; its ending gives the format")]
_DateOption = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="date of the document; today when left out")
]


def appraise(  # noqa: PLR0913, PLR0917 - each is an option of the command
    case: CaseArgument,
    draws: Annotated[int, typer.Option(min=100, max=1_000_000, help="Monte Carlo draws")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="of the simulation; same seed, same figures")] = 20250101,
    lang: Annotated[PageLanguage, typer.Option("--lang", help="of the file")] = PageLanguage.ko,
    as_of: _DateOption = None,
    format: _FormatOption = None,  # noqa: A002 - the option's published name
    out: _OutOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """The whole appraisal: NPV, every IRR, paybacks, sensitivity, break-even, Monte Carlo, alternatives, decision.

    Example: roi-tracker appraise roi_tracker/examples/abc_manufacturing.yaml --lang en --out appraisal.pdf
    """
    from roi_tracker.documents import appraisal_document, encode_document

    output = _chosen(format, out)
    plan = load_case(case)
    document = appraisal_document(plan, draws, seed)
    if output is not None and out is not None:
        from roi_tracker.render.appraisal_outputs import render_appraisal

        write_file(out, render_appraisal(plan, document, output.value, lang.value, (as_of or datetime.now(UTC)).date()))
        return
    if json:
        sys.stdout.write(encode_document(document).decode() + "\n")
        return
    from roi_tracker.render.terminal import print_appraisal

    print_appraisal(plan, document, Console())


def audit(  # noqa: PLR0913 - each is an option of the command
    case: CaseArgument,
    lang: Annotated[PageLanguage, typer.Option(help="language of the explanations")] = PageLanguage.ko,
    as_of: _DateOption = None,
    format: _FormatOption = None,  # noqa: A002 - the option's published name
    out: _OutOption = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="exit 1 when a stated figure does not follow")] = False,
    json: JsonOption = False,
) -> None:
    """Recompute every figure that a plan states: what is wrong, why most likely, and what it does to the NPV.

    Example: roi-tracker audit roi_tracker/examples/abc_manufacturing.yaml --json
    """
    from roi_tracker.audit import audit as audit_case

    output = _chosen(format, out)
    plan = load_case(case)
    found = audit_case(plan)
    if output is not None and out is not None:
        from roi_tracker.audit import corrected_case
        from roi_tracker.audit.document import audit_document
        from roi_tracker.render.appraisal_outputs import render_audit

        when: tuple[Language, date] = (lang.value, (as_of or datetime.now(UTC)).date())
        write_file(out, render_audit(plan, corrected_case(plan), audit_document(plan, found), output.value, when))
    elif json:
        from roi_tracker.audit.document import audit_document
        from roi_tracker.documents import encode_document

        sys.stdout.write(encode_document(audit_document(plan, found)).decode() + "\n")
    else:
        from roi_tracker.audit.tables import print_audit

        print_audit(found, Console(), lang.value)
    if check and found.of_kind("recomputable_error"):
        raise typer.Exit(NO)


def template(
    out: Annotated[Path, typer.Argument(help="workbook to write")],
    case: Annotated[
        Path | None, typer.Option("--case", help="fill it with this case; else with a small example")
    ] = None,
) -> None:
    """A case as a workbook to fill in; `appraise` and `audit` read it back like a YAML file.

    Example: roi-tracker template case.xlsx
    """
    from roi_tracker.adapters.xlsx_case import write_xlsx_case
    from roi_tracker.business_case import parse_case

    example = resources.files("roi_tracker").joinpath("examples", "small_workshop.yaml")
    plan = parse_case(example.read_text(encoding="utf-8"), "yaml") if case is None else load_case(case)
    write_file(out, write_xlsx_case(plan))


def _chosen(output: AppraisalFormat | None, out: Path | None) -> AppraisalFormat | None:
    """The format asked for, by name or by the file's ending; None for tables on the terminal."""
    if out is None:
        if output is None:
            return None
        raise CaseError(f"--format {output} needs a file", field="--out", hint=f"add --out FILE.{output}")
    ending = out.suffix.lower().removeprefix(".")
    if output is None and ending not in {one.value for one in AppraisalFormat}:
        raise CaseError(
            "no format for this ending", field="--out", value=out, hint="end it .html .pdf .xlsx .csv .json"
        )
    return output or AppraisalFormat(ending)

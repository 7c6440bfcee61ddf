"""The command that reports: write, save, make again, drill down."""

from __future__ import annotations

import sys
from datetime import UTC, date, datetime
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import msgspec
import typer

from roi_tracker.commands.case_file import load_case, make_folder, write_file
from roi_tracker.commands.console import NO, LangOption, language_of
from roi_tracker.commands.out_names import STANDARD_OUTPUT, check_ending, check_standard_output, ending_of
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store
from roi_tracker.errors import CaseError
from roi_tracker.money import Language

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.render.report_outputs import ReportFormat
    from roi_tracker.report.case_text import CaseText
    from roi_tracker.report.model import Report
    from roi_tracker.reporting import Reporting


class Format(StrEnum):
    """Formats of a report; `all` is every one of them, each in a file of a folder."""

    html = "html"
    pdf = "pdf"
    xlsx = "xlsx"
    csv = "csv"
    json = "json"
    all = "all"


_EACH: tuple[ReportFormat, ...] = ("html", "pdf", "xlsx", "csv", "json")
_BINARY = frozenset({Format.pdf, Format.xlsx})

_CaseMaybe = Annotated[Path | None, typer.Option("--case", help="business case; not needed with --reproduce")]


class _Wanted(msgspec.Struct, frozen=True):
    """What is to be written, where, in which language."""

    output: Format
    out: Path | None
    language: Language
    stem: str


class _Rows(msgspec.Struct, frozen=True):
    """Observations as a file, and whether there are any."""

    content: bytes
    any: bool


def report(  # noqa: PLR0913, PLR0917 - each is an option of the command
    case: _CaseMaybe = None,
    store: StoreOption = DEFAULT_STORE,
    format: Annotated[Format | None, typer.Option("--format", help="html where nothing says another")] = None,  # noqa: A002 - the option's published name
    lang: LangOption = None,
    out: Annotated[
        Path | None, typer.Option("--out", help="file, its ending gives the format; with --format all a folder")
    ] = None,
    as_of: Annotated[
        datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="date of the document; today if left out")
    ] = None,
    drill: Annotated[str | None, typer.Option("--drill", help="observations and events behind a benefit line")] = None,
    month: Annotated[str | None, typer.Option("--month", help="with --drill, YYYY-MM")] = None,
    reproduce: Annotated[str | None, typer.Option("--reproduce", help="make a saved report again, by its hash")] = None,
    *,
    save: Annotated[bool, typer.Option("--save", help="record the hashes of all inputs in the ledger")] = False,
) -> None:
    """The management report: realized against projected, with everything it rests on.

    Example: roi-tracker report --case case.yaml --store roi.sqlite --lang en --out report.pdf
    Kept for good: roi-tracker report --case case.yaml --save --format all --out FOLDER
    Made again: roi-tracker report --reproduce HASH --store roi.sqlite --format all --out FOLDER
    Behind a figure: roi-tracker report --case case.yaml --drill LINE --month 2025-09 --format csv --out rows.csv
    Behind a figure of a saved report: the same with --reproduce HASH instead of --case
    """
    output, file = _chosen(format, out), None if out == STANDARD_OUTPUT else out
    if reproduce is not None and drill is not None:
        _drill_saved(reproduce, store, drill, month, _Wanted(output, file, language_of(lang), "report"))
        return
    if reproduce is not None:
        _reproduce(reproduce, store, _Wanted(output, file, language_of(lang), "report"))
        return
    if case is None:
        raise CaseError("a report needs a case", field="--case", hint="add --case case.yaml, or --reproduce HASH")
    plan, text = load_case(case), case_text(case)
    wanted = _Wanted(output, file, language_of(lang, plan), "report")
    if drill is not None:
        _drill(plan, store, drill, month, wanted)
        return
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.programme import Programme
    from roi_tracker.reporting import Reporting, register_text, save_report

    now = datetime.now(UTC)
    on = as_of.date() if as_of is not None else ShiftCalendar(plan.plant).local_day(now)
    with open_store(store) as opened, open_ledger(store) as ledger:
        if save:
            Programme(plan, opened).hold_derived()
            register_text(plan.id, text, ledger, now)
        programme = Reporting(plan, opened, ledger, text=text)
        made = programme.report(on)
        files = _rendered(made, programme, wanted)
        if save:
            from roi_tracker.render.json_document import render_json

            digest = save_report(made, render_json(made).encode(), ledger, now)
    _write(files, wanted)
    if save:
        sys.stderr.write(f"saved as {digest}\n")


def case_text(path: Path) -> CaseText:
    """A case's text as the ledger keeps it; a workbook's case is written out."""
    from roi_tracker.report.case_text import CaseText

    suffix = path.suffix.lower()
    if suffix == ".xlsx":
        return CaseText(load_case(path).model_dump_json(), "json")
    return CaseText(path.read_text(encoding="utf-8"), "toml" if suffix == ".toml" else "yaml")


def _chosen(output: Format | None, out: Path | None) -> Format:
    if out == STANDARD_OUTPUT:
        check_standard_output(output)
        return output or Format.html
    ending = "" if out is None else ending_of(out)
    chosen = output or (Format(ending) if ending in _EACH else None)
    if chosen is None and out is not None:
        raise CaseError(
            "no format for this ending",
            field="--out",
            value=out,
            hint="end it .html .pdf .xlsx .csv .json; or --format all for a folder with every one",
        )
    if chosen is Format.all and out is None:
        raise CaseError("--format all needs a folder", field="--out", hint="add --out FOLDER")
    if out is not None and chosen is not None and chosen is not Format.all:
        check_ending(out, chosen, _EACH)
    return chosen or Format.html


def _rendered(made: Report, programme: Reporting, wanted: _Wanted) -> dict[str, bytes]:
    from roi_tracker.render.report_outputs import render_report

    formats = _EACH if wanted.output is Format.all else tuple(one for one in _EACH if one == wanted.output)
    return {one: render_report(made, one, wanted.language, programme) for one in formats}


def _write(files: dict[str, bytes], wanted: _Wanted) -> None:
    if wanted.out is None:
        (content,) = files.values()
        if wanted.output in _BINARY and sys.stdout.isatty():
            raise CaseError(
                f"a {wanted.output} is no text for a terminal", field="--out", hint=f"add --out report.{wanted.output}"
            )
        sys.stdout.buffer.write(content)
        return
    if wanted.output is not Format.all:
        (content,) = files.values()
        write_file(wanted.out, content)
        return
    make_folder(wanted.out)
    for ending, content in files.items():
        write_file(wanted.out / f"{wanted.stem}-{wanted.language}.{ending}", content)


def _reproduce(digest: str, store: Path, wanted: _Wanted) -> None:
    from roi_tracker.render.json_document import render_json
    from roi_tracker.reporting import check_reproduced, find_saved, reproduce

    with open_store(store) as opened, open_ledger(store) as ledger:
        saved = find_saved(ledger.entries(), digest)
        programme = reproduce(saved, opened, ledger)
        made = programme.report(saved.generated_on)
        check_reproduced(saved, render_json(made).encode())
        files = _rendered(made, programme, wanted)
    _write(files, wanted)


def _drill_saved(digest: str, store: Path, benefit_id: str, month: str | None, wanted: _Wanted) -> None:
    """Observations and events behind a saved report: those known at its moment, whatever came later."""
    from roi_tracker.reporting import find_saved, reproduce

    _check_drill(month, wanted)
    with open_store(store) as opened, open_ledger(store) as ledger:
        saved = find_saved(ledger.entries(), digest)
        programme = reproduce(saved, opened, ledger)
        programme.look_from(saved.generated_on)
        whole = _behind(programme, benefit_id, month, wanted)
    _write_rows(whole, wanted)


def _drill(plan: BusinessCase, store: Path, benefit_id: str, month: str | None, wanted: _Wanted) -> None:
    from roi_tracker.reporting import Reporting

    _check_drill(month, wanted)
    with open_store(store) as opened, open_ledger(store) as ledger:
        whole = _behind(Reporting(plan, opened, ledger), benefit_id, month, wanted)
    _write_rows(whole, wanted)


def _check_drill(month: str | None, wanted: _Wanted) -> None:
    if wanted.output not in {Format.csv, Format.json}:
        raise CaseError(
            "observations are written as csv or json", field="--format", value=wanted.output, hint="--format csv"
        )
    if month is not None:
        try:
            date.fromisoformat(f"{month}-01")
        except ValueError:
            raise CaseError("no such month", field="--month", value=month, hint="write it like 2025-09") from None


def _behind(programme: Reporting, benefit_id: str, month: str | None, wanted: _Wanted) -> _Rows:
    """The rows as a file."""
    from roi_tracker.render.drill_files import render_drill_csv, render_drill_json
    from roi_tracker.report.drilldown import in_month

    rows = in_month(programme.rows(benefit_id), month)
    render = render_drill_csv if wanted.output is Format.csv else render_drill_json
    content: Iterable[bytes] = render(benefit_id, programme.events(rows))
    return _Rows(b"".join(content), bool(rows))


def _write_rows(found: _Rows, wanted: _Wanted) -> None:
    _write({wanted.output.value: found.content}, wanted)
    if not found.any:
        raise typer.Exit(NO)

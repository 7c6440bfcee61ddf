"""`roi-tracker`: appraise a plan, import facts, freeze baselines, measure, report, serve."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from datetime import UTC, date, datetime
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import msgspec
import typer
from rich.console import Console

from roi_tracker.adapters.export_file import read_export
from roi_tracker.adapters.http_feed import HttpFeed
from roi_tracker.adapters.sqlite_store import SqliteStore
from roi_tracker.baseline.frozen import FittedBaseline
from roi_tracker.business_case import parse_case
from roi_tracker.errors import CaseError, IntakeError, StoreError, TrackerError, UnreachableError
from roi_tracker.intake import follow_feed, import_lines
from roi_tracker.ports import Imported
from roi_tracker.programme import Programme
from roi_tracker.proof.proving import NotProven, Realized

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.business_case import BusinessCase
    from roi_tracker.money import Language

NO, USAGE, UNREACHABLE = 1, 2, 3

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__, pretty_exceptions_enable=False)
baseline_app = typer.Typer(no_args_is_help=True, help="The counterfactual's baseline: fit, freeze, show.")
app.add_typer(baseline_app, name="baseline")
_errors = Console(stderr=True)


class AppraisalFormat(StrEnum):
    """Formats of an appraisal and of an audit."""

    html = "html"
    pdf = "pdf"
    xlsx = "xlsx"
    csv = "csv"
    json = "json"


_CaseArgument = Annotated[Path, typer.Argument(help="business case: YAML, TOML or XLSX")]
_CaseOption = Annotated[Path, typer.Option("--case", help="business case, YAML or TOML")]
_StoreOption = Annotated[Path, typer.Option("--store", help="the tracker's own store; `import` makes it")]
_JsonOption = Annotated[bool, typer.Option("--json", help="one JSON document on standard output")]
_FormatOption = Annotated[AppraisalFormat | None, typer.Option("--format", help="write a file; needs --out")]
_OutOption = Annotated[Path | None, typer.Option("--out", help="file to write; its ending gives the format")]
_DateOption = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="date of the document; today when left out")
]
_DEFAULT_STORE = Path("lineproof-data/roi.sqlite")


class Format(StrEnum):
    """Formats of a report."""

    html = "html"
    json = "json"


class PageLanguage(StrEnum):
    """Languages of a report."""

    ko = "ko"
    en = "en"


def main() -> None:
    """Entry point: errors of this program end with a message and an exit code, never with a traceback."""
    try:
        app()
    except UnreachableError as error:
        _fail(error, UNREACHABLE)
    except TrackerError as error:
        _fail(error, USAGE)


def _fail(error: TrackerError, code: int) -> NoReturn:
    _errors.print(f"error: {error}", markup=False, highlight=False, soft_wrap=True)
    if isinstance(error, IntakeError):
        for row in error.rows:
            _errors.print(f"  {row.source}:{row.line}: {row.message}", markup=False, highlight=False, soft_wrap=True)
    sys.exit(code)


def _load(path: Path) -> BusinessCase:
    if path.suffix.lower() == ".xlsx":
        from roi_tracker.adapters.xlsx_case import read_xlsx_case  # noqa: PLC0415 - only where a case is a workbook

        return read_xlsx_case(_read(path))
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(
            f"the case cannot be read: {error}", field="case", value=path, hint="give a YAML or TOML text file"
        ) from error
    return parse_case(text, "toml" if path.suffix == ".toml" else "yaml")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise CaseError(
            f"the case cannot be read: {error}", field="case", value=path, hint="give a YAML, TOML or XLSX file"
        ) from error


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


def _write(out: Path, content: bytes) -> None:
    try:
        out.write_bytes(content)
    except OSError as error:
        raise CaseError(
            f"cannot be written: {error}", field="--out", value=out, hint="choose another folder"
        ) from error
    _say(f"{out}: {len(content):,} bytes")


@contextmanager
def _store(path: Path, *, create: bool = False) -> Iterator[SqliteStore]:
    """Open the store; only an import makes one, so that a typing error is no empty report."""
    if create:
        path.parent.mkdir(parents=True, exist_ok=True)
    elif not path.exists():
        raise StoreError("no such store", field="--store", value=path, hint="import facts first: roi-tracker import")
    store = SqliteStore(path)
    try:
        yield store
    finally:
        store.close()


def _json(document: Any) -> None:  # noqa: ANN401 - whatever msgspec can write
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(document), indent=2).decode() + "\n")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


@app.command()
def appraise(  # noqa: PLR0913, PLR0917 - each is an option of the command
    case: _CaseArgument,
    draws: Annotated[int, typer.Option(min=100, max=1_000_000, help="Monte Carlo draws")] = 100_000,
    seed: Annotated[int, typer.Option(min=0, help="of the simulation; same seed, same figures")] = 20250101,
    lang: Annotated[PageLanguage, typer.Option("--lang", help="of the file")] = PageLanguage.ko,
    as_of: _DateOption = None,
    format: _FormatOption = None,  # noqa: A002 - the option's published name
    out: _OutOption = None,
    *,
    json: _JsonOption = False,
) -> None:
    """The whole appraisal: NPV, every IRR, paybacks, sensitivity, break-even, Monte Carlo, alternatives, decision.

    Example: roi-tracker appraise roi_tracker/examples/abc_manufacturing.yaml --lang en --out appraisal.pdf
    """
    from roi_tracker.documents import appraisal_document, encode_document  # noqa: PLC0415 - scipy only where it is used

    output = _chosen(format, out)
    plan = _load(case)
    document = appraisal_document(plan, draws, seed)
    if output is not None and out is not None:
        from roi_tracker.render.appraisal_outputs import render_appraisal  # noqa: PLC0415 - only for files

        _write(out, render_appraisal(plan, document, output.value, lang.value, (as_of or datetime.now(UTC)).date()))
        return
    if json:
        sys.stdout.write(encode_document(document).decode() + "\n")
        return
    from roi_tracker.render.terminal import print_appraisal  # noqa: PLC0415 - tables only where they are shown

    print_appraisal(plan, document, Console())


@app.command()
def audit(  # noqa: PLR0913 - each is an option of the command
    case: _CaseArgument,
    lang: Annotated[PageLanguage, typer.Option(help="language of the explanations")] = PageLanguage.ko,
    as_of: _DateOption = None,
    format: _FormatOption = None,  # noqa: A002 - the option's published name
    out: _OutOption = None,
    *,
    check: Annotated[bool, typer.Option("--check", help="exit 1 when a stated figure does not follow")] = False,
    json: _JsonOption = False,
) -> None:
    """Recompute every figure that a plan states: what is wrong, why most likely, and what it does to the NPV.

    Example: roi-tracker audit roi_tracker/examples/abc_manufacturing.yaml --json
    """
    from roi_tracker.audit import audit as audit_case  # noqa: PLC0415 - scipy only where it is used

    output = _chosen(format, out)
    plan = _load(case)
    found = audit_case(plan)
    if output is not None and out is not None:
        from roi_tracker.audit import corrected_case  # noqa: PLC0415 - only for files
        from roi_tracker.audit.document import audit_document  # noqa: PLC0415 - only for files
        from roi_tracker.render.appraisal_outputs import render_audit  # noqa: PLC0415 - only for files

        when: tuple[Language, date] = (lang.value, (as_of or datetime.now(UTC)).date())
        _write(out, render_audit(plan, corrected_case(plan), audit_document(plan, found), output.value, when))
    elif json:
        from roi_tracker.audit.document import audit_document  # noqa: PLC0415 - the appraisal only where it is printed
        from roi_tracker.documents import encode_document  # noqa: PLC0415 - as above

        sys.stdout.write(encode_document(audit_document(plan, found)).decode() + "\n")
    else:
        from roi_tracker.audit.tables import print_audit  # noqa: PLC0415 - tables only where they are shown

        print_audit(found, Console(), lang.value)
    if check and found.of_kind("recomputable_error"):
        raise typer.Exit(NO)


@app.command()
def template(
    out: Annotated[Path, typer.Argument(help="workbook to write")],
    case: Annotated[
        Path | None, typer.Option("--case", help="fill it with this case; else with a small example")
    ] = None,
) -> None:
    """A case as a workbook to fill in; `appraise` and `audit` read it back like a YAML file.

    Example: roi-tracker template case.xlsx
    """
    from roi_tracker.adapters.xlsx_case import write_xlsx_case  # noqa: PLC0415 - only where a case is a workbook

    example = resources.files("roi_tracker").joinpath("examples", "small_workshop.yaml")
    plan = parse_case(example.read_text(encoding="utf-8"), "yaml") if case is None else _load(case)
    _write(out, write_xlsx_case(plan))


@app.command("import")
def import_events(
    files: Annotated[list[Path] | None, typer.Argument(help="exports: JSON lines, also .gz or .zst")] = None,
    feed: Annotated[str | None, typer.Option(help="address of an agent, e.g. http://127.0.0.1:8080")] = None,
    token: Annotated[str | None, typer.Option(envvar="ROI_TRACKER_TOKEN", help="machine token of the feed")] = None,
    store: _StoreOption = _DEFAULT_STORE,
    *,
    json: _JsonOption = False,
) -> None:
    """Import an agent's events: from export files, or from its feed since the last import. All or nothing a file.

    Example: roi-tracker import events.jsonl.zst --store roi.sqlite
    """
    if not files and feed is None:
        raise IntakeError("nothing to import", hint="name export files, or --feed URL")
    done: list[Imported] = []
    with _store(store, create=True) as opened, _errors.status("importing") if sys.stderr.isatty() else _quiet():
        done.extend(import_lines(read_export(path), path.name, opened) for path in files or ())
        if feed is not None:
            done.append(follow_feed(HttpFeed(feed, token), opened))
    total = Imported(sum(d.added for d in done), sum(d.duplicates for d in done), sum(d.ignored for d in done))
    if json:
        _json(total)
    else:
        _say(f"{total.added} facts added, {total.duplicates} already there, {total.ignored} events of no use here")


@contextmanager
def _quiet() -> Iterator[None]:
    yield


@baseline_app.command("fit")
def baseline_fit(case: _CaseOption, store: _StoreOption = _DEFAULT_STORE, *, json: _JsonOption = False) -> None:
    """Fit baselines and say whether their data suffices; nothing is kept. Exit 1 when one is disqualified.

    Example: roi-tracker baseline fit --case case.yaml --store roi.sqlite
    """
    with _store(store) as opened:
        fitted = Programme(_load(case), opened).fit()
    failed = 0
    for one in fitted:
        bad = [check.rule for check in one.checks if check.disqualifies and not check.passed]
        failed += bool(bad)
        if not json:
            state = f"{one.days} days, hash {one.sha256[:16]}" if isinstance(one, FittedBaseline) else "not fitted"
            _say(f"{one.benefit_id}: {state}; " + (f"disqualified by {', '.join(bad)}" if bad else "data suffices"))
    if json:
        _json(fitted)
    if failed:
        raise typer.Exit(NO)


@baseline_app.command("freeze")
def baseline_freeze(case: _CaseOption, store: _StoreOption = _DEFAULT_STORE, *, json: _JsonOption = False) -> None:
    """Freeze the baselines under their hash, before go-live. Freezing the same again changes nothing.

    Example: roi-tracker baseline freeze --case case.yaml --store roi.sqlite
    """
    with _store(store) as opened:
        programme = Programme(_load(case), opened)
        new = programme.freeze(datetime.now(UTC))
        known = len(programme.baselines())
    if json:
        _json(new)
    else:
        for one in new:
            _say(f"{one.fitted.benefit_id}: frozen, hash {one.sha256}")
        _say(f"{len(new)} newly frozen, {known} in all")
    if not known:
        raise typer.Exit(NO)


@baseline_app.command("show")
def baseline_show(case: _CaseOption, store: _StoreOption = _DEFAULT_STORE, *, json: _JsonOption = False) -> None:
    """Show the frozen baselines.

    Example: roi-tracker baseline show --case case.yaml --store roi.sqlite --json
    """
    with _store(store) as opened:
        known = Programme(_load(case), opened).baselines()
    if json:
        _json(known)
    else:
        for one in known:
            spec = one.fitted.specification
            _say(f"{one.fitted.benefit_id}: {spec.first} to {spec.last}, frozen {one.frozen_at:%Y-%m-%d}, {one.sha256}")
    if not known:
        raise typer.Exit(NO)


@app.command()
def measure(case: _CaseOption, store: _StoreOption = _DEFAULT_STORE, *, json: _JsonOption = False) -> None:
    """Per benefit line: avoided quantity with its 90 % interval, or why not. Exit 1 when nothing is proven.

    Example: roi-tracker measure --case case.yaml --store roi.sqlite
    """
    with _store(store) as opened:
        proofs = Programme(_load(case), opened).measure()
    if json:
        _json(proofs)
    else:
        for proof in proofs:
            _say(_proof_line(proof))
    if not any(isinstance(proof, Realized) for proof in proofs):
        raise typer.Exit(NO)


def _proof_line(proof: Realized | NotProven) -> str:
    if isinstance(proof, NotProven):
        why = ", ".join(check.rule for check in proof.failed) or proof.reason
        return f"{proof.benefit_id}: not proven ({why})"
    found = proof.estimate
    return (
        f"{proof.benefit_id}: avoided {found.avoided:,.1f}, 90 % interval {found.low:,.1f} to {found.high:,.1f},"
        f" grade {proof.basis.grade}, {proof.basis.first} to {proof.basis.last},"
        f" baseline {proof.basis.baseline_sha256[:16]}"
    )


@app.command()
def report(
    case: _CaseOption,
    store: _StoreOption = _DEFAULT_STORE,
    format: Annotated[Format, typer.Option("--format")] = Format.html,  # noqa: A002 - the option's published name
    lang: Annotated[PageLanguage, typer.Option("--lang")] = PageLanguage.ko,
    out: Annotated[Path | None, typer.Option("--out", help="file to write; standard output when left out")] = None,
) -> None:
    """The management report: realized against projected.

    Example: roi-tracker report --case case.yaml --store roi.sqlite --format html --lang en --out report.html
    """
    from roi_tracker.render.json_document import render_json  # noqa: PLC0415 - page machinery only where it is used
    from roi_tracker.render.web import render_page  # noqa: PLC0415

    with _store(store) as opened:
        made = Programme(_load(case), opened).report(datetime.now(UTC))
    language: Language = "ko" if lang is PageLanguage.ko else "en"
    text = render_json(made) if format is Format.json else render_page(made, language)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")


@app.command()
def serve(
    case: _CaseOption,
    store: _StoreOption = _DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one")] = 8090,
    host: Annotated[str, typer.Option(help="address to listen on; the page has no accounts yet")] = "127.0.0.1",
) -> None:
    """Serve the report portal.

    Example: roi-tracker serve --case case.yaml --store roi.sqlite --port 8090
    """
    import uvicorn  # noqa: PLC0415 - only this command serves

    from roi_tracker.portal import portal  # noqa: PLC0415

    plan = _load(case)
    with _store(store):
        pass

    def make() -> Any:  # noqa: ANN401 - a Report, imported lazily with the portal
        with _store(store) as opened:
            return Programme(plan, opened).report(datetime.now(UTC))

    hosts = ("127.0.0.1", "localhost") if host == "127.0.0.1" else (host, "127.0.0.1", "localhost")
    uvicorn.run(portal(make, hosts), host=host, port=port, log_level="warning")


if __name__ == "__main__":
    main()

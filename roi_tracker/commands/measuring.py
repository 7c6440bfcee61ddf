"""Commands on realized benefits: measure, report, serve."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path  # noqa: TC003 - Typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, PageLanguage, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store

if TYPE_CHECKING:
    from roi_tracker.money import Language
    from roi_tracker.proof.proving import NotProven, Realized
    from roi_tracker.report.model import Report


class Format(StrEnum):
    """Formats of a report."""

    html = "html"
    json = "json"


def measure(case: CaseOption, store: StoreOption = DEFAULT_STORE, *, json: JsonOption = False) -> None:
    """Per benefit line: avoided quantity with its 90 % interval, or why not. Exit 1 when nothing is proven.

    Example: roi-tracker measure --case case.yaml --store roi.sqlite
    """
    from roi_tracker.programme import Programme
    from roi_tracker.proof.proving import Realized

    with open_store(store) as opened:
        proofs = Programme(load_case(case), opened).measure()
    if json:
        print_json(proofs)
    else:
        for proof in proofs:
            say(_proof_line(proof))
    if not any(isinstance(proof, Realized) for proof in proofs):
        raise typer.Exit(NO)


def _proof_line(proof: Realized | NotProven) -> str:
    from roi_tracker.proof.proving import NotProven

    if isinstance(proof, NotProven):
        why = ", ".join(check.rule for check in proof.failed) or proof.reason
        return f"{proof.benefit_id}: not proven ({why})"
    found = proof.estimate
    return (
        f"{proof.benefit_id}: avoided {found.avoided:,.1f}, 90 % interval {found.low:,.1f} to {found.high:,.1f},"
        f" grade {proof.basis.grade}, {proof.basis.first} to {proof.basis.last},"
        f" baseline {proof.basis.baseline_sha256[:16]}"
    )


def report(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    format: Annotated[Format, typer.Option("--format")] = Format.html,  # noqa: A002 - the option's published name
    lang: Annotated[PageLanguage, typer.Option("--lang")] = PageLanguage.ko,
    out: Annotated[Path | None, typer.Option("--out", help="file to write; standard output when left out")] = None,
) -> None:
    """The management report: realized against projected.

    Example: roi-tracker report --case case.yaml --store roi.sqlite --format html --lang en --out report.html
    """
    from roi_tracker.render.json_document import render_json
    from roi_tracker.render.web import render_page
    from roi_tracker.reporting import Reporting

    with open_store(store) as opened, open_ledger(store) as ledger:
        made = Reporting(load_case(case), opened, ledger).report(datetime.now(UTC).date())
    language: Language = "ko" if lang is PageLanguage.ko else "en"
    text = render_json(made) if format is Format.json else render_page(made, language)
    if out is None:
        sys.stdout.write(text)
    else:
        out.write_text(text, encoding="utf-8")


def serve(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 picks a free one")] = 8090,
    host: Annotated[str, typer.Option(help="address to listen on; the page has no accounts yet")] = "127.0.0.1",
) -> None:
    """Serve the report portal.

    Example: roi-tracker serve --case case.yaml --store roi.sqlite --port 8090
    """
    import uvicorn

    from roi_tracker.portal import portal
    from roi_tracker.reporting import Reporting

    plan = load_case(case)
    with open_store(store):
        pass

    def make() -> Report:
        with open_store(store) as opened, open_ledger(store) as ledger:
            return Reporting(plan, opened, ledger).report(datetime.now(UTC).date())

    hosts = ("127.0.0.1", "localhost") if host == "127.0.0.1" else (host, "127.0.0.1", "localhost")
    uvicorn.run(portal(make, hosts), host=host, port=port, log_level="warning")

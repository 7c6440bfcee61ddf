"""The demo's report: a simulated year goes through the tracker's own commands, and its headline comes back."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from edge_agent.virtual_plant.history import simulated_year

if TYPE_CHECKING:
    from edge_agent.demo.children import Children

STEP_S = 180.0
# Fixed, so that every demo shows the same year; the year was not chosen by what the tracker makes of it.
YEAR_SEED = 2025


class ReportHeadline(msgspec.Struct, frozen=True):
    """What the tracker's report says first.

    Attributes:
        origin: `simulated`, as every fact of the year is.
        currency: of the amounts.
        proven: benefit lines with a realized figure.
        not_proven: benefit lines without one, and the tracker's reason.
        realized_benefit: to date, at the lower bound of what is proven.
        projected_benefit: planned for the same days.
        achievement: realized over projected.
    """

    origin: str
    currency: str
    proven: tuple[str, ...]
    not_proven: dict[str, str]
    realized_benefit: str
    projected_benefit: str
    achievement: float | None


class TrackerFiles(msgspec.Struct, frozen=True):
    """What the tracker works on: business case, its store, and the folder for export and reports."""

    case: Path
    store: Path
    folder: Path


def measure_year(children: Children, files: TrackerFiles) -> ReportHeadline:
    """Simulate a year, import it, freeze the baseline, and write `report.json` and `report.html`.

    Raises:
        ChildDiedError: a command of the tracker failed.
    """
    export = files.folder / "simulated-year.jsonl"
    simulated_year(YEAR_SEED, export)
    report = ("report", "--lang", "ko", "--case", files.case)
    steps: dict[str, tuple[object, ...]] = {
        "import": ("import", export),
        "freeze": ("baseline", "freeze", "--case", files.case),
        "report-json": (*report, "--format", "json", "--out", files.folder / "report.json"),
        "report-html": (*report, "--format", "html", "--out", files.folder / "report.html"),
    }
    for name, step in steps.items():
        command = [sys.executable, "-m", "roi_tracker", *map(str, step), "--store", str(files.store)]
        children.finish(children.start(f"tracker-{name}", command), STEP_S)
    return read_headline((files.folder / "report.json").read_bytes())


class _Proof(msgspec.Struct, frozen=True):
    type: str
    reason: str = ""


class _Result(msgspec.Struct, frozen=True):
    benefit_id: str
    proof: _Proof


class _Line(msgspec.Struct, frozen=True):
    result: _Result


class _Side(msgspec.Struct, frozen=True):
    benefit: str


class _Realization(msgspec.Struct, frozen=True):
    achievement: float | None
    realized: _Side
    projected: _Side


class _Report(msgspec.Struct, frozen=True):
    """The part of the tracker's JSON report that the demo repeats; other fields are ignored."""

    origin: str
    currency: str
    lines: list[_Line]
    realization: _Realization


def read_headline(report: bytes) -> ReportHeadline:
    """The headline of a report as `roi-tracker report --format json` writes it.

    Raises:
        msgspec.ValidationError: it has another shape, naming the field.
    """
    read = msgspec.json.decode(report, type=_Report)
    results = [line.result for line in read.lines]
    return ReportHeadline(
        origin=read.origin,
        currency=read.currency,
        proven=tuple(result.benefit_id for result in results if result.proof.type == "realized"),
        not_proven={result.benefit_id: result.proof.reason for result in results if result.proof.type != "realized"},
        realized_benefit=read.realization.realized.benefit,
        projected_benefit=read.realization.projected.benefit,
        achievement=read.realization.achievement,
    )

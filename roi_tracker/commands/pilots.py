"""Commands on the pilot: what it can show, and whether it may start, go on or must stop."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, LangOption, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_store

if TYPE_CHECKING:
    from pathlib import Path

    from roi_tracker.baseline.pilot import PilotReport
    from roi_tracker.business_case import BusinessCase

pilot_app = typer.Typer(no_args_is_help=True, help="The pilot of four to eight weeks: plan it, check it.")
AsOfOption = Annotated[
    datetime | None, typer.Option("--as-of", formats=["%Y-%m-%d"], help="day of the check; today when left out")
]
AuditsOption = Annotated[
    float | None,
    typer.Option(
        "--audits-per-week", min=1, help="planned, of each product and stratum; as in the baseline if left out"
    ),
]


@pilot_app.command("plan")
def pilot_plan(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    audits_per_week: AuditsOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """What the case's pilot can show, line by line, with the audits it needs and its start criteria as they stand.

    Exit 1 when the projected effect of a benefit line cannot be shown by the pilot's last day.

    Example: roi-tracker pilot plan --case case.yaml --store roi.sqlite --lang en
    """
    from roi_tracker.render.pilot_text import pilot_lines, power_lines

    plan = load_case(case)
    report = _report(plan, store, as_of, audits_per_week)
    found = [line.detectability for line in report.lines if line.detectability is not None]
    if json:
        print_json(report)
    else:
        language = language_of(lang, plan)
        for text in (*power_lines(found, language), *pilot_lines(report, language)):
            say(text)
    if len(found) < len(report.lines) or not all(
        line.detectability is not None and line.detectability.pilot.shows(line.reads) for line in report.lines
    ):
        raise typer.Exit(NO)


@pilot_app.command("check")
def pilot_check(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    audits_per_week: AuditsOption = None,
    as_of: AsOfOption = None,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Start, do not start yet, continue or stop, with every criterion and its evidence.

    Exit 1 for "do not start yet" and "stop".

    Example: roi-tracker pilot check --case case.yaml --store roi.sqlite --lang en
    """
    from roi_tracker.render.pilot_text import pilot_lines

    plan = load_case(case)
    report = _report(plan, store, as_of, audits_per_week)
    if json:
        print_json(report)
    else:
        for text in pilot_lines(report, language_of(lang, plan)):
            say(text)
    if report.answer in {"do_not_start_yet", "stop"}:
        raise typer.Exit(NO)


def _report(plan: BusinessCase, store: Path, as_of: datetime | None, audits_per_week: float | None) -> PilotReport:
    from roi_tracker.observations.shifts import ShiftCalendar
    from roi_tracker.piloting import Piloting
    from roi_tracker.programme import Programme

    with open_store(store) as opened:
        programme = Programme(plan, opened)
        piloting = Piloting(plan, programme.observations(), programme.baselines())
        day = as_of.date() if as_of is not None else ShiftCalendar(plan.plant).local_day(datetime.now(UTC))
        return piloting.report(day, audits_per_week)

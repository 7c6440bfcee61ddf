"""Commands on the counterfactual's baseline: fit, freeze, show, power, adjust."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.adjusting import adjust
from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, LangOption, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.baseline.frozen import FittedBaseline
    from roi_tracker.money import Language

baseline_app = typer.Typer(
    no_args_is_help=True, help="The counterfactual's baseline: fit, freeze, show, power, adjust."
)
baseline_app.command("adjust")(adjust)


@baseline_app.command("fit")
def baseline_fit(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Fit baselines and say whether their data suffices, what was dropped and how to mend what fails; nothing is kept.

    Exit 1 when one is disqualified.

    Example: roi-tracker baseline fit --case case.yaml --store roi.sqlite --lang ko
    """
    from roi_tracker.programme import Programme
    from roi_tracker.render.pilot_text import fit_lines

    plan = load_case(case)
    with open_store(store) as opened:
        fitted = Programme(plan, opened).fit()
    if json:
        print_json(fitted)
    else:
        for line in fit_lines(fitted, language_of(lang, plan)):
            say(line)
    if any(check.disqualifies and not check.passed for one in fitted for check in one.checks):
        raise typer.Exit(NO)


@baseline_app.command("freeze")
def baseline_freeze(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    replace: Annotated[
        str, typer.Option("--replace", help="why another baseline takes its place after go-live; shown with it")
    ] = "",
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="say what would be frozen; keep nothing")] = False,
    lang: LangOption = None,
    json: JsonOption = False,
) -> None:
    """Freeze the baselines under their hash, before go-live. Freezing the same again changes nothing.

    Example: roi-tracker baseline freeze --case case.yaml --store roi.sqlite
    """
    from roi_tracker.commands.clock import writing_time
    from roi_tracker.programme import Programme
    from roi_tracker.render.store_text import frozen_sentence, store_catalogue

    plan = load_case(case)
    language = language_of(lang, plan)
    with open_store(store) as opened:
        programme = Programme(plan, opened)
        if dry_run:
            _say_dry(programme.unfrozen(), language, json=json)
            return
        with open_ledger(store) as ledger:
            now = writing_time(opened, ledger)
        new = programme.freeze(now, replace)
        known = len(programme.baselines())
    if json:
        print_json(new)
    else:
        for one in new:
            say(frozen_sentence("new", one.fitted, one.sha256, language))
        say(store_catalogue(language)("frozen.count", new=len(new), known=known))
    if not known:
        raise typer.Exit(NO)


def _say_dry(wanted: Sequence[FittedBaseline], language: Language, *, json: bool) -> None:
    from roi_tracker.render.store_text import frozen_sentence, store_catalogue

    if json:
        print_json([{"benefit_id": one.benefit_id, "sha256": one.sha256, "fitted": one} for one in wanted])
        return
    for one in wanted:
        say(frozen_sentence("would", one, one.sha256, language))
    say(store_catalogue(language)("frozen.would_count", new=len(wanted)))


@baseline_app.command("show")
def baseline_show(
    case: CaseOption, store: StoreOption = DEFAULT_STORE, lang: LangOption = None, *, json: JsonOption = False
) -> None:
    """Show the frozen baselines, oldest first: the newest of a benefit line holds.

    Example: roi-tracker baseline show --case case.yaml --store roi.sqlite --json
    """
    from roi_tracker.programme import Programme
    from roi_tracker.render.store_text import frozen_line

    plan = load_case(case)
    with open_store(store) as opened:
        known = Programme(plan, opened).baselines()
    if json:
        print_json(known)
    else:
        for one in known:
            say(frozen_line(one, language_of(lang, plan)))
    if not known:
        raise typer.Exit(NO)


@baseline_app.command("power")
def baseline_power(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    weeks: Annotated[
        int | None, typer.Option(min=2, max=156, help="weeks of reporting; the case's pilot, or 8, when left out")
    ] = None,
    audits_per_week: Annotated[
        float | None,
        typer.Option("--audits-per-week", min=1, help="of each product and stratum; as in the baseline when left out"),
    ] = None,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """Before go-live: the smallest effect that so many weeks can show, the weeks needed, the audits needed.

    Exit 1 when the projected effect of a benefit line cannot be shown in that time.

    Example: roi-tracker baseline power --case case.yaml --store roi.sqlite --weeks 8
    """
    from roi_tracker.baseline.detectability import Detectability
    from roi_tracker.piloting import Piloting, prospect_of
    from roi_tracker.programme import Programme
    from roi_tracker.render.pilot_text import power_lines

    plan = load_case(case)
    with open_store(store) as opened:
        programme = Programme(plan, opened)
        piloting = Piloting(plan, programme.observations(), programme.baselines())
        found = piloting.prospects(prospect_of(plan, weeks, audits_per_week))
    if json:
        print_json(found)
    else:
        for line in power_lines(found, language_of(lang, plan)):
            say(line)
    if not all(isinstance(one, Detectability) and one.pilot.shows("closing") for one in found):
        raise typer.Exit(NO)

"""Commands on the counterfactual's baseline: fit, freeze, show."""

from __future__ import annotations

from datetime import UTC, datetime

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_store

baseline_app = typer.Typer(no_args_is_help=True, help="The counterfactual's baseline: fit, freeze, show.")


@baseline_app.command("fit")
def baseline_fit(case: CaseOption, store: StoreOption = DEFAULT_STORE, *, json: JsonOption = False) -> None:
    """Fit baselines and say whether their data suffices; nothing is kept. Exit 1 when one is disqualified.

    Example: roi-tracker baseline fit --case case.yaml --store roi.sqlite
    """
    from roi_tracker.baseline.frozen import FittedBaseline
    from roi_tracker.programme import Programme

    with open_store(store) as opened:
        fitted = Programme(load_case(case), opened).fit()
    failed = 0
    for one in fitted:
        bad = [check.rule for check in one.checks if check.disqualifies and not check.passed]
        failed += bool(bad)
        if not json:
            state = f"{one.days} days, hash {one.sha256[:16]}" if isinstance(one, FittedBaseline) else "not fitted"
            say(f"{one.benefit_id}: {state}; " + (f"disqualified by {', '.join(bad)}" if bad else "data suffices"))
    if json:
        print_json(fitted)
    if failed:
        raise typer.Exit(NO)


@baseline_app.command("freeze")
def baseline_freeze(case: CaseOption, store: StoreOption = DEFAULT_STORE, *, json: JsonOption = False) -> None:
    """Freeze the baselines under their hash, before go-live. Freezing the same again changes nothing.

    Example: roi-tracker baseline freeze --case case.yaml --store roi.sqlite
    """
    from roi_tracker.programme import Programme

    with open_store(store) as opened:
        programme = Programme(load_case(case), opened)
        new = programme.freeze(datetime.now(UTC))
        known = len(programme.baselines())
    if json:
        print_json(new)
    else:
        for one in new:
            say(f"{one.fitted.benefit_id}: frozen, hash {one.sha256}")
        say(f"{len(new)} newly frozen, {known} in all")
    if not known:
        raise typer.Exit(NO)


@baseline_app.command("show")
def baseline_show(case: CaseOption, store: StoreOption = DEFAULT_STORE, *, json: JsonOption = False) -> None:
    """Show the frozen baselines.

    Example: roi-tracker baseline show --case case.yaml --store roi.sqlite --json
    """
    from roi_tracker.programme import Programme

    with open_store(store) as opened:
        known = Programme(load_case(case), opened).baselines()
    if json:
        print_json(known)
    else:
        for one in known:
            spec = one.fitted.specification
            say(f"{one.fitted.benefit_id}: {spec.first} to {spec.last}, frozen {one.frozen_at:%Y-%m-%d}, {one.sha256}")
    if not known:
        raise typer.Exit(NO)

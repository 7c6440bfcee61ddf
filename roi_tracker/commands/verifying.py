"""The command that holds a whole store against itself: facts, derived days, baselines, ledger."""

from __future__ import annotations

from pathlib import Path  # noqa: TC003 - Typer reads the annotations when it runs
from typing import TYPE_CHECKING, Annotated

import typer

from roi_tracker.commands.case_file import load_case
from roi_tracker.commands.console import NO, JsonOption, LangOption, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store

if TYPE_CHECKING:
    from roi_tracker.adapters.sqlite_store import SqliteStore
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.observations.seals import StoreFault


def verify(
    store: StoreOption = DEFAULT_STORE,
    case: Annotated[
        Path | None, typer.Option("--case", help="derive first where no days are kept of this case's plant")
    ] = None,
    head: Annotated[
        list[str] | None,
        typer.Option(help="a facts or ledger head that a report or an import printed, 12 letters or more; repeatable"),
    ] = None,
    lang: LangOption = None,
    *,
    forget: Annotated[
        bool, typer.Option("--forget-derived", help="throw away derived days; they are derived again from the facts")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Check the whole store: every imported fact, frozen baseline, derived day and ledger entry. Exit 1 if one differs.

    Every derived day that is kept is derived anew from the facts and compared.

    Example: roi-tracker verify --store roi.sqlite --head 3f9a1c07d2be
    """
    from roi_tracker.ledger.chain import readable_head
    from roi_tracker.ledger.chain import verify as verify_chain

    plan = None if case is None else load_case(case)
    printed = [readable_head(one) for one in head or ()]
    with open_store(store) as opened, open_ledger(store) as ledger:
        if forget:
            opened.forget_observations()
        known = {entry.sha256 for entry in ledger.entries()}
        of_ledger = [one for one in printed if any(sha256.startswith(one) for sha256 in known)]
        faults = list(opened.verify([one for one in printed if one not in of_ledger]))
        if not faults:
            faults += _derived_otherwise(plan, opened)
        entries, newest = ledger.entries(), ledger.head()
        facts, facts_head = opened.fact_count(), opened.head()
    ledger_faults = verify_chain(entries, newest)
    if json:
        print_json(
            {
                "facts": facts,
                "facts_head": facts_head,
                "faults": faults,
                "ledger_entries": len(entries),
                "ledger_head": newest,
                "ledger_faults": ledger_faults,
            }
        )
    else:
        from roi_tracker.render.store_text import verified_lines

        for line in verified_lines(faults, ledger_faults, language_of(lang, plan)):
            say(line)
        say(f"facts {facts:,}: {facts_head.sha256}")
        say(f"ledger {len(entries):,}: {newest.sha256}")
    if faults or ledger_faults:
        raise typer.Exit(NO)


def _derived_otherwise(case: BusinessCase | None, store: SqliteStore) -> list[StoreFault]:
    """Days that the facts do not give as they are kept."""
    from roi_tracker.observations.seals import StoreFault
    from roi_tracker.observing import altered_days, derivation_name
    from roi_tracker.programme import Programme

    if case is not None and store.derived(derivation_name(case.plant)) is None:
        Programme(case, store).observations()
    name = store.derivation()
    return [] if name is None else [StoreFault("day_altered", day=day) for day in altered_days(store, name)]

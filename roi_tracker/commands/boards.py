"""The command of the weekly KPI board."""

from __future__ import annotations

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, LangOption, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store


def board(
    case: CaseOption,
    store: StoreOption = DEFAULT_STORE,
    lang: LangOption = None,
    *,
    json: JsonOption = False,
) -> None:
    """The weekly KPI board: target, actual, action, owner; the newest review page; survey scores apart.

    Exit 1 when an indicator misses its target or is not measured.

    Example: roi-tracker board --case case.yaml --store roi.sqlite --lang en
    """
    from roi_tracker.programme import Programme
    from roi_tracker.render.board_text import board_lines

    plan = load_case(case)
    with open_store(store) as opened, open_ledger(store) as ledger:
        found = Programme(plan, opened, ledger).board()
    if json:
        print_json(found)
    else:
        for line in board_lines(found, language_of(lang, plan)):
            say(line)
    if not found.entries or any(entry.state != "on_target" for entry in found.entries):
        raise typer.Exit(NO)

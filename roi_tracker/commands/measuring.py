"""The command on realized benefits line by line: measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, LangOption, language_of, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_ledger, open_store

if TYPE_CHECKING:
    from roi_tracker.baseline.adjustments import AdjustedCounterfactual
    from roi_tracker.proof.proving import Proof


def measure(
    case: CaseOption, store: StoreOption = DEFAULT_STORE, lang: LangOption = None, *, json: JsonOption = False
) -> None:
    """Per benefit line: avoided quantity with its 90 % interval, or why not; and what signed adjustments change.

    Exit 1 when nothing is proven.

    Example: roi-tracker measure --case case.yaml --store roi.sqlite
    """
    from roi_tracker.money import unit_label
    from roi_tracker.programme import Programme
    from roi_tracker.proof.proving import Realized
    from roi_tracker.render.measure_text import measure_lines

    plan = load_case(case)
    with open_store(store) as opened, open_ledger(store) as ledger:
        programme = Programme(plan, opened, ledger)
        proofs = programme.measure()
        adjusted = {one.benefit_id: one for one in programme.adjusted()}
    if json:
        print_json([_document(proof, adjusted.get(proof.benefit_id)) for proof in proofs])
    else:
        units = {line.id: line.stated_unit_value for line in plan.benefits}
        language = language_of(lang, plan)
        for proof in proofs:
            value = units[proof.benefit_id]
            per = "" if value is None else value.per
            unit = unit_label(plan.currency, "1", language) if per == "money" else per
            for text in measure_lines(proof, adjusted.get(proof.benefit_id), unit, language):
                say(text)
    if not any(isinstance(proof, Realized) for proof in proofs):
        raise typer.Exit(NO)


def _document(proof: Proof, adjusted: AdjustedCounterfactual | None) -> dict[str, object]:
    """The proof as before, and beside it what the report adds by signed adjustments."""
    found: dict[str, object] = msgspec.to_builtins(proof)
    if adjusted is None:
        return found | {"adjustment": None}
    moved = adjusted.expected_after - adjusted.expected_before
    return found | {"adjustment": msgspec.to_builtins(adjusted) | {"units": moved}}

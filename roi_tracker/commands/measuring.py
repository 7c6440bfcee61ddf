"""The command on realized benefits line by line: measure."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from roi_tracker.commands.case_file import CaseOption, load_case
from roi_tracker.commands.console import NO, JsonOption, print_json, say
from roi_tracker.commands.store_file import DEFAULT_STORE, StoreOption, open_store

if TYPE_CHECKING:
    from roi_tracker.proof.proving import NotProven, Realized


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

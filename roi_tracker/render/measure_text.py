"""What was measured on a benefit line, as lines of text for a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from roi_tracker.proof.proving import NotProven
from roi_tracker.render.report_wording import report_words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from roi_tracker.baseline.adjustments import AdjustedCounterfactual
    from roi_tracker.money import Language
    from roi_tracker.proof.proving import Proof, Realized
    from roi_tracker.render.catalogue import Catalogue

_SHOWN = 16
"""Letters of a hash at a terminal."""


def measure_lines(
    proof: Proof, adjusted: AdjustedCounterfactual | None, unit: str, language: Language
) -> Iterator[str]:
    """The line as measured or why not, then each signed adjustment with its effect.

    Args:
        proof: what was measured, on the frozen baseline as it is.
        adjusted: what signed adjustments change; None without any.
        unit: physical unit, as the case names it.
        language: of the sentences.
    """
    t = report_words(language)
    yield _not_proven(proof, t) if isinstance(proof, NotProven) else _realized(proof, _unit(unit, t), t)
    if adjusted is None:
        return
    for one in adjusted.lines:
        note = one.adjustment
        yield "  " + t(
            "measure_text.adjustment",
            units=_signed(one.units),
            unit=_unit(unit, t),
            event=note.event or note.reason,
            first=note.first,
            last=note.last,
            author=note.author,
            approver=note.approver,
        )
    moved = adjusted.expected_after - adjusted.expected_before
    found = proof.estimate
    if isinstance(proof, NotProven) or found is None:
        yield "  " + t("measure_text.not_counted", units=_signed(moved), unit=_unit(unit, t))
        return
    moved = min(moved, max(0.0, found.expected - found.avoided))
    ends = {"value": found.avoided + moved, "low": found.low + moved, "high": found.high + moved}
    yield "  " + t(
        "measure_text.reported", unit=_unit(unit, t), **{name: f"{value:,.1f}" for name, value in ends.items()}
    )


def _realized(proof: Realized, unit: str, t: Catalogue) -> str:
    found, basis = proof.estimate, proof.basis
    return t(
        "measure_text.realized",
        line=proof.benefit_id,
        unit=unit,
        value=f"{found.avoided:,.1f}",
        low=f"{found.low:,.1f}",
        high=f"{found.high:,.1f}",
        grade=basis.grade,
        first=basis.first,
        last=basis.last,
        hash=basis.baseline_sha256[:_SHOWN],
    )


def _not_proven(proof: NotProven, t: Catalogue) -> str:
    why = ", ".join(f"{t(f'rule.{check.rule}.name')} ({check.rule})" for check in proof.failed)
    return t("measure_text.not_proven", line=proof.benefit_id, why=why or t(f"reason.{_reason(proof)}"))


def _reason(proof: NotProven) -> str:
    return "no_data" if proof.reason == "rules_failed" else proof.reason


def _unit(unit: str, t: Catalogue) -> str:
    return t(f"unit.{unit}") if f"unit.{unit}" in t.keys else unit


def _signed(value: float) -> str:
    return f"{'+' if value >= 0 else chr(0x2212)}{abs(value):,.1f}"

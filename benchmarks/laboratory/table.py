"""The tables of the laboratory: text (Markdown) and JSON."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from benchmarks.laboratory.running import Found
    from benchmarks.laboratory.scoring import Score

HEADINGS = {
    "no effect": "No effect at all: how often a benefit is claimed (%, Wilson 95 %); nominal 5",
    "effect": "A quarter of the defects removed: how often the 90 % interval holds the truth (%)",
    "closing date": "Registered closing dates, our ordinary interval",
    "52 weekly looks": "A year, looked at every week: the interval holds at all 52 looks (%), and any look claims (%)",
    "power": "How often an effect is claimed (%), autocorrelation 0.5",
    "stops": "Stops moved into the plan: what happens to stop hours of all kinds",
    "inspection": "A better inspection: bias of the true defect rate and of the cost of quality",
}


def as_text(found: Sequence[Found]) -> str:
    """Markdown tables, one a part."""
    blocks: list[str] = []
    for part, heading in HEADINGS.items():
        rows = [one for one in found if one.experiment.part == part]
        if not rows:
            continue
        blocks.append(f"## {heading}\n")
        blocks.append("| scenario | violated | method | plants | claims % | covers % | refused % | bias % | width % |")
        blocks.append("|---|---|---|---|---|---|---|---|---|")
        blocks.extend(_row(one, name, score) for one in rows for name, score in one.scores.items())
        blocks.append("")
    return "\n".join(blocks) + "\n"


def _row(found: Found, name: str, score: Score) -> str:
    scenario = found.experiment.arguments[0]
    violates = getattr(scenario, "violates", "") or "-"
    width = f"{100 * score.width / score.measured:.0f}" if score.measured else "-"
    return (
        f"| {found.experiment.name} | {violates} | {name} | {score.plants} | {score.claims} | {score.coverage} |"
        f" {score.refusals} | {100 * score.bias:+.1f} | {width} |"
    )


def as_json(found: Sequence[Found]) -> str:
    """One JSON document."""
    rows = [
        {
            "part": one.experiment.part,
            "scenario": one.experiment.name,
            "violates": getattr(one.experiment.arguments[0], "violates", ""),
            "method": name,
            "plants": score.plants,
            "claims": _rate(score, "claims"),
            "coverage": _rate(score, "coverage"),
            "refused": _rate(score, "refusals"),
            "rules": dict(score.refused.most_common()),
            "bias": score.bias,
        }
        for one in found
        for name, score in one.scores.items()
    ]
    return json.dumps(rows, indent=1) + "\n"


def _rate(score: Score, name: str) -> dict[str, float | int]:
    rate = getattr(score, name)
    return {"value": rate.value, "low": rate.low, "high": rate.high, "trials": rate.trials}

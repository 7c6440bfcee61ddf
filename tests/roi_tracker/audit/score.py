"""Scores the audit on mutants: found, rightly explained, and false alarms, by kind."""

from __future__ import annotations

import sys
from dataclasses import dataclass

from roi_tracker.audit import audit
from tests.roi_tracker.audit.mutants import mutants
from tests.roi_tracker.audit.plans import clean_plan


@dataclass
class Score:
    """Counts of one kind; `alarms` are recomputable errors at figures that were not touched."""

    planted: int = 0
    found: int = 0
    explained: int = 0
    alarms: int = 0
    missed: tuple[str, ...] = ()


def score(seed: int, cases: int) -> dict[str, Score]:
    """By kind of mutant; the key `clean` counts plans without an error."""
    table = {"clean": Score()}
    for number in range(cases):
        found = audit(clean_plan(seed * 10_000 + number).case())
        table["clean"].planted += 1
        table["clean"].alarms += len(found.findings)
    for mutant in mutants(seed, cases):
        row = table.setdefault(mutant.kind, Score())
        row.planted += 1
        findings = audit(mutant.case).findings
        hits = [one for one in findings if one.id in mutant.addresses]
        row.found += {one.id for one in hits} == mutant.addresses
        wanted = mutant.families or ("unexplained",)
        right = any(one.cause.startswith(wanted) or one.cause in wanted for one in hits)
        row.explained += right
        alarms = [one for one in findings if one.id not in mutant.addresses]
        row.alarms += len(alarms)
        row.missed += tuple(f"false alarm at {one.id}: {one.cause}" for one in alarms)
        if not right:
            row.missed += (f"{min(mutant.addresses)}: {[one.cause for one in hits]}",)
    return table


def print_score(seed: int, cases: int) -> None:
    """The table, as text."""
    table = score(seed, cases)
    lines = [f"{'kind':28}{'planted':>8}{'found':>8}{'recall':>8}{'cause right':>13}{'false alarms':>14}"]
    for kind, row in table.items():
        shown = f"{row.explained / row.planted:.3f}" if kind != "clean" else "-"
        recall = f"{row.found / row.planted:.3f}" if kind != "clean" else "-"
        lines.append(f"{kind:28}{row.planted:8}{row.found:8}{recall:>8}{shown:>13}{row.alarms:14}")
    planted = sum(row.planted for kind, row in table.items() if kind != "clean")
    found = sum(row.found for row in table.values())
    lines.append(
        f"{'all mutants':28}{planted:8}{found:8}{found / planted:8.3f}{'':13}{sum(r.alarms for r in table.values()):14}"
    )
    lines += [f"  {kind}: {text}" for kind, row in table.items() for text in row.missed[:4]]
    sys.stdout.write("\n".join(lines) + "\n")

"""Spoilt plans: a clean one, one to three errors in it, and the file."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.roi_tracker.audit.independent.draft import Draft, Planted
from tests.roi_tracker.audit.independent.errors import MAKERS, THROUGHOUT, propagated
from tests.roi_tracker.audit.independent.printing import as_toml, as_yaml, document, printed
from tests.roi_tracker.audit.independent.shapes import clean_plan

if TYPE_CHECKING:
    from collections.abc import Iterator

ATTEMPTS = 600
FIRST_CONTACT_SEED = 20_260_101
HELD_OUT_SEED = 51_880_237
"""Used only after the audit was mended."""


@dataclass(frozen=True)
class Spoilt:
    """A file with what is wrong in it, nothing for a clean one; `digits` are printed ones by address."""

    seed: int
    text: str
    syntax: Literal["yaml", "toml"]
    planted: tuple[Planted, ...]
    period: str
    digits: dict[str, int]


def clean(seed: int) -> Spoilt:
    """A plan whose every printed figure is right."""
    rng = random.Random(seed)
    plan = clean_plan(rng)
    return _file(Draft(plan, printed(plan, rng), rng), (), seed)


def spoilt(first_seed: int, count: int) -> Iterator[Spoilt]:
    """So many plans with errors; the first kind of each goes round all kinds, the others are drawn."""
    kinds = [*MAKERS, *(f"{kind}_throughout" for kind in THROUGHOUT)]
    for number in range(count):
        yield _spoil(first_seed + 1000 * number, kinds[number % len(kinds)])


def _spoil(seed: int, kind: str) -> Spoilt:
    for attempt in range(ATTEMPTS):
        rng = random.Random(seed + attempt)
        plan = clean_plan(rng)
        draft = Draft(plan, printed(plan, rng), rng)
        first = _make(draft, kind)
        if first is None:
            continue
        planted = [first]
        if not kind.endswith("_throughout"):
            for other in rng.sample(sorted(MAKERS), rng.choice((0, 0, 1, 2))):
                more = MAKERS[other](draft) if other != kind else None
                planted += [more] if more is not None else []
        return _file(draft, tuple(planted), seed + attempt)
    message = f"no plan of {ATTEMPTS} takes the error {kind} from seed {seed}"
    raise LookupError(message)


def _make(draft: Draft, kind: str) -> Planted | None:
    if kind.endswith("_throughout"):
        return propagated(draft, kind.removesuffix("_throughout"))
    return MAKERS[kind](draft)


def _file(draft: Draft, planted: tuple[Planted, ...], seed: int) -> Spoilt:
    tree = document(draft.plan, list(zip(draft.lines, draft.numbers, strict=True)), draft.extra)
    syntax: Literal["yaml", "toml"] = "toml" if seed % 4 == 0 else "yaml"
    text = as_toml(tree) if syntax == "toml" else as_yaml(tree)
    digits = {
        address: len(str(abs(number)).replace(".", "").lstrip("0").split("E")[0])
        for line, numbers in zip(draft.lines, draft.numbers, strict=True)
        for address, number in zip(line.addresses, numbers, strict=True)
    }
    return Spoilt(seed, text, syntax, planted, draft.plan.timing.period, digits)

"""Errors of the sheet: a figure computed in another way, from other parts, or printed where another one belongs."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from tests.roi_tracker.audit.independent.draft import Draft, Maker, Planted
from tests.roi_tracker.audit.independent.plan import SCENARIOS, Slip, figures
from tests.roi_tracker.audit.independent.printing import Printed

if TYPE_CHECKING:
    from collections.abc import Callable

D = Decimal


def recomputed(kind: str, slip: Callable[[Draft], Slip | None], *endings: str) -> Maker:
    """A figure taken from a sheet that is computed with a slip, everything else right."""

    def make(draft: Draft) -> Planted | None:
        other = slip(draft)
        chosen = draft.free(*endings)
        if other is None or not chosen:
            return None
        wrong = figures(draft.plan, other)
        draft.rng.shuffle(chosen)
        for index in chosen:
            one = draft.lines[index]
            found = draft.put(kind, index, {at: wrong[name] for at, name in enumerate(one.addresses) if name in wrong})
            if found:
                return found
        return None

    return make


def counted_line(draft: Draft) -> str:
    return draft.rng.choice([one.id for one in draft.plan.benefits if one.kind in draft.plan.counted])


def two_lines(draft: Draft) -> bool:
    return sum(one.kind in draft.plan.counted for one in draft.plan.benefits) > 1


def ungrown(draft: Draft) -> Slip | None:
    return Slip(grown=False) if any(one.growth for one in draft.plan.opex) else None


def mid_year(draft: Draft) -> Slip | None:
    timing = draft.plan.timing
    return Slip(offset=D("0.5")) if (timing.operations, timing.period) == ("year_end", "year") else None


def inflated(draft: Draft) -> Slip | None:
    return None if draft.plan.inflation is None else Slip(prices=draft.plan.inflation)


def earlier(draft: Draft) -> Slip:
    line = draft.rng.choice(draft.plan.benefits)
    share = D(repr(draft.rng.uniform(0.64, 0.93)))
    return Slip(savings={line.id: tuple(money * share for money in line.yearly)})


def pairs(kind: str, pairs: tuple[tuple[str, str], ...]) -> Maker:
    """A figure printed where another one belongs."""

    def make(draft: Draft) -> Planted | None:
        right = figures(draft.plan)
        chosen = [(index, pair) for pair in pairs for index in draft.free(pair[0])]
        draft.rng.shuffle(chosen)
        for index, (mine, other) in chosen:
            base = draft.lines[index].base
            name = base.removesuffix(mine) + other
            if len(draft.lines[index].addresses) == 1 and name in right:
                found = draft.put(kind, index, {0: right[name]})
                if found:
                    return found
        return None

    return make


def other_scenario(draft: Draft) -> Planted | None:
    right = figures(draft.plan)
    chosen = [index for index in draft.free() if draft.lines[index].base.startswith("scenarios.")]
    draft.rng.shuffle(chosen)
    for index in chosen:
        one = draft.lines[index]
        own = one.base.split(".")[1]
        other = draft.rng.choice([name for name in SCENARIOS if name != own])
        names = [address.replace(f".{own}.", f".{other}.") for address in one.addresses]
        found = draft.put("other_scenario", index, {at: right[name] for at, name in enumerate(names) if name in right})
        if found:
            return found
    return None


def omitted_year(draft: Draft) -> Planted | None:
    right = figures(draft.plan)
    chosen = draft.free(".total")
    draft.rng.shuffle(chosen)
    for index in chosen:
        base = draft.lines[index].base.removesuffix(".total")
        rows = [right.get(f"{base}{suffix}[{label}]") for label in draft.plan.labels for suffix in ("", ".saving")]
        parts = [one for one in rows if one]
        if len(parts) > 1:
            return draft.put("omitted_year", index, {0: draft.lines[index].values[0] - draft.rng.choice(parts)})
    return None


def roi_on_capital(draft: Draft) -> Planted | None:
    right = figures(draft.plan)
    chosen = draft.free(".roi")
    if not chosen:
        return None
    index = draft.rng.choice(chosen)
    name = draft.lines[index].base.split(".")[1]
    capital = right["capex.total"] * draft.plan.scenarios[name][1]
    return draft.put("roi_on_capital_only", index, {0: right[f"scenarios.{name}.net_total"] / capital})


def share_of_benefits(draft: Draft) -> Planted | None:
    right = figures(draft.plan)
    chosen = draft.free(".share_of_npv")
    if not chosen:
        return None
    index = draft.rng.choice(chosen)
    change = right[draft.lines[index].base.replace(".share_of_npv", ".plus_10pct")]
    return draft.put("share_of_benefits", index, {0: abs(change) / right["scenarios.realistic.benefits_pv"]})


def irr_without_outlay(draft: Draft) -> Planted | None:
    right = figures(draft.plan)
    rows = [right[f"scenarios.realistic.net_flow[{label}]"] for label in draft.plan.labels]
    spent_apart = draft.plan.timing.capital in {"t0", "start_of_period", "dated", "mid_period"}
    if spent_apart or min(rows) <= 0:
        return None
    value = D(repr(draft.rng.uniform(0.3, 6)))
    line = Printed("scenarios.realistic.irr", ("scenarios.realistic.irr",), (value,), D(1), -2)
    draft.lines.append(line)
    draft.numbers.append(list(line.numbers))
    draft.touched.add(len(draft.lines) - 1)
    return Planted("irr_without_outlay", frozenset(line.addresses))


def payback_by_average(draft: Draft) -> Planted | None:
    right = figures(draft.plan)
    chosen = draft.free(".payback_years")
    draft.rng.shuffle(chosen)
    for index in chosen:
        name = draft.lines[index].base.split(".")[1]
        good, bad = draft.plan.scenarios[name]
        average = (good * right["benefits.counted.total"]) / draft.plan.years
        found = draft.put("payback_by_average", index, {0: bad * right["capex.total"] / average})
        if found:
            return found
    return None

"""Nothing is counted twice: benefit lines that overlap share one measured change and never get more than it.

The measured change of overlapping lines is the greatest of their measured amounts: the only one known to have happened
whatever the overlap is. Benefits and harms are shared apart. Two rules: `proportional` gives each line its share by
projection, whatever the order; `order_of_cause` lets the lines take what is left in their stated order. A line never
gets more than was measured on itself; what a cap leaves over is not handed to the others.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase

Rule = Literal["proportional", "order_of_cause"]
Overlap = Literal["declared", "same_measure", "stops_and_maintenance", "inspectors_and_appraisal"]


class SharedGroup(msgspec.Struct, frozen=True):
    """Benefit lines that share one measured change.

    Attributes:
        benefits: ids, in the order of cause.
        overlap: stated in the case; or found by the tool: one measure on one production line, stops that maintenance
            and downtime would both count, or inspecting that labour and the cost of quality would both count.
    """

    id: str
    benefits: tuple[str, ...]
    rule: Rule
    overlap: Overlap
    reason: str


def shared_groups(case: BusinessCase) -> tuple[SharedGroup, ...]:
    """All groups of overlapping lines, declared and found; groups with a line in common are one group.

    Where a declared group is joined with others, its rule and its order hold first.
    """
    groups = [
        SharedGroup(claim.id, claim.benefits, claim.rule, "declared", claim.reason) for claim in case.shared_claims
    ]
    lines = [line for line in case.benefits if line.measurable]
    for position, one in enumerate(lines):
        for other in lines[position + 1 :]:
            found = _overlap(one, other)
            if found is not None:
                groups.append(found)
    return tuple(_joined(groups))


def _overlap(one: BenefitLine, other: BenefitLine) -> SharedGroup | None:
    common = sorted(set(one.lines) & set(other.lines))
    if not common:
        return None
    where = ", ".join(common)
    measures = {one.measure, other.measure}
    if measures == {"maintenance", "downtime"}:
        first, second = (one, other) if one.measure == "maintenance" else (other, one)
        return SharedGroup(f"stops:{where}", (first.id, second.id), "order_of_cause", "stops_and_maintenance", where)
    if measures == {"labour", "inspection"}:
        hours, quality = (one, other) if one.measure == "labour" else (other, one)
        if not _appraisal_saved(quality):
            return None
        ids = (hours.id, quality.id)
        return SharedGroup(f"inspectors:{where}", ids, "order_of_cause", "inspectors_and_appraisal", where)
    if len(measures) == 1 and _same_ruler(one, other):
        return SharedGroup(f"{one.measure}:{where}", (one.id, other.id), "proportional", "same_measure", where)
    return None


def _appraisal_saved(line: BenefitLine) -> bool:
    """Whether a cost of quality counts cheaper inspecting: the pay of the inspectors, whose hours a roster tells of."""
    costs = line.measurement.quality_costs
    return costs is not None and costs.appraisal < costs.appraisal_before


def _same_ruler(one: BenefitLine, other: BenefitLine) -> bool:
    """Whether two lines of one measure count the same thing: other indicators, carriers or roles do not overlap."""
    mine, theirs = one.measurement, other.measurement
    if one.measure == "kpi":
        return mine.kpi is None or theirs.kpi is None or mine.kpi.id == theirs.kpi.id
    for own, foreign in ((mine.carriers, theirs.carriers), (mine.roles, theirs.roles)):
        if own and foreign and not set(own) & set(foreign):
            return False
    return True


def _joined(groups: Sequence[SharedGroup]) -> list[SharedGroup]:
    joined: list[SharedGroup] = []
    for group in groups:
        touching = [one for one in joined if set(one.benefits) & set(group.benefits)]
        if not touching:
            joined.append(group)
            continue
        first = touching[0]
        every = [benefit for one in (*touching, group) for benefit in one.benefits]
        reasons = dict.fromkeys(one.reason for one in (*touching, group))
        merged = msgspec.structs.replace(first, benefits=tuple(dict.fromkeys(every)), reason="; ".join(reasons))
        joined = [merged if one is first else one for one in joined if one is first or one not in touching]
    return joined


def share(
    group: SharedGroup, measured: Mapping[str, Decimal], projected: Mapping[str, Decimal]
) -> Mapping[str, Decimal]:
    """What each line of a group may count of its measured amount.

    Args:
        group: who shares, and by which rule.
        measured: money by line; lines that are not proven are left out.
        projected: money by line over the same days; the weights of `proportional`, equal where nothing is projected.

    >>> group = SharedGroup("g", ("a", "b"), "proportional", "declared", "one press")
    >>> dict(share(group, {"a": Decimal(100), "b": Decimal(80)}, {"a": Decimal(3), "b": Decimal(1)}))
    {'a': Decimal('75'), 'b': Decimal('25')}
    >>> dict(share(msgspec.structs.replace(group, rule="order_of_cause"), {"a": Decimal(80), "b": Decimal(100)}, {}))
    {'a': Decimal('80'), 'b': Decimal('20')}
    """
    benefits = {name: measured[name] for name in group.benefits if measured.get(name, Decimal(0)) > 0}
    harms = {name: -measured[name] for name in group.benefits if measured.get(name, Decimal(0)) < 0}
    counted = dict.fromkeys((name for name in group.benefits if name in measured), Decimal(0))
    divide = _proportional if group.rule == "proportional" else _in_order
    counted |= divide(benefits, projected)
    counted |= {name: -amount for name, amount in divide(harms, projected).items()}
    return counted


def _in_order(measured: Mapping[str, Decimal], _projected: Mapping[str, Decimal]) -> dict[str, Decimal]:
    left = max(measured.values(), default=Decimal(0))
    taken: dict[str, Decimal] = {}
    for name, amount in measured.items():
        taken[name] = min(amount, left)
        left -= taken[name]
    return taken


def _proportional(measured: Mapping[str, Decimal], projected: Mapping[str, Decimal]) -> dict[str, Decimal]:
    change = max(measured.values(), default=Decimal(0))
    weights = {name: Fraction(max(projected.get(name, Decimal(0)), Decimal(0))) for name in measured}
    total = sum(weights.values(), Fraction(0))
    if not total:
        weights, total = dict.fromkeys(measured, Fraction(1)), Fraction(len(measured) or 1)
    return {name: min(amount, _down(change, weights[name] / total)) for name, amount in measured.items()}


def _down(change: Decimal, part: Fraction) -> Decimal:
    """A share of an amount, to six decimals and never above the exact share, so that shares cannot exceed the whole."""
    exact = Fraction(change) * part
    scaled = exact * 10**6
    whole = scaled.numerator // scaled.denominator
    shown = Decimal(whole).scaleb(-6)
    return shown.normalize() if shown != shown.to_integral_value() else shown.quantize(Decimal(1))

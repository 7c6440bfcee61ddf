"""Plan and actual of each bridge factor, as far as the data can tell them apart; what it cannot is merged and said."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.proof.proving import Realized
from roi_tracker.realization.bridge import Factor, Factors, LineSides, Merged, MergeReason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase
    from roi_tracker.realization.activity import Activity, Quantity
    from roi_tracker.realization.projection import Projection
    from roi_tracker.realization.results import LineResult

_BY_TIME = frozenset({"downtime", "maintenance"})
"""Measures whose volume is planned busy time; of the others it is parts."""


class Span(msgspec.Struct, frozen=True):
    """The measured span: its first and last day and its working days."""

    first: date
    last: date
    days: tuple[date, ...]


def sides(projection: Projection, line: BenefitLine, result: LineResult, span: Span, activity: Activity) -> LineSides:
    """Both sides of a counted line's bridge.

    Args:
        projection: the plan.
        line: of the plan.
        result: realized beside projected, over `span`.
        span: days measured.
        activity: what the lines did.
    """
    merged: list[Merged] = []
    proof = result.proof
    if not isinstance(proof, Realized) or result.shared is None:
        every: tuple[Factor, ...] = ("volume", "mix", "availability", "unit_value", "timing")
        plan, actual = Factors(efficacy=Fraction(result.projected)), Factors(efficacy=Fraction(result.counted))
        merged.append(Merged(every, "efficacy", "not_proven"))
        return _made(result, plan, actual, merged)
    prices = (Fraction(line.unit_value.amount), Fraction(result.unit_value))
    if not all(prices):
        merged.append(Merged(("volume", "mix", "availability", "unit_value", "timing"), "efficacy", "no_unit_value"))
        plan = actual = Factors()
    else:
        plan, actual = (Factors(unit_value=price) for price in prices)
        plan, actual = _volume_and_mix(projection, line, span, activity, (plan, actual, _exact(proof), merged))
        plan, actual = _presence(projection.case, line, span, activity, (plan, actual, merged))
    return _made(result, plan, actual, merged)


def _exact(proof: Realized) -> Fraction:
    return Fraction(repr(proof.estimate.expected))


def _made(result: LineResult, plan: Factors, actual: Factors, merged: Sequence[Merged]) -> LineSides:
    """Efficacy is what the other factors leave of the money on either side, so that both products are exact."""
    shared = result.shared
    return LineSides(
        benefit_id=result.benefit_id,
        plan=_closed(plan, Fraction(result.projected)),
        actual=_closed(actual, Fraction(result.counted)),
        merged=tuple(merged),
        uncertainty=shared.value - shared.low if shared is not None else Decimal(0),
        projected=result.projected,
        realized=result.counted,
    )


def _closed(side: Factors, money: Fraction) -> Factors:
    others = msgspec.structs.replace(side, efficacy=Fraction(1)).value()
    return msgspec.structs.replace(side, efficacy=money / others)


_Open = tuple[Factors, Factors, Fraction, list[Merged]]


def _volume_and_mix(
    projection: Projection, line: BenefitLine, span: Span, activity: Activity, begun: _Open
) -> tuple[Factors, Factors]:
    plan, actual, expected, merged = begun
    if expected <= 0:
        merged.append(Merged(("volume", "mix"), "efficacy", "no_expected"))
        return plan, actual
    planned_volume, volume = _volumes(projection.case, line, span, activity)
    if not planned_volume or not volume:
        merged.append(Merged(("volume",), "mix", "no_volume"))
        planned_volume = volume = Fraction(1)
    base = _planned_base(projection, line, span)
    if base is None:
        merged.append(Merged(("mix",), "efficacy", "no_base_in_plan"))
        base = expected / volume * planned_volume
    return (
        msgspec.structs.replace(plan, volume=planned_volume, mix=base / planned_volume),
        msgspec.structs.replace(actual, volume=volume, mix=expected / volume),
    )


def _volumes(case: BusinessCase, line: BenefitLine, span: Span, activity: Activity) -> tuple[Fraction, Fraction]:
    """Planned volume (the baseline's, day by day) and actual volume; 0 where not measured."""
    quantity: Quantity = "planned_busy_s" if line.measure in _BY_TIME else "produced"
    before = case.periods.baseline
    total = activity.total(quantity, line.lines, before.first, before.last)
    days = activity.days_with(quantity, line.lines, before.first, before.last)
    actual = activity.total(quantity, line.lines, span.first, span.last)
    if not total or not days or not actual:
        return Fraction(0), Fraction(0)
    return Fraction(repr(total)) / days * len(span.days), Fraction(repr(actual))


def _planned_base(projection: Projection, line: BenefitLine, span: Span) -> Fraction | None:
    """What the plan says these days would bring without the programme; None where it states no such figure."""
    stated = line.baseline_quantity_per_year
    if stated is None or stated.amount <= 0:
        return None
    return Fraction(stated.amount) * len(span.days) / Fraction(projection.working_days_per_year)


def _presence(
    case: BusinessCase, line: BenefitLine, span: Span, activity: Activity, begun: tuple[Factors, Factors, list[Merged]]
) -> tuple[Factors, Factors]:
    """Go-live timing: share of line-days on which the programme is there. Availability: share of time it acts then."""
    plan, actual, merged = begun
    live = {name: activity.first_live(name, case.periods.blackout.first) for name in line.lines}
    planned = {name: line.measurement.go_live_by_line.get(name, case.go_live) for name in line.lines}
    total = len(line.lines) * len(span.days)
    known = [activity.total(mode, line.lines, span.first, span.last) for mode in ("live_s", "shadow_s", "off_s")]
    reason: MergeReason = "no_modes" if all(value is None for value in known) else "never_active"
    there = sum(day >= first for first in live.values() if first is not None for day in span.days)
    promised = sum(day >= first for first in planned.values() for day in span.days)
    acted, whole = _mode_time(live, span, activity)
    if not there or not promised or not acted or not whole:
        merged.append(Merged(("availability", "timing"), "efficacy", reason))
        return plan, actual
    return (
        msgspec.structs.replace(plan, timing=Fraction(promised, total)),
        msgspec.structs.replace(actual, timing=Fraction(there, total), availability=acted / whole),
    )


def _mode_time(live: dict[str, date | None], span: Span, activity: Activity) -> tuple[Fraction, Fraction]:
    """Seconds the AI acted, and seconds it was there at all, since each line's own go-live."""
    acted = whole = Fraction(0)
    for name, first in live.items():
        if first is None or first > span.last:
            continue
        since = max(first, span.first)
        for mode in ("live_s", "shadow_s", "off_s"):
            seconds = activity.total(mode, (name,), since, span.last)
            whole += Fraction(repr(seconds or 0.0))
            acted += Fraction(repr(seconds or 0.0)) if mode == "live_s" else 0
    return acted, whole

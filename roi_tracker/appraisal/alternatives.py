"""Alternatives side by side, and the return on the extra money of the dearer one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.appraisal.cash_flows import price_index, schedule_of
from roi_tracker.appraisal.indicators import PaybackReason, npv, payback, payback_reason
from roi_tracker.appraisal.rates import Irr, irr
from roi_tracker.case.evaluation import Score
from roi_tracker.case.units import unit_meaning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.appraisal.scenarios import Appraisal
    from roi_tracker.case.evaluation import Alternative
    from roi_tracker.case.plan import BusinessCase

_ZERO = Decimal(0)


class AlternativeFigures(msgspec.Struct, frozen=True):
    """One alternative. Money in the currency; None throughout where the case gives no flows for it.

    Attributes:
        this: whether it is the case itself.
        incremental_irr: of its flows less those of `against`, the next cheaper computable alternative (by capital).
        reason: `computed`, or `no_flows`: the case states none, so its figures cannot be checked.
    """

    id: str
    this: bool
    risk: Score | None
    npv: Decimal | None
    irr: Irr | None
    payback_years: float | None
    payback_reason: PaybackReason | None
    incremental_irr: Irr | None
    against: str | None
    reason: str


def alternatives(case: BusinessCase, own: Appraisal) -> tuple[AlternativeFigures, ...]:
    """Figures of every alternative, in the case's order.

    Args:
        case: the plan.
        own: its realistic scenario, which stands for the alternative marked `this`.
    """
    series = {one.id: _flows(case, one, own) for one in case.alternatives}
    computable = [(name, flows) for name, flows in series.items() if flows is not None]
    computable.sort(key=lambda pair: (_capital(pair[1]), pair[0]))
    cheaper = {name: computable[index - 1] for index, (name, _) in enumerate(computable) if index}
    return tuple(_figures(case, one, series[one.id], cheaper.get(one.id)) for one in case.alternatives)


_Flows = tuple[tuple[Decimal, Decimal], ...]


def _flows(case: BusinessCase, one: Alternative, own: Appraisal) -> _Flows | None:
    if one.this:
        return tuple(zip(own.times, own.flows, strict=True))
    if one.flows and one.unit is not None:
        factor = unit_meaning(one.unit, case.currency).factor
        return tuple((Decimal(year), flow * factor) for year, flow in enumerate(one.flows))
    if one.capex is None and one.opex_per_year is None and one.benefit_per_year is None:
        return None
    capital, running, benefit = (
        _ZERO if given is None else case.money(given) for given in (one.capex, one.opex_per_year, one.benefit_per_year)
    )
    times = schedule_of(case, case.conventions).operations  # timed and priced as the case itself, to be comparable
    prices = price_index(case, case.conventions, times)
    net = (benefit - running) / case.periods_per_year
    return ((_ZERO, -capital), *((time, net * price) for time, price in zip(times, prices, strict=True)))


def _capital(flows: _Flows) -> Decimal:
    return -sum((min(flow, _ZERO) for time, flow in flows if time == 0), _ZERO)


def _figures(
    case: BusinessCase, one: Alternative, flows: _Flows | None, cheaper: tuple[str, _Flows] | None
) -> AlternativeFigures:
    if flows is None:
        return AlternativeFigures(one.id, one.this, one.risk, None, None, None, None, None, None, "no_flows")
    times, amounts = [time for time, _ in flows], [flow for _, flow in flows]
    extra = None if cheaper is None else _difference(flows, cheaper[1])
    return AlternativeFigures(
        id=one.id,
        this=one.this,
        risk=one.risk,
        npv=npv(amounts, case.rate, times),
        irr=irr(amounts, times),
        payback_years=payback(amounts, times),
        payback_reason=payback_reason(amounts),
        incremental_irr=None if extra is None else irr([flow for _, flow in extra], [time for time, _ in extra]),
        against=None if cheaper is None else cheaper[0],
        reason="computed",
    )


def _difference(flows: Sequence[tuple[Decimal, Decimal]], other: Sequence[tuple[Decimal, Decimal]]) -> _Flows:
    total: dict[Decimal, Decimal] = {}
    for sign, series in ((1, flows), (-1, other)):
        for time, flow in series:
            total[time] = total.get(time, _ZERO) + sign * flow
    return tuple(sorted(total.items()))

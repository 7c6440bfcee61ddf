"""Tax on the programme's own result: depreciation schedules, losses, and money's value when flows are real."""

from __future__ import annotations

import itertools
import math
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np

from roi_tracker.case.units import unit_meaning

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from roi_tracker.appraisal.cash_flows import CashFlows
    from roi_tracker.case.conventions import Conventions, Tax
    from roi_tracker.case.plan import BusinessCase
    from roi_tracker.formulas import Values


def depreciation_shares(tax: Tax) -> tuple[Decimal, ...]:
    """Share of capital written off in each year of its life.

    >>> from roi_tracker.case.assumptions import Assumption
    >>> from roi_tracker.case.conventions import Tax
    >>> rate = Assumption(value=Decimal("0.22"), unit="ratio", source="law", owner="finance")
    >>> [str(s) for s in depreciation_shares(Tax(rate=rate, life_years=4, depreciation="sum_of_years"))]
    ['0.4', '0.3', '0.2', '0.1']
    >>> [str(s) for s in depreciation_shares(Tax(rate=rate, life_years=4, depreciation="declining_balance"))]
    ['0.5', '0.25', '0.125', '0.125']
    """
    life, base = tax.life_years, 1 - tax.salvage
    if tax.depreciation == "straight_line":
        return (base / life,) * life
    if tax.depreciation == "sum_of_years":
        digits = Decimal(life * (life + 1)) / 2
        return tuple(base * (life - year) / digits for year in range(life))
    shares: list[Decimal] = []
    book = Decimal(1)
    for year in range(life):
        declining = book * tax.declining_factor / life
        straight = (book - tax.salvage) / (life - year)
        shares.append(min(max(declining, straight), book - tax.salvage))
        book -= shares[-1]
    return tuple(shares)


def depreciation(
    case: BusinessCase, flows: CashFlows, conventions: Conventions, number: Callable[[Any], Any]
) -> Values:
    """Depreciation of each period, from the period after capital is spent; a residual is a disposal at book value.

    Tax law writes off what was paid in the money of its day: where flows are in real terms, an instalment has lost the
    inflation between the payment and its own moment.
    """
    tax = conventions.tax
    written = np.asarray(flows.operating * number(0))
    if tax is None:
        return written
    per_year, shares = case.periods_per_year, depreciation_shares(tax)
    growth = _lost_growth(case, conventions)
    worth = [growth**-time for time in flows.schedule.operations]
    for column, slot in enumerate(flows.schedule.capital):
        if slot.share < 0:
            continue
        start, paid = max(0, math.ceil(slot.time * per_year)), growth**slot.time
        for period in range(start, min(case.period_count, start + tax.life_years * per_year)):
            share = shares[(period - start) // per_year] / per_year * paid * worth[period]
            written[..., period] = written[..., period] + flows.capital[..., column] * number(share)
    return np.asarray(written)


def _lost_growth(case: BusinessCase, conventions: Conventions) -> Decimal:
    """What a year takes from money fixed in the past: 1 + inflation where flows are in real terms, else 1."""
    real = conventions.discount_basis == "real" or (
        conventions.discount_basis is None and conventions.prices == "constant"
    )
    return 1 + case.money(conventions.inflation) if real and conventions.inflation is not None else Decimal(1)


def loss_kept(case: BusinessCase, conventions: Conventions, times: Sequence[Decimal]) -> tuple[Decimal, ...]:
    """Share of a loss carried into each period that is left of it: the tax office does not index losses.

    Args:
        case: the plan.
        conventions: of the flows; in nominal terms, or without inflation, everything is left.
        times: years after t0 of the operating flows.
    """
    growth = _lost_growth(case, conventions)
    return (Decimal(1), *(growth ** (earlier - later) for earlier, later in itertools.pairwise(times)))


def taxes(case: BusinessCase, flows: CashFlows, conventions: Conventions, number: Callable[[Any], Any]) -> Values:
    """Tax of each period; negative where a loss is set off against the company's other profits."""
    tax = conventions.tax
    if tax is None:
        return np.asarray(flows.operating * number(0))
    rate = number(tax.rate.amount * unit_meaning(tax.rate.unit, case.currency).factor)
    taxable = flows.operating - depreciation(case, flows, conventions, number)
    if tax.losses == "set_off":
        return np.asarray(taxable * rate)
    due = np.asarray(taxable * number(0))
    carried = np.asarray(taxable[..., 0] * number(0))
    kept = loss_kept(case, conventions, flows.schedule.operations)
    for period in range(taxable.shape[-1]):
        result = taxable[..., period] + carried * number(kept[period])
        carried = np.minimum(result, number(0))
        due[..., period] = np.maximum(result, number(0)) * rate
    return due

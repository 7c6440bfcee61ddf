"""Appraisal of the plan: yearly flows, NPV, every IRR, payback, ROI, per scenario.

Convention: capital at t0; benefits and running costs at the end of each year; before tax; constant prices.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.business_case import BenefitLine, BusinessCase, Scenario

_IMAGINARY_TOLERANCE = 1e-7
_NEWTON_STEPS = 60


class Irr(msgspec.Struct, frozen=True):
    """Internal rate of return, a ratio a year.

    Attributes:
        value: the rate where exactly one exists.
        exists: False when no real rate above -100 % makes the NPV zero, or none can.
        roots: every real root above -100 %, ascending.
        reason: `unique`, `no_sign_change`, `no_real_root` or `several_roots`.
    """

    value: float | None
    exists: bool
    roots: tuple[float, ...]
    reason: Literal["unique", "no_sign_change", "no_real_root", "several_roots"]


class Appraisal(msgspec.Struct, frozen=True):
    """Figures of one scenario. Money in the case's currency; paybacks in years from t0, None when never reached."""

    flows: tuple[Decimal, ...]
    npv: Decimal
    irr: Irr
    payback_years: float | None
    discounted_payback_years: float | None
    roi: Decimal | None
    profitability_index: Decimal | None


def present_values(flows: Sequence[Decimal], rate: Decimal) -> list[Decimal]:
    """Each flow discounted to t0; flow k happens k years after t0.

    >>> [float(value) for value in present_values([Decimal(-100), Decimal(110)], Decimal("0.1"))]
    [-100.0, 100.0]
    """
    return [flow / (1 + rate) ** year for year, flow in enumerate(flows)]


def npv(flows: Sequence[Decimal], rate: Decimal) -> Decimal:
    """Net present value at t0 (not Excel's NPV, which discounts its first flow by one period)."""
    return sum(present_values(flows, rate), Decimal(0))


def irr(flows: Sequence[Decimal]) -> Irr:
    """All internal rates of return: real roots of the flow polynomial in 1/(1+r), polished by Newton's method.

    >>> irr([Decimal(-100), Decimal(110)]).roots
    (0.1,)
    >>> irr([Decimal(100), Decimal(110)]).reason
    'no_sign_change'
    """
    signs = [flow > 0 for flow in flows if flow != 0]
    if len(set(signs)) < 2:  # noqa: PLR2004 - both signs are needed
        return Irr(None, exists=False, roots=(), reason="no_sign_change")
    scale = max(abs(flow) for flow in flows)
    coefficients = np.array([float(flow / scale) for flow in flows])
    roots: list[float] = []
    for candidate in np.roots(coefficients[::-1]):
        if abs(candidate.imag) > _IMAGINARY_TOLERANCE * max(1.0, abs(candidate)) or candidate.real <= 0:
            continue
        rate = 1.0 / _polish(coefficients, float(candidate.real)) - 1.0
        if not any(abs(rate - known) < 1e-9 * max(1.0, abs(known)) for known in roots):  # a double root is one root
            roots.append(round(rate, 12))
    roots.sort()
    if not roots:
        return Irr(None, exists=False, roots=(), reason="no_real_root")
    if len(roots) > 1:
        return Irr(None, exists=True, roots=tuple(roots), reason="several_roots")
    return Irr(roots[0], exists=True, roots=tuple(roots), reason="unique")


def _polish(coefficients: np.ndarray[tuple[int], np.dtype[np.float64]], factor: float) -> float:
    polynomial = np.polynomial.Polynomial(coefficients)
    slope = polynomial.deriv()
    for _ in range(_NEWTON_STEPS):
        gradient = float(slope(factor))
        if gradient == 0:
            break
        step = float(polynomial(factor)) / gradient
        if abs(step) < 1e-15 * abs(factor):
            break
        if factor - step > 0:
            factor -= step
    return factor


def payback(flows: Sequence[Decimal]) -> float | None:
    """Years until the running total turns non-negative for good, straight-line within the year; None when never.

    >>> payback([Decimal(-100), Decimal(60), Decimal(80)])
    1.5
    """
    totals: list[Decimal] = []
    for flow in flows:
        totals.append((totals[-1] if totals else Decimal(0)) + flow)
    if totals[-1] < 0:
        return None
    last_negative = max((year for year, total in enumerate(totals) if total < 0), default=None)
    if last_negative is None:
        return 0.0
    return last_negative + float(-totals[last_negative] / flows[last_negative + 1])


def benefit_per_year(line: BenefitLine, year_index: int) -> Decimal:
    """Projected money of a benefit line in a year counted from 0."""
    return line.projected_units_per_year * line.unit_value.amount * line.ramp(year_index)


def yearly_flows(case: BusinessCase, scenario: Scenario) -> tuple[Decimal, ...]:
    """Flow at t0 and at the end of each year."""
    capital = sum((case.money(line.amount) for line in case.capex), Decimal(0)) * scenario.costs
    running = sum((case.money(line.amount) for line in case.opex_per_year), Decimal(0)) * scenario.costs
    flows = [-capital]
    for year in range(case.horizon_years):
        benefit = sum((benefit_per_year(line, year) for line in case.benefits), Decimal(0)) * scenario.benefits
        flows.append(benefit - running)
    return tuple(flows)


def appraise(case: BusinessCase, scenario: Scenario) -> Appraisal:
    """All figures of one scenario."""
    flows = yearly_flows(case, scenario)
    rate = case.rate
    value = npv(flows, rate)
    capital = -flows[0]
    running = sum((case.money(line.amount) for line in case.opex_per_year), Decimal(0)) * scenario.costs * case.horizon_years
    cost = capital + running
    return Appraisal(
        flows=flows,
        npv=value,
        irr=irr(flows),
        payback_years=payback(flows),
        discounted_payback_years=payback(present_values(flows, rate)),
        roi=sum(flows, Decimal(0)) / cost if cost else None,
        profitability_index=1 + value / capital if capital else None,
    )

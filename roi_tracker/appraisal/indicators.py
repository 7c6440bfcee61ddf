"""Figures of a series of dated flows: present value, modified IRR, payback."""

from __future__ import annotations

from decimal import Decimal
from itertools import accumulate
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

PaybackReason = Literal["found", "never", "no_outlay"]
"""`no_outlay`: the running total is never below zero, so there is nothing to pay back."""


def present_values(flows: Sequence[Decimal], rate: Decimal, times: Sequence[Decimal] | None = None) -> list[Decimal]:
    """Each flow discounted to t0.

    Args:
        flows: money.
        rate: a year.
        times: years after t0 of each; left out 0, 1, 2, ...

    >>> [float(value) for value in present_values([Decimal(-100), Decimal(110)], Decimal("0.1"))]
    [-100.0, 100.0]
    """
    at = [Decimal(year) for year in range(len(flows))] if times is None else times
    return [flow / (1 + rate) ** time for time, flow in zip(at, flows, strict=True)]


def npv(flows: Sequence[Decimal], rate: Decimal, times: Sequence[Decimal] | None = None) -> Decimal:
    """Net present value at t0 (not Excel's NPV, which discounts its first flow by one period)."""
    return sum(present_values(flows, rate, times), Decimal(0))


def mirr(
    flows: Sequence[Decimal],
    rates: tuple[Decimal, Decimal],
    times: Sequence[Decimal] | None = None,
) -> Decimal | None:
    """Modified internal rate of return (Lin 1976; Excel's MIRR): one rate, also where several IRRs exist.

    Args:
        flows: money.
        rates: at which outflows are financed, and at which inflows are put to use until the last flow.
        times: years after t0 of each, the last one the latest; left out 0, 1, 2, ...

    Returns:
        None without both an outflow and an inflow, or without time between the flows.

    >>> round(mirr([Decimal(-100), Decimal(0), Decimal(121)], (Decimal("0.1"), Decimal("0.1"))), 12)
    Decimal('0.100000000000')
    """
    at = [Decimal(year) for year in range(len(flows))] if times is None else list(times)
    finance, reinvestment = rates
    end = max(at, default=Decimal(0))
    spent = -sum((f / (1 + finance) ** t for t, f in zip(at, flows, strict=True) if f < 0), Decimal(0))
    earned = sum((f * (1 + reinvestment) ** (end - t) for t, f in zip(at, flows, strict=True) if f > 0), Decimal(0))
    if spent == 0 or earned == 0 or end == 0:
        return None
    return (earned / spent) ** (1 / end) - 1


def payback(flows: Sequence[Decimal], times: Sequence[Decimal] | None = None) -> float | None:
    """Years until the running total turns non-negative for good, straight-line between flows.

    Returns:
        None when that never happens, and when it is never below zero; `payback_reason` says which.

    >>> payback([Decimal(-100), Decimal(60), Decimal(80)])
    1.5
    """
    at = [Decimal(year) for year in range(len(flows))] if times is None else list(times)
    totals = list(accumulate(flows))
    last_negative = max((index for index, total in enumerate(totals) if total < 0), default=None)
    if last_negative is None or totals[-1] < 0:
        return None
    share = -totals[last_negative] / flows[last_negative + 1]
    return float(at[last_negative] + (at[last_negative + 1] - at[last_negative]) * share)


def payback_reason(flows: Sequence[Decimal]) -> PaybackReason:
    """Whether there is a payback, and why not.

    Args:
        flows: money, in order of time.

    >>> payback_reason([Decimal(20), Decimal(60)])
    'no_outlay'
    >>> payback_reason([Decimal(-100), Decimal(60)])
    'never'
    """
    totals = list(accumulate(flows))
    if all(total >= 0 for total in totals):
        return "no_outlay"
    return "never" if totals[-1] < 0 else "found"

"""Dated flows of money: discounted to t0, and when their running total is back at zero."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.business_case import DAYS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Iterable

    from roi_tracker.business_case import BusinessCase

PaybackReason = Literal["reached", "not_yet", "never", "no_outlay", "no_data"]


class Flow(msgspec.Struct, frozen=True):
    """Money on a day; costs are negative."""

    day: date
    amount: Decimal


class Payback(msgspec.Struct, frozen=True):
    """When the running total of flows is back at zero, undiscounted.

    Attributes:
        on: the day; None with the reason.
    """

    on: date | None
    reason: PaybackReason


def present_value(case: BusinessCase, flows: Iterable[Flow]) -> Decimal:
    """Flows discounted to t0 at the case's rate, years of 365.25 days."""
    return sum((flow.amount * discount(case, flow.day) for flow in flows), Decimal(0))


def discount(case: BusinessCase, day: date) -> Decimal:
    """What one unit of money on a day is worth at t0."""
    return _factor(case.rate, (day - case.start_date).days)


@lru_cache(maxsize=65_536)
def _factor(rate: Decimal, days: int) -> Decimal:
    return (1 + rate) ** (-Decimal(days) / DAYS_PER_YEAR)


def payback(flows: Iterable[Flow], otherwise: PaybackReason) -> Payback:
    """The day from which on the running total is not below zero, for good as far as the flows go.

    Args:
        flows: in any order.
        otherwise: what it means when that day does not come: `not_yet` to date, `never` over a whole horizon.

    >>> paid = [Flow(date(2025, 1, 1), Decimal(-10)), Flow(date(2025, 3, 31), Decimal(4))]
    >>> payback(paid, "not_yet").on, payback([*paid, Flow(date(2025, 4, 30), Decimal(6))], "not_yet").on
    (None, datetime.date(2025, 4, 30))
    """
    total, below, since = Decimal(0), False, None
    by_day: dict[date, Decimal] = {}
    for flow in flows:
        by_day[flow.day] = by_day.get(flow.day, Decimal(0)) + flow.amount
    for day in sorted(by_day):
        total += by_day[day]
        below = below or total < 0
        since = None if total < 0 else since or day
    if not below:
        return Payback(None, "no_outlay")
    return Payback(since, "reached") if since is not None else Payback(None, otherwise)

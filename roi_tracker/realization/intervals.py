"""Intervals of money and of ratios, and how those of several lines become one."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Iterable


class MoneyInterval(msgspec.Struct, frozen=True):
    """Money at the locked unit value: point, and the 90 % interval."""

    value: Decimal
    low: Decimal
    high: Decimal


class RatioInterval(msgspec.Struct, frozen=True):
    """A ratio with its 90 % interval."""

    value: float
    low: float
    high: float


def bounds_added(parts: Iterable[MoneyInterval]) -> MoneyInterval:
    """The sum, with bounds added: holds under any dependence, wider than needed where lines err independently.

    >>> bounds_added([MoneyInterval(Decimal(10), Decimal(7), Decimal(13)),
    ...     MoneyInterval(Decimal(5), Decimal(1), Decimal(9))])
    MoneyInterval(value=Decimal('15'), low=Decimal('8'), high=Decimal('22'))
    """
    value = low = high = Decimal(0)
    for part in parts:
        value, low, high = value + part.value, low + part.low, high + part.high
    return MoneyInterval(value, low, high)


def if_independent(parts: Iterable[MoneyInterval]) -> MoneyInterval:
    """The sum if the parts' errors were independent: distances to the bounds add as squares.

    >>> if_independent([MoneyInterval(Decimal(10), Decimal(7), Decimal(13)),
    ...     MoneyInterval(Decimal(5), Decimal(1), Decimal(9))])
    MoneyInterval(value=Decimal('15'), low=Decimal('10'), high=Decimal('20'))
    """
    value = below = above = Decimal(0)
    for part in parts:
        value += part.value
        below += (part.value - part.low) ** 2
        above += (part.high - part.value) ** 2
    return MoneyInterval(value, value - below.sqrt(), value + above.sqrt())


def over(part: MoneyInterval, whole: Decimal) -> RatioInterval | None:
    """An interval as a share of something positive; None where there is nothing to compare with."""
    if whole <= 0:
        return None
    return RatioInterval(float(part.value / whole), float(part.low / whole), float(part.high / whole))

"""Signed non-routine adjustments of a counterfactual, on lines of their own; the frozen baseline stays as it is.

Something that has nothing to do with the programme changed the quantity (a die was replaced, a product moved to another
plant). The frozen expectation of the days concerned is multiplied by a factor, or a stated quantity is added. Every
adjustment starts from the frozen expectation, so that their order does not matter and each can be taken away again.
"""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from collections.abc import Sequence


class NonRoutine(msgspec.Struct, frozen=True):
    """An adjustment as signed.

    Attributes:
        event: what happened.
        quantity: physical units added to what is expected in the whole period; negative takes away.
        factor: instead of a quantity, what the expectation of these days is multiplied by.
        reason: how the event changed the quantity, physically.
        evidence: keys of events, or names of documents.
        entry_sha256: hash of the ledger's entry; empty for one that is only tried out.
    """

    event: str
    first: date
    last: date
    quantity: Decimal
    factor: Decimal
    reason: str
    evidence: tuple[str, ...]
    author: str
    approver: str
    entry_sha256: str = ""


class AdjustmentLine(msgspec.Struct, frozen=True):
    """One adjustment's own line.

    Attributes:
        days: measured days it concerns.
        units: what it adds to the expectation.
        refused: what it would add and does not, because that is more than the frozen baseline expects of these days.
    """

    adjustment: NonRoutine
    days: int
    units: float
    refused: float = 0.0


class AdjustedCounterfactual(msgspec.Struct, frozen=True):
    """Before, the lines between, and after; physical units over the measured days.

    Attributes:
        expected_before: as the frozen baseline says.
        expected_after: with the adjustments.
        observed: what was.
    """

    benefit_id: str
    baseline_sha256: str
    expected_before: float
    lines: tuple[AdjustmentLine, ...]
    expected_after: float
    observed: float

    @property
    def avoided_before(self) -> float:
        """Avoided without the adjustments."""
        return self.expected_before - self.observed

    @property
    def avoided_after(self) -> float:
        """Avoided with them."""
        return self.expected_after - self.observed


def lines_of(
    days: Sequence[date], expected: Sequence[float], adjustments: Sequence[NonRoutine]
) -> tuple[AdjustmentLine, ...]:
    """What each adjustment adds to the expectation of the measured days.

    A quantity belongs to the whole period from `first` to `last`; of a period that is not wholly measured, the measured
    calendar share counts.

    Args:
        days: measured days, in order.
        expected: the frozen expectation of each.
        adjustments: in any order.

    >>> moved = NonRoutine(
    ...     "die", date(2025, 8, 2), date(2025, 8, 3), Decimal(0), Decimal("0.9"), "wear", ("x",), "a", "b"
    ... )
    >>> days = [date(2025, 8, n) for n in (1, 2, 3)]
    >>> [(line.days, round(line.units, 6)) for line in lines_of(days, [10.0, 20.0, 30.0], [moved])]
    [(2, -5.0)]
    """
    found: list[AdjustmentLine] = []
    for one in adjustments:
        concerned = [value for day, value in zip(days, expected, strict=True) if one.first <= day <= one.last]
        units = float(one.factor - 1) * sum(concerned)
        if concerned and one.quantity:
            units += float(one.quantity) * _measured_share(one, days)
        holds = within_expectation(units, sum(concerned))
        found.append(AdjustmentLine(one, len(concerned), units if holds else 0.0, 0.0 if holds else units))
    return tuple(found)


def within_expectation(units: float, expected: float) -> bool:
    """Whether an adjustment is one: it adds at most as much again as was expected of the days it concerns.

    >>> within_expectation(30.0, 40.0), within_expectation(1e9, 40.0), within_expectation(-1e9, 40.0)
    (True, False, True)
    """
    return units <= max(expected, 0.0)


def _measured_share(one: NonRoutine, days: Sequence[date]) -> float:
    """Share of the adjustment's period that lies between the first and the last measured day."""
    first, last = max(one.first, days[0]), min(one.last, days[-1])
    return ((last - first).days + 1) / ((one.last - one.first).days + 1)


def adjusted(
    baseline: tuple[str, str],
    days: Sequence[date],
    expected: Sequence[float],
    observed: float,
    adjustments: Sequence[NonRoutine],
) -> AdjustedCounterfactual:
    """Put before, lines and after together.

    Args:
        baseline: id of the benefit line, hash of its frozen baseline.
        days: measured days, in order.
        expected: the frozen expectation of each.
        observed: the outcome of all of them.
        adjustments: in the order of signing.
    """
    lines = lines_of(days, expected, adjustments)
    before = float(sum(expected))
    return AdjustedCounterfactual(
        *baseline,
        expected_before=before,
        lines=lines,
        expected_after=before + sum(line.units for line in lines),
        observed=observed,
    )

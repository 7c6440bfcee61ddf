"""What signed adjustments add to a benefit line up to a day: never more than the frozen expectation leaves room for."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from roi_tracker.baseline.adjustments import within_expectation
from roi_tracker.proof.proving import Proof, Realized

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from roi_tracker.baseline.adjustments import AdjustedCounterfactual
    from roi_tracker.ledger.books import Signed


class AdjustedUnits:
    """Signed adjustments of a line, spread evenly over the measured days that each concerns.

    An adjustment that alone adds more than was expected of its own days counts nothing. Together they add at most what
    is missing from the avoided to the expected quantity: nobody avoids more than there would have been.

    Attributes:
        counterfactual: before and after, day by day; where it is not at hand, a factor takes the mean expectation.
    """

    def __init__(
        self,
        proof: Proof,
        counterfactual: AdjustedCounterfactual | None,
        signed: Sequence[Signed],
        days: Sequence[date],
    ) -> None:
        """Take what concerns the line.

        Args:
            proof: of the line.
            counterfactual: of the line, None where it is not at hand.
            signed: adjustments of the ledger; those of other lines are left out.
            days: working days measured.
        """
        self._parts: list[tuple[Decimal, tuple[date, ...]]] = []
        self.counterfactual = counterfactual
        self._room: Decimal | None = None
        if isinstance(proof, Realized):
            found = proof.estimate
            self._room = max(Decimal(0), Decimal(repr(found.expected)) - Decimal(repr(found.avoided)))
        if counterfactual is not None:
            for part in counterfactual.lines:
                self._add(Decimal(repr(part.units)), days, part.adjustment.first, part.adjustment.last)
            return
        expected = Decimal(repr(proof.estimate.expected)) if isinstance(proof, Realized) else Decimal(0)
        for entry in signed:
            one = entry.adjustment
            if one.benefit_id == proof.benefit_id:
                concerned = sum(one.first <= day <= one.last for day in days)
                of_days = expected * concerned / len(days) if concerned else Decimal(0)
                units = one.quantity + of_days * (one.factor - 1)
                if within_expectation(float(units), float(of_days)):
                    self._add(units, days, one.first, one.last)

    def _add(self, units: Decimal, days: Sequence[date], first: date, last: date) -> None:
        concerned = tuple(day for day in days if first <= day <= last)
        if concerned:
            self._parts.append((units, concerned))

    def up_to(self, day: date) -> Decimal:
        """Physical units added up to and including a day."""
        added = sum(
            (quantity * sum(one <= day for one in days) / len(days) for quantity, days in self._parts), Decimal(0)
        )
        return added if self._room is None else min(added, self._room)

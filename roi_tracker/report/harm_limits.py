"""How sure a row of harm by the system is: the interval of what was estimated, or why there is none."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.measurement.measures.proportions import Share, exact_limits

if TYPE_CHECKING:
    from roi_tracker.ledger.costs import HarmRow

LimitsReason = Literal["audited", "counted", "rate_without_interval"]
_ONE_SIDED = 0.95
"""Each end by itself, so that 90 % lie between."""


class HarmLimits(msgspec.Struct, frozen=True):
    """The 90 % interval of a row of harm in money; None where there is none.

    Attributes:
        reason: `audited` exact binomial limits of the audit that it rests on; `counted` every event was counted, so
            there is nothing to estimate; `rate_without_interval` it rests on the frozen baseline's defect rate, whose
            own error no frozen baseline carries as a share.
    """

    low: Decimal | None
    high: Decimal | None
    reason: LimitsReason


def limits_of(row: HarmRow) -> HarmLimits:
    """The interval of one row, from the numbers that its formula names.

    Source: Clopper and Pearson, Biometrika 26, 1934.
    """
    terms = {term.name: term.value for term in row.terms}
    if row.cause == "uninspected":
        return HarmLimits(None, None, "rate_without_interval")
    if row.cause != "false_reject":
        return HarmLimits(row.amount, row.amount, "counted")
    share = Share(int(terms["good_of_audited_fail"]), int(terms["audited_fail"]))
    found = exact_limits(share, _ONE_SIDED)
    low, high = (
        Decimal(repr(end * terms["rejected"])).quantize(Decimal("0.000001")) * row.unit_value
        for end in (found.low, found.high)
    )
    return HarmLimits(low, high, "audited")

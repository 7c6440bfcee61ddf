"""What became of saved hours: a budget that fell, a role that was taken over, or time that was merely released."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Literal

import msgspec

if TYPE_CHECKING:
    from roi_tracker.case.conventions import BenefitClass
    from roi_tracker.case.measuring import LabourEvidence

HoursBecame = Literal["cashed", "redeployed", "released", "not_shown", "not_yet"]
COUNTING: frozenset[HoursBecame] = frozenset({"cashed", "redeployed"})


class LabourDetail(msgspec.Struct, frozen=True, tag="labour"):
    """What stands behind a labour benefit.

    Attributes:
        saved_h: hours saved per the rosters, whatever became of them.
        released_h: of those, hours that are time and no money: all of them where nothing shows more, else those of the
            days before the evidence holds.
        became: what the evidence shows.
        hours_per_unit_expected, hours_per_unit: without the programme and observed.
        since: day from which on the hours are money.
    """

    saved_h: float
    released_h: float
    became: HoursBecame
    hours_per_unit_expected: float
    hours_per_unit: float
    reference: str = ""
    since: date | None = None


def hours_became(benefit_class: BenefitClass, evidence: LabourEvidence | None) -> HoursBecame:
    """What the evidence shows for a line of this class; a class that the evidence does not show, or without the day
    from which on it holds, is no money.

    >>> hours_became("cashable", None)
    'not_shown'
    >>> hours_became("released", None)
    'released'
    """
    if benefit_class not in {"cashable", "redeployed"}:
        return "released"
    if evidence is None or evidence.since is None:
        return "not_shown"
    if benefit_class == "cashable":
        return "cashed" if evidence.budget_line else "not_shown"
    return "redeployed" if evidence.redeployed_to is not None else "not_shown"

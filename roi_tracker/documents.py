"""JSON documents that the commands print: outer shapes, apart from what the package computes with."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from roi_tracker.appraisal import Appraisal, Irr, appraise
from roi_tracker.money import UNIT_FACTORS

if TYPE_CHECKING:
    from decimal import Decimal

    from roi_tracker.business_case import BusinessCase


class ScenarioDocument(msgspec.Struct, frozen=True):
    """One scenario; money in units of `unit` currency."""

    npv: float
    irr: Irr
    payback_years: float | None
    discounted_payback_years: float | None
    roi: float | None
    profitability_index: float | None
    flows: tuple[float, ...]


class ConventionsDocument(msgspec.Struct, frozen=True):
    """How the figures are computed."""

    money: str
    timing: str
    tax: str
    prices: str
    discount_rate: float


class AppraisalDocument(msgspec.Struct, frozen=True):
    """What `roi-tracker appraise CASE --json` prints."""

    case: str
    currency: str
    unit: float
    conventions: ConventionsDocument
    scenarios: dict[str, ScenarioDocument]


def appraisal_document(case: BusinessCase) -> AppraisalDocument:
    """Appraise every scenario of a case."""
    unit = UNIT_FACTORS[case.display_unit]
    return AppraisalDocument(
        case=case.id,
        currency=case.currency,
        unit=float(unit),
        conventions=ConventionsDocument(
            money="npv and flows are in multiples of `unit` in `currency`",
            timing="capital at t0, benefits and running cost at the end of each year",
            tax="before tax",
            prices="constant",
            discount_rate=float(case.rate),
        ),
        scenarios={
            name: _scenario(appraise(case, getattr(case.scenarios, name)), unit)
            for name in ("conservative", "realistic", "optimistic", "worst")
        },
    )


def _scenario(found: Appraisal, unit: int) -> ScenarioDocument:
    def ratio(value: Decimal | None) -> float | None:
        return None if value is None else float(value)

    return ScenarioDocument(
        npv=float(found.npv / unit),
        irr=found.irr,
        payback_years=found.payback_years,
        discounted_payback_years=found.discounted_payback_years,
        roi=ratio(found.roi),
        profitability_index=ratio(found.profitability_index),
        flows=tuple(float(flow / unit) for flow in found.flows),
    )

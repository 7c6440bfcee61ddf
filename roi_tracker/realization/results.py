"""What realized against projected consists of; computed in `realized`, read by reports."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from typing import Literal

import msgspec

from roi_tracker.baseline.adjustments import AdjustedCounterfactual
from roi_tracker.ledger.chain import GENESIS
from roi_tracker.ledger.claims import SharedGroup
from roi_tracker.ledger.costs import CostLedger
from roi_tracker.proof.proving import Proof
from roi_tracker.realization.bridge import Bridge
from roi_tracker.realization.flows import Payback
from roi_tracker.realization.forecast import Forecast
from roi_tracker.realization.gates import GateResult
from roi_tracker.realization.intervals import MoneyInterval, RatioInterval
from roi_tracker.realization.prices import UnitPrice


class LineMonth(msgspec.Struct, frozen=True):
    """A benefit line up to and including a day, cumulative money; None of the interval where it is not proven.

    Attributes:
        shared: what the line may count after sharing with lines that overlap.
    """

    day: date
    projected: Decimal
    measured: MoneyInterval | None
    shared: MoneyInterval | None


class LineResult(msgspec.Struct, frozen=True):
    """One benefit line, realized beside projected.

    Attributes:
        projected_units, projected: for the measured days, ramp-up included.
        realized: money as measured, signed adjustments included; None when not proven.
        counted: what enters the headline: the lower bound of a cashable or redeployed line after sharing, else 0.
        achievement: lower bound over projection; None when not proven or nothing was projected.
        achievement_interval: the same with the whole interval; its `low` is `achievement`.
        shared: what the line may count of `realized`; equal to it unless lines overlap.
        shared_by: the group it shares in, empty where it stands alone.
        adjusted: money that signed adjustments added, already in `realized`.
        adjustment: the expectation before the adjustments, each on its own line, and after; None without any.
        adjusted_units: the same in physical units.
        unit_value: at which `realized` was valued.
        price: where it comes from, and which values of the ledger may not change it; None when not proven.
        months: month ends and the last day.
    """

    benefit_id: str
    proof: Proof
    projected_units: Decimal
    projected: Decimal
    realized: MoneyInterval | None
    counted: Decimal
    counts: bool
    achievement: float | None
    achievement_interval: RatioInterval | None = None
    shared: MoneyInterval | None = None
    shared_by: str = ""
    adjusted: Decimal = Decimal(0)
    unit_value: Decimal = Decimal(0)
    months: tuple[LineMonth, ...] = ()
    adjustment: AdjustedCounterfactual | None = None
    adjusted_units: Decimal = Decimal(0)
    price: UnitPrice | None = None


class CurvePoint(msgspec.Struct, frozen=True):
    """Cumulative money up to and including a day: projected, and the counted lines as measured with their interval.

    Attributes:
        cost: cumulative cost, actual or planned as `Realization.cost_basis` says, harm included.
        planned_cost: cumulative planned cost.
    """

    day: date
    projected: Decimal
    value: Decimal
    low: Decimal
    high: Decimal
    cost: Decimal = Decimal(0)
    planned_cost: Decimal = Decimal(0)


class ToDate(msgspec.Struct, frozen=True):
    """Figures from t0 to the last measured day.

    Attributes:
        benefit: counted benefits at their lower bound.
        cost: actual cost and harm, or planned cost where the ledger is empty (`cost_basis` says which).
        net: benefit - cost.
        roi: net / cost, None without cost.
        npv: discounted to t0; benefits and running cost month by month, capital on its day.
        payback: simple, undiscounted.
    """

    benefit: Decimal
    cost: Decimal
    net: Decimal
    roi: Decimal | None
    npv: Decimal
    payback: Payback = Payback(None, "no_data")


class Realization(msgspec.Struct, frozen=True):
    """The whole of page 1.

    Attributes:
        as_of: last measured day, None before any reporting data.
        total: counted lines together; bounds added, which holds under any dependence between lines.
        total_if_independent: the same if lines erred independently; shown beside, never counted.
        achievement_interval: `total` over the projection of the counted lines.
        costs: every cost row, harm and what could not be valued.
        groups: lines that share a measured change.
        ledger_head: hash of the ledger that these figures rest on.
    """

    as_of: date | None
    lines: tuple[LineResult, ...]
    curve: tuple[CurvePoint, ...]
    realized: ToDate
    projected: ToDate
    cost_basis: Literal["actual", "planned"]
    achievement: float | None
    total: MoneyInterval | None = None
    total_if_independent: MoneyInterval | None = None
    achievement_interval: RatioInterval | None = None
    costs: CostLedger = CostLedger()
    groups: tuple[SharedGroup, ...] = ()
    bridge: Bridge | None = None
    forecast: Forecast | None = None
    gates: tuple[GateResult, ...] = ()
    ledger_head: str = GENESIS

"""JSON document that `appraise` prints: the outer shape, apart from what the package computes with.

Money is in multiples of `unit` in `currency`.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.appraisal.alternatives import alternatives
from roi_tracker.appraisal.break_even import BreakEvens, break_evens
from roi_tracker.appraisal.decision import Decision, decide
from roi_tracker.appraisal.indicators import PaybackReason
from roi_tracker.appraisal.model import Model
from roi_tracker.appraisal.monte_carlo import DRAWS, SEED, Driver, HistogramBin, Simulation, simulate
from roi_tracker.appraisal.rates import Irr
from roi_tracker.appraisal.scenarios import Appraisal, scenario_table, variants
from roi_tracker.appraisal.sensitivity import Sensitivity, sensitivities
from roi_tracker.appraisal.statements import Accounts, Statements, statements
from roi_tracker.case.costs import FULL_COST
from roi_tracker.money import UNIT_FACTORS

if TYPE_CHECKING:
    from roi_tracker.appraisal.alternatives import AlternativeFigures
    from roi_tracker.business_case import BusinessCase


class ScenarioDocument(msgspec.Struct, frozen=True):
    """One scenario, or the realistic one counted another way.

    Attributes:
        payback_reason: `found`, `never`, or `no_outlay` where nothing is to be paid back.
    """

    npv: float
    irr: Irr
    mirr: float | None
    payback_years: float | None
    discounted_payback_years: float | None
    payback_reason: PaybackReason
    discounted_payback_reason: PaybackReason
    roi: float | None
    profitability_index: float | None
    flows: tuple[float, ...]
    times: tuple[float, ...]
    net_by_year: dict[str, float]
    benefits_pv: float
    costs_pv: float
    tax_pv: float


class ConventionsDocument(msgspec.Struct, frozen=True):
    """How the figures are computed."""

    money: str
    timing: str
    tax: str
    prices: str
    discount_rate: float
    discount_basis: str
    capital: str
    operations: str
    period: str
    counted: tuple[str, ...]


class AlternativeDocument(msgspec.Struct, frozen=True):
    """One alternative; figures None with the reason `no_flows` where the case gives nothing to compute them from."""

    id: str
    this: bool
    risk: str | None
    npv: float | None
    irr: Irr | None
    payback_years: float | None
    payback_reason: PaybackReason | None
    incremental_irr: Irr | None
    against: str | None
    reason: str


class StatementsDocument(msgspec.Struct, frozen=True):
    """Effects on the accounts by year, and the accounts before and after."""

    years: tuple[int, ...]
    effects: dict[str, tuple[float, ...]]
    difference: float
    before: dict[str, float | None] | None
    after: tuple[dict[str, float | None], ...]


class NotStated(msgspec.Struct, frozen=True):
    """What the case leaves open: it was not guessed.

    Attributes:
        cost_categories: parts of the full cost without a line.
        unused_assumptions: declared, and reaching no benefit, cost or check.
        contingency: whether the reserve is inside the capital.
        discount_basis: whether the rate is real or nominal.
    """

    cost_categories: tuple[str, ...]
    unused_assumptions: tuple[str, ...]
    contingency: bool
    discount_basis: bool


class AppraisalDocument(msgspec.Struct, frozen=True):
    """What `roi-tracker appraise CASE --json` prints."""

    case: str
    currency: str
    unit: float
    conventions: ConventionsDocument
    scenarios: dict[str, ScenarioDocument]
    variants: dict[str, ScenarioDocument]
    sensitivity: tuple[Sensitivity, ...]
    break_even: BreakEvens
    monte_carlo: Simulation
    alternatives: tuple[AlternativeDocument, ...]
    statements: StatementsDocument
    decision: Decision
    not_stated: NotStated


def appraisal_document(case: BusinessCase, draws: int = DRAWS, seed: int = SEED) -> AppraisalDocument:
    """Appraise a case whole.

    Raises:
        CaseError: a formula cannot be computed.
    """
    model = Model(case)
    unit = UNIT_FACTORS[case.display_unit]
    table = scenario_table(case, model)
    effects, evens, simulation = sensitivities(model), break_evens(model), simulate(model, draws, seed)
    return AppraisalDocument(
        case=case.id,
        currency=case.currency,
        unit=float(unit),
        conventions=_conventions(case),
        scenarios={name: _scenario(found, unit) for name, found in table.items()},
        variants={one.id: _scenario(one.appraisal, unit) for one in variants(case, model)},
        sensitivity=tuple(_sensitivity(one, unit) for one in effects),
        break_even=evens,
        monte_carlo=_simulation(simulation, unit),
        alternatives=tuple(_alternative(one, unit) for one in alternatives(case, table["realistic"])),
        statements=_statements(statements(model), unit),
        decision=_decision(decide(model, table, effects, evens, simulation), unit),
        not_stated=_not_stated(model),
    )


def _conventions(case: BusinessCase) -> ConventionsDocument:
    own = case.conventions
    phased = f"capital as phased, {own.capital}"
    capital = {"t0": "capital at t0", "dated": "capital on its dates"}.get(own.capital, phased)
    operations = {
        "year_end": f"benefits and running cost at the end of each {own.period}",
        "mid_year": f"benefits and running cost in the middle of each {own.period}",
        "dated": f"benefits and running cost on the last day of each {own.period}, years of 365 days",
    }[own.operations]
    return ConventionsDocument(
        money="npv, flows and other amounts are in multiples of `unit` in `currency`",
        timing=f"{capital}, {operations}",
        tax="after tax" if own.headline == "after_tax" else "before tax",
        prices=own.prices,
        discount_rate=float(case.rate),
        discount_basis=own.discount_basis or "not stated",
        capital=own.capital,
        operations=own.operations,
        period=own.period,
        counted=own.counted,
    )


def _ratio(value: Decimal | None) -> float | None:
    return None if value is None else float(value)


def _scenario(found: Appraisal, unit: int) -> ScenarioDocument:
    return ScenarioDocument(
        npv=float(found.npv / unit),
        irr=found.irr,
        mirr=_ratio(found.mirr),
        payback_years=found.payback_years,
        discounted_payback_years=found.discounted_payback_years,
        payback_reason=found.payback_reason,
        discounted_payback_reason=found.discounted_payback_reason,
        roi=_ratio(found.roi),
        profitability_index=_ratio(found.profitability_index),
        flows=_amounts(found.flows, unit),
        times=tuple(float(time) for time in found.times),
        net_by_year={label: float(flow / unit) for label, flow in found.net_by_year.items()},
        benefits_pv=float(found.benefits_pv / unit),
        costs_pv=float(found.costs_pv / unit),
        tax_pv=float(found.tax_pv / unit),
    )


def _amounts(values: tuple[Decimal, ...], unit: int) -> tuple[float, ...]:
    return tuple(float(value / unit) for value in values)


def _sensitivity(one: Sensitivity, unit: int) -> Sensitivity:
    def shown(value: float | None) -> float | None:
        return None if value is None else value / unit

    return Sensitivity(
        variable=one.variable,
        kind=one.kind,
        plus_10pct=one.plus_10pct / unit,
        minus_10pct=one.minus_10pct / unit,
        swing=one.swing / unit,
        share_of_npv=one.share_of_npv,
        plus_1pp=shown(one.plus_1pp),
        minus_1pp=shown(one.minus_1pp),
        at_low=shown(one.at_low),
        at_high=shown(one.at_high),
    )


def _simulation(found: Simulation, unit: int) -> Simulation:
    money = {
        name: None if getattr(found, name) is None else getattr(found, name) / unit
        for name in ("mean", "standard_deviation", "p10", "p50", "p90")
    }
    bins = tuple(HistogramBin(one.low / unit, one.high / unit, one.share) for one in found.histogram)
    drivers = tuple(Driver(one.variable, one.correlation) for one in found.drivers)
    return msgspec.structs.replace(found, **money, histogram=bins, drivers=drivers)


def _alternative(one: AlternativeFigures, unit: int) -> AlternativeDocument:
    return AlternativeDocument(
        id=one.id,
        this=one.this,
        risk=one.risk,
        npv=None if one.npv is None else float(one.npv / unit),
        irr=one.irr,
        payback_years=one.payback_years,
        payback_reason=one.payback_reason,
        incremental_irr=one.incremental_irr,
        against=one.against,
        reason=one.reason,
    )


def _statements(found: Statements, unit: int) -> StatementsDocument:
    names = [name for name in type(found.effects).__struct_fields__ if name != "difference"]
    return StatementsDocument(
        years=found.years,
        effects={name: _amounts(getattr(found.effects, name), unit) for name in names},
        difference=float(found.effects.difference / unit),
        before=None if found.before is None else _accounts(found.before, unit),
        after=tuple(_accounts(one, unit) for one in found.after),
    )


def _accounts(one: Accounts, unit: int) -> dict[str, float | None]:
    money = ("sales", "cost_of_sales", "operating_expense", "operating_profit")
    return {
        name: _ratio(getattr(one, name) / unit if name in money else getattr(one, name))
        for name in type(one).__struct_fields__
    }


def _decision(found: Decision, unit: int) -> Decision:
    first = tuple(msgspec.structs.replace(one, effect=one.effect / unit) for one in found.verify_first)
    return msgspec.structs.replace(found, worst_npv=found.worst_npv / unit, verify_first=first)


def _not_stated(model: Model) -> NotStated:
    case = model.case
    stated = {line.category for line in (*case.capex, *case.opex_per_year)}
    return NotStated(
        cost_categories=tuple(category for category in FULL_COST if category not in stated),
        unused_assumptions=model.unused(),
        contingency=case.contingency is not None and case.contingency.included is None,
        discount_basis=case.conventions.discount_basis is None,
    )


def encode_document(document: object) -> bytes:
    """The document as indented JSON; decimals as numbers."""
    plain = msgspec.to_builtins(document, builtin_types=(Decimal,))
    return msgspec.json.format(msgspec.json.encode(_plain(plain)), indent=2)


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value

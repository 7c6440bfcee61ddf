"""All figures of one scenario, exact: flows, NPV, every IRR, MIRR, paybacks, ROI, profitability index."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.appraisal.cash_flows import T0, CashFlows, cash_flows
from roi_tracker.appraisal.indicators import PaybackReason, mirr, npv, payback, payback_reason, present_values
from roi_tracker.appraisal.model import Change, Model
from roi_tracker.appraisal.rates import Irr, irr
from roi_tracker.appraisal.taxation import taxes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from roi_tracker.case.conventions import BenefitClass, Conventions
    from roi_tracker.case.evaluation import Scenario
    from roi_tracker.case.plan import BusinessCase

DIRECT: tuple[BenefitClass, ...] = ("cashable", "redeployed")
_ZERO = Decimal(0)


class Appraisal(msgspec.Struct, frozen=True):
    """Figures of one scenario. Money in the case's currency; paybacks in years from t0, None when there is none.

    Attributes:
        flows: net flows in order of time; a t0 flow is first where capital is spent at t0.
        times: years after t0 of each.
        net_by_year: net flows by year label; `t0` apart from the first year.
        benefits_pv, costs_pv: present values of counted benefits, and of capital and running cost (tax apart).
        payback_reason: `found`, `never`, or `no_outlay`: no running total below zero, nothing to pay back.
        roi: (benefits - costs) / costs, undiscounted.
        profitability_index: 1 + NPV / present value of capital.
    """

    flows: tuple[Decimal, ...]
    times: tuple[Decimal, ...]
    net_by_year: dict[str, Decimal]
    npv: Decimal
    irr: Irr
    mirr: Decimal | None
    payback_years: float | None
    discounted_payback_years: float | None
    payback_reason: PaybackReason
    discounted_payback_reason: PaybackReason
    roi: Decimal | None
    profitability_index: Decimal | None
    net_total: Decimal
    benefits_pv: Decimal
    costs_pv: Decimal
    capital_pv: Decimal
    tax_pv: Decimal


class Variant(msgspec.Struct, frozen=True):
    """The realistic scenario counted another way; `id` says which: direct_only, after_tax, as_phased, ..."""

    id: str
    appraisal: Appraisal


def appraise(
    case: BusinessCase,
    scenario: Scenario,
    conventions: Conventions | None = None,
    *,
    model: Model | None = None,
    change: Change | None = None,
) -> Appraisal:
    """All figures of one scenario.

    Args:
        case: the plan.
        scenario: multiplies benefits and costs.
        conventions: others than the case's own, to compare.
        model: the case compiled before.
        change: what else differs from the plan.

    Raises:
        CaseError: a formula cannot be computed.
    """
    used = conventions or case.conventions
    amounts = (model or Model(case)).exact(change)
    flows = cash_flows(case, amounts, scenario, used)
    tax = tuple(taxes(case, flows, used, Decimal)) if used.headline == "after_tax" else (_ZERO,) * case.period_count
    return _figures(case, flows, tax, used)


def _figures(case: BusinessCase, flows: CashFlows, tax: Sequence[Decimal], used: Conventions) -> Appraisal:
    rate = case.rate
    net = [value - due for value, due in zip(flows.operating, tax, strict=True)]
    capital_times = [slot.time for slot in flows.schedule.capital]
    times, merged = _merge([*capital_times, *flows.schedule.operations], [*(-flows.capital), *net])
    value, discounted = npv(merged, rate, times), present_values(merged, rate, times)
    capital_pv = npv(list(flows.capital), rate, capital_times)
    opex_pv = npv(list(flows.opex), rate, flows.schedule.operations)
    spent = sum(flows.capital, _ZERO) + sum(flows.opex, _ZERO) + sum(tax, _ZERO)
    return Appraisal(
        flows=merged,
        times=times,
        net_by_year=_by_year(case, flows, net),
        npv=value,
        irr=irr(merged, times),
        mirr=mirr(merged, (_or(used.finance_rate, rate), _or(used.reinvestment_rate, rate)), times),
        payback_years=payback(merged, times),
        discounted_payback_years=payback(discounted, times),
        payback_reason=payback_reason(merged),
        discounted_payback_reason=payback_reason(discounted),
        roi=sum(merged, _ZERO) / spent if spent else None,
        profitability_index=1 + value / capital_pv if capital_pv else None,
        net_total=sum(merged, _ZERO),
        benefits_pv=npv(list(flows.benefits), rate, flows.schedule.operations),
        costs_pv=capital_pv + opex_pv,
        capital_pv=capital_pv,
        tax_pv=npv(list(tax), rate, flows.schedule.operations),
    )


def _or(given: Decimal | None, rate: Decimal) -> Decimal:
    return rate if given is None else given


def _merge(times: Sequence[Decimal], flows: Sequence[Decimal]) -> tuple[tuple[Decimal, ...], tuple[Decimal, ...]]:
    together: dict[Decimal, Decimal] = {}
    for time, flow in sorted(zip(times, flows, strict=True), key=lambda pair: pair[0]):
        together[time] = together.get(time, _ZERO) + flow
    return tuple(together), tuple(together.values())


def _by_year(case: BusinessCase, flows: CashFlows, net: Sequence[Decimal]) -> dict[str, Decimal]:
    years = {str(year): _ZERO for year in case.years}
    labels = list(years)
    found = years
    if any(slot.period == T0 for slot in flows.schedule.capital):
        found = {"t0": _ZERO, **years}
    for slot, amount in zip(flows.schedule.capital, flows.capital, strict=True):
        found["t0" if slot.period == T0 else labels[slot.period // case.periods_per_year]] -= amount
    for period, amount in enumerate(net):
        found[labels[period // case.periods_per_year]] += amount
    return found


def variants(case: BusinessCase, model: Model | None = None) -> tuple[Variant, ...]:
    """The realistic scenario under the other ways of counting that the case gives grounds for."""
    compiled = model or Model(case)
    own = case.conventions
    ways: dict[str, Conventions] = {}
    if set(own.counted) - set(DIRECT):
        ways["direct_only"] = own.model_copy(update={"counted": DIRECT})
    if own.tax is not None:
        other = "before_tax" if own.headline == "after_tax" else "after_tax"
        ways[other] = own.model_copy(update={"headline": other})
    if case.capex_phasing is not None and own.capital == "t0" and not case.capex_phasing.dates:
        ways["as_phased"] = own.model_copy(update={"capital": "end_of_period"})
    if own.operations == "year_end":
        ways["mid_year"] = own.model_copy(update={"operations": "mid_year"})
    realistic = case.scenarios.realistic
    found = [Variant(name, appraise(case, realistic, way, model=compiled)) for name, way in ways.items()]
    bias = own.optimism_bias
    if bias is not None:
        change = Change(factors={"benefits": 1 + bias.benefits, "capex": 1 + bias.capex, "opex": 1 + bias.opex})
        found.append(Variant("optimism_bias", appraise(case, realistic, model=compiled, change=change)))
    return tuple(found)


def scenario_table(case: BusinessCase, model: Model | None = None) -> Mapping[str, Appraisal]:
    """Every scenario of a case, by name."""
    compiled = model or Model(case)
    return {
        name: appraise(case, getattr(case.scenarios, name), model=compiled)
        for name in type(case.scenarios).model_fields
    }

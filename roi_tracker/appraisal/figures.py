"""Every figure of a case under its address, as the engine computes it: what stated figures are held against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Literal

import msgspec

from roi_tracker.appraisal.alternatives import alternatives
from roi_tracker.appraisal.break_even import break_evens
from roi_tracker.appraisal.cash_flows import Schedule, cash_flows, counted_lines
from roi_tracker.appraisal.indicators import npv, present_values
from roi_tracker.appraisal.model import Model
from roi_tracker.appraisal.scenarios import DIRECT, scenario_table
from roi_tracker.appraisal.sensitivity import sensitivities
from roi_tracker.appraisal.statements import statements
from roi_tracker.case.evaluation import Scenario
from roi_tracker.case.units import unit_meaning

if TYPE_CHECKING:
    from roi_tracker.appraisal.scenarios import Appraisal
    from roi_tracker.appraisal.sensitivity import Sensitivity
    from roi_tracker.case.conventions import BenefitClass, Conventions
    from roi_tracker.case.plan import BusinessCase
    from roi_tracker.formulas import Values

FigureKind = Literal["money", "ratio", "years", "quantity"]
_ZERO = Decimal(0)
_ONE = Scenario(benefits=Decimal(1))
_ALL: tuple[BenefitClass, ...] = ("cashable", "redeployed", "released", "indirect")


class Figure(msgspec.Struct, frozen=True):
    """A computed figure in its base unit: the currency, a ratio, years, or the quantity's own unit.

    Attributes:
        value: None when it does not exist; `reason` says why.
        unit: as written in the case for assumptions and calculations; None: display unit for money.
    """

    value: Decimal | None
    kind: FigureKind
    unit: str | None = None
    reason: str = ""


def figures(
    case: BusinessCase, conventions: Conventions | None = None, *, variations: bool = True
) -> dict[str, Figure]:
    """All figures of a case by address.

    Args:
        case: the plan.
        conventions: others than the case's own, to see what a plan would print under them.
        variations: sensitivity and break-even too, which take most of the time.

    Raises:
        CaseError: a formula cannot be computed.
    """
    used = case if conventions is None else case.model_copy(update={"conventions": conventions})
    model = Model(used)
    table = scenario_table(used, model)
    found: dict[str, Figure] = {}
    for part in (
        _quantities(model),
        _benefits(model),
        _costs(model),
        *(_scenario(used, name, appraisal) for name, appraisal in table.items()),
        *((_sensitivity(model), _break_even(model)) if variations else ()),
        _alternatives(used, table["realistic"]),
        _statements(model),
    ):
        found.update(part)
    if used.conventions.base_year is not None:
        found["conventions.base_year"] = Figure(Decimal(used.conventions.base_year), "quantity", "year")
    for benchmark in used.benchmarks:
        if benchmark.figure in found:
            found[f"benchmarks.{benchmark.id}.company"] = found[benchmark.figure]
    return found


_Pairs = Iterator[tuple[str, Figure]]


def _money(value: Decimal | float) -> Figure:
    return Figure(Decimal(repr(value)) if isinstance(value, float) else value, "money")


def _exact(value: Decimal | float | None, kind: FigureKind, reason: str = "") -> Figure:
    return Figure(Decimal(repr(value)) if isinstance(value, float) else value, kind, None, reason)


def _quantities(model: Model) -> _Pairs:
    case = model.case
    units = {name: one.unit for name, one in case.assumptions.items()}
    units |= {name: one.unit for name, one in case.calculations.items()}
    for name, values in model.exact().quantities.items():
        meaning = unit_meaning(units[name], case.currency)
        yearly = values.reshape(-1) if values.ndim else [values.item()] * case.period_count
        shown = [Figure(yearly[year * case.periods_per_year], meaning.kind, units[name]) for year in _year_range(case)]
        yield from ((f"{name}[{label}]", figure) for label, figure in zip(case.years, shown, strict=True))
        if all(figure == shown[0] for figure in shown):
            yield name, shown[0]


def _year_range(case: BusinessCase) -> range:
    return range(case.horizon_years)


def _yearly(case: BusinessCase, name: str, values: Sequence[Decimal]) -> _Pairs:
    yield from ((f"{name}[{year}]", _money(value)) for year, value in zip(case.years, values, strict=True))


def _sums(case: BusinessCase, values: Values) -> list[Decimal]:
    per_year = case.periods_per_year
    return [sum(values[year * per_year : (year + 1) * per_year], _ZERO) for year in _year_range(case)]


def _series(case: BusinessCase, name: str, values: Values, schedule: Schedule, suffix: str = "") -> _Pairs:
    yield from _yearly(case, f"{name}{suffix}", _sums(case, values))
    yield f"{name}.total", _money(sum(values, _ZERO))
    yield f"{name}.pv", _money(npv(list(values), case.rate, schedule.operations))


def _benefits(model: Model) -> _Pairs:
    case = model.case
    groups: dict[str, Sequence[BenefitClass]] = {
        "benefits.direct": DIRECT,
        "benefits.indirect": ("indirect",),
        "benefits.counted": case.conventions.counted,
        "benefits.all": _ALL,
    }
    for name, classes in groups.items():
        flows = _flows_of(model, counted_lines(case, classes))
        yield from _series(case, name, flows[0], flows[1])
    for line in case.benefits:
        values, schedule = _flows_of(model, [line.id])
        yield from _series(case, f"benefits.{line.id}", values, schedule, ".saving")
        yield f"benefits.{line.id}.saving.total", _money(sum(values, _ZERO))


def _flows_of(model: Model, lines: Sequence[str]) -> tuple[Values, Schedule]:
    case = model.case
    every = model.exact()
    kept = {name: money if name in lines else money * 0 for name, money in every.benefits.items()}
    chosen = type(every)(kept, every.opex, every.capex, every.quantities)
    flows = cash_flows(case, chosen, _ONE, case.conventions.model_copy(update={"counted": _ALL}))
    return flows.benefits, flows.schedule


def _costs(model: Model) -> _Pairs:
    case, amounts = model.case, model.exact()
    flows = cash_flows(case, amounts, _ONE, case.conventions)
    times = [slot.time for slot in flows.schedule.capital]
    capital_pv = npv(list(flows.capital), case.rate, times)
    opex_pv = npv(list(flows.opex), case.rate, flows.schedule.operations)
    yield "capex.total", _money(sum((money[0] for money in amounts.capex.values()), _ZERO))
    yield "capex.pv", _money(capital_pv)
    for name, money in amounts.capex.items():
        yield f"capex.{name}", _money(money[0])
    if case.capex_phasing is not None:
        factor = unit_meaning(case.capex_phasing.unit, case.currency).factor
        yield "capex.phased.total", _money(sum(case.capex_phasing.value, _ZERO) * factor)
        if not case.capex_phasing.dates and case.periods_per_year == 1:
            values = [*case.capex_phasing.value, *[_ZERO] * case.period_count][: case.period_count]
            yield from _yearly(case, "capex.phased", [value * factor for value in values])
    yield from _series(case, "opex", flows.opex, flows.schedule)
    for name, money in amounts.opex.items():
        yield from _yearly(case, f"opex.{name}", _sums(case, money))
        yield f"opex.{name}.total", _money(sum(money, _ZERO))
    yield "investment.pv", _money(capital_pv + opex_pv)


def _scenario(case: BusinessCase, name: str, found: Appraisal) -> _Pairs:
    prefix = f"scenarios.{name}"
    for key in ("npv", "net_total", "benefits_pv", "costs_pv", "capital_pv", "tax_pv"):
        yield f"{prefix}.{key}", _money(getattr(found, key))
    yield f"{prefix}.irr", _exact(found.irr.value, "ratio", found.irr.reason)
    for key in ("mirr", "roi", "profitability_index"):
        yield f"{prefix}.{key}", _exact(getattr(found, key), "ratio")
    for key in ("payback_years", "discounted_payback_years"):
        value = getattr(found, key)
        reason = getattr(found, key.replace("years", "reason"))
        why = "" if value is not None else reason
        yield f"{prefix}.{key}", _exact(value, "years", why)
        months = None if value is None else value * 12
        yield (
            f"{prefix}.{key.replace('years', 'months')}",
            Figure(None if months is None else Decimal(repr(months)), "quantity", "months", why),
        )
    total = _ZERO
    discounted = present_values(found.flows, case.rate, found.times)
    for label, money in found.net_by_year.items():
        total += money
        yield f"{prefix}.net_flow[{label}]", _money(money)
        yield f"{prefix}.cumulative[{label}]", _money(total)
    until = _ZERO
    for time, value in zip(found.times, discounted, strict=True):
        until += value
        if time == int(time) and 1 <= time <= case.horizon_years:
            yield f"{prefix}.cumulative_discounted[{case.years[int(time) - 1]}]", _money(until)


def _sensitivity(model: Model) -> _Pairs:
    for one in sensitivities(model):
        prefix = f"sensitivity.{one.variable}"
        yield f"{prefix}.plus_10pct", _money(one.plus_10pct)
        yield f"{prefix}.minus_10pct", _money(one.minus_10pct)
        yield f"{prefix}.share_of_npv", _exact(one.share_of_npv, "ratio")
        if one.plus_1pp is not None and one.minus_1pp is not None:
            yield f"{prefix}.plus_1pp", _money(one.plus_1pp)
            yield f"{prefix}.plus_1pp_share_of_npv", _exact(_share(one.plus_1pp, one), "ratio")
            yield f"{prefix}.minus_1pp", _money(one.minus_1pp)


def _share(change: float, one: Sensitivity) -> float | None:
    return abs(change) * one.share_of_npv / one.swing if one.share_of_npv is not None and one.swing else None


def _break_even(model: Model) -> _Pairs:
    found = break_evens(model)
    yield "break_even.overall_achievement", _exact(found.overall_achievement, "ratio")
    for one in found.variables:
        name = f"break_even.{one.variable}"
        yield f"{name}.factor", _exact(one.factor, "ratio", one.reason)
        if one.kind in ("line", "group"):
            continue
        meaning = unit_meaning(one.unit, model.case.currency)
        if one.factor is None:
            yield name, Figure(None, meaning.kind, one.unit, one.reason)
            continue
        values = [Decimal(repr(value)) * meaning.factor for value in one.values]
        if len(set(values)) == 1:
            yield name, Figure(values[0], meaning.kind, one.unit)
        elif len(values) == len(model.case.years):
            yield from (
                (f"{name}[{year}]", Figure(value, meaning.kind, one.unit))
                for year, value in zip(model.case.years, values, strict=True)
            )


def _alternatives(case: BusinessCase, own: Appraisal) -> _Pairs:
    for one in alternatives(case, own):
        if one.npv is None or one.irr is None:
            continue
        yield f"alternatives.{one.id}.npv", _money(one.npv)
        yield f"alternatives.{one.id}.irr", _exact(one.irr.value, "ratio", one.irr.reason)
        yield f"alternatives.{one.id}.payback_years", _exact(one.payback_years, "years")


def _statements(model: Model) -> _Pairs:
    case, found = model.case, statements(model)
    cash = found.effects.operating_cash_flow
    yield from _yearly(case, "cash_flow.operating", cash)
    totals = [sum(cash[: year + 1], _ZERO) for year in _year_range(case)]
    yield from _yearly(case, "cash_flow.cumulative", totals)
    times = [Decimal(year + 1) for year in _year_range(case)]
    yield from _yearly(case, "cash_flow.discounted", present_values(cash, case.rate, times))
    accounts = [] if found.before is None else [("before", found.before)]
    accounts += [(str(year), one) for year, one in zip(case.years, found.after, strict=False)]
    for label, one in accounts:
        for key in ("sales", "cost_of_sales", "operating_expense", "operating_profit"):
            yield f"statements.{key}[{label}]", _money(getattr(one, key))
        yield f"statements.operating_margin[{label}]", _exact(one.operating_margin, "ratio")
        for key in ("asset_turnover", "return_on_assets", "return_on_equity"):
            if getattr(one, key) is not None:
                yield f"ratios.{key}[{label}]", _exact(getattr(one, key), "ratio")

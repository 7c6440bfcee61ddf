"""What the plan does to the accounts: profit and loss, cash flow, ratios; they reconcile with the benefit lines.

Effects are those of the realistic scenario on the accounts of the year before, all else unchanged. Depreciation is an
operating expense; it is straight line over the tax life where one is stated, else over the horizon.
"""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from roi_tracker.appraisal.cash_flows import cash_flows
from roi_tracker.appraisal.taxation import depreciation, taxes
from roi_tracker.case.assumptions import Assumption
from roi_tracker.case.conventions import Tax

if TYPE_CHECKING:
    from collections.abc import Sequence

    from roi_tracker.appraisal.model import Model
    from roi_tracker.case.benefits import BenefitLine, StatementLine
    from roi_tracker.case.plan import BusinessCase
    from roi_tracker.formulas import Values

_ZERO = Decimal(0)
Years = tuple[Decimal, ...]


class Effects(msgspec.Struct, frozen=True):
    """Change of the accounts by year of analysis, in the currency. Costs fall where negative.

    Attributes:
        depreciation: of the programme's capital, contained in operating expense.
        operating_profit: sales less cost of sales less operating expense.
        operating_cash_flow: operating profit plus depreciation less tax (where the case states tax).
        difference: counted benefits less running cost less depreciation, less operating profit: zero.
    """

    sales: Years
    cost_of_sales: Years
    operating_expense: Years
    depreciation: Years
    operating_profit: Years
    tax: Years
    operating_cash_flow: Years
    difference: Decimal


class Accounts(msgspec.Struct, frozen=True):
    """Accounts of one year and their ratios, None where the case states no assets or equity."""

    sales: Decimal
    cost_of_sales: Decimal
    operating_expense: Decimal
    operating_profit: Decimal
    operating_margin: Decimal | None
    asset_turnover: Decimal | None
    return_on_assets: Decimal | None
    return_on_equity: Decimal | None


class Statements(msgspec.Struct, frozen=True):
    """Effects, and the accounts before and in each year where the case states them."""

    years: tuple[int, ...]
    effects: Effects
    before: Accounts | None
    after: tuple[Accounts, ...]


def statement_line(line: BenefitLine) -> StatementLine:
    """Where a benefit shows in the profit and loss account."""
    if line.statement is not None:
        return line.statement
    return "sales" if line.axis == "revenue" else "cost_of_sales"


def statements(model: Model) -> Statements:
    """Statements of the realistic scenario."""
    case, used = model.case, model.case.conventions
    scenario = case.scenarios.realistic
    flows = cash_flows(case, model.exact(), scenario, used)
    by_line: dict[StatementLine, Years] = {}
    for kind in ("sales", "cost_of_sales", "operating_expense"):
        chosen = [one.id for one in case.benefits if statement_line(one) == kind and one.benefit_class in used.counted]
        by_line[kind] = _benefits_of(model, chosen)
    tax_rule = used.tax or _accounting_rule(case)
    written = _by_year(case, depreciation(case, flows, used.model_copy(update={"tax": tax_rule}), Decimal))
    opex = _by_year(case, flows.opex)
    due = _by_year(case, taxes(case, flows, used, Decimal))
    expense = tuple(
        cost + worn - saved for cost, worn, saved in zip(opex, written, by_line["operating_expense"], strict=True)
    )
    sales, cost = by_line["sales"], tuple(-saved for saved in by_line["cost_of_sales"])
    profit = tuple(s - c - e for s, c, e in zip(sales, cost, expense, strict=True))
    benefits = _by_year(case, flows.benefits)
    effects = Effects(
        sales=sales,
        cost_of_sales=cost,
        operating_expense=expense,
        depreciation=written,
        operating_profit=profit,
        tax=due,
        operating_cash_flow=tuple(p + w - t for p, w, t in zip(profit, written, due, strict=True)),
        difference=sum(benefits, _ZERO) - sum(opex, _ZERO) - sum(written, _ZERO) - sum(profit, _ZERO),
    )
    invested = sum(flows.capital, _ZERO)
    return Statements(case.years, effects, _before(case), _after(case, effects, invested))


def _benefits_of(model: Model, lines: Sequence[str]) -> Years:
    """Benefits of some lines by year, in the prices of the flows."""
    case = model.case
    every = model.exact()
    kept = {name: money if name in lines else money * 0 for name, money in every.benefits.items()}
    chosen = type(every)(kept, every.opex, every.capex, every.quantities)
    return _by_year(case, cash_flows(case, chosen, case.scenarios.realistic, case.conventions).benefits)


def _accounting_rule(case: BusinessCase) -> Tax:
    nothing = Assumption(value=_ZERO, unit="ratio", source="no tax stated", owner="none")
    return Tax(rate=nothing, life_years=min(case.horizon_years, 40))


def _by_year(case: BusinessCase, values: Values) -> Years:
    per_year = case.periods_per_year
    return tuple(sum(values[year * per_year : (year + 1) * per_year], _ZERO) for year in range(case.horizon_years))


def _before(case: BusinessCase) -> Accounts | None:
    own = case.financials
    if own is None:
        return None
    assets = None if own.total_assets is None else case.money(own.total_assets)
    equity = None if own.equity is None else case.money(own.equity)
    parts = (case.money(own.sales), case.money(own.cost_of_sales), case.money(own.operating_expense))
    return _accounts(parts, assets, equity)


def _after(case: BusinessCase, effects: Effects, invested: Decimal) -> tuple[Accounts, ...]:
    own = case.financials
    if own is None:
        return ()
    found: list[Accounts] = []
    worn = kept = _ZERO
    for year in range(case.horizon_years):
        worn += effects.depreciation[year]
        kept += effects.operating_profit[year] - effects.tax[year]
        parts = (
            case.money(own.sales) + effects.sales[year],
            case.money(own.cost_of_sales) + effects.cost_of_sales[year],
            case.money(own.operating_expense) + effects.operating_expense[year],
        )
        # assets grow by the programme's book value only, equity by what it kept: nothing else is assumed to change
        assets = None if own.total_assets is None else case.money(own.total_assets) + invested - worn
        equity = None if own.equity is None else case.money(own.equity) + kept
        found.append(_accounts(parts, assets, equity))
    return tuple(found)


def _accounts(parts: tuple[Decimal, Decimal, Decimal], assets: Decimal | None, equity: Decimal | None) -> Accounts:
    sales, cost, expense = parts
    profit = sales - cost - expense
    return Accounts(
        sales=sales,
        cost_of_sales=cost,
        operating_expense=expense,
        operating_profit=profit,
        operating_margin=profit / sales if sales else None,
        asset_turnover=sales / assets if assets else None,
        return_on_assets=profit / assets if assets else None,
        return_on_equity=profit / equity if equity else None,
    )

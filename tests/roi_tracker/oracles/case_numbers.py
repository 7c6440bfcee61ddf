"""A business case in plain numbers that an oracle can compute with, and the document that the schema reads.

Imports nothing of the engine but the schema.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Literal

from roi_tracker.business_case import BusinessCase

Shape = Literal["product", "drop", "floor", "stock", "delayed", "squared", "by_ratio", "by_quantity"]
_BY = {"source": "drawn", "owner": "oracle"}


@dataclass(frozen=True)
class Stated:
    """A number as written: one, one a year, or one a month; in `unit`, which is `factor` in the base."""

    values: tuple[float, ...]
    unit: str
    factor: float

    def at(self, period: int, per_year: int, periods: int) -> float:
        """In its base unit, in a period."""
        count = len(self.values)
        index = 0 if count == 1 else (period if count == periods else period // per_year)
        return self.values[index] * self.factor

    def document(self) -> dict[str, Any]:
        value = self.values[0] if len(self.values) == 1 else list(self.values)
        return {"value": value, "unit": self.unit, **_BY}


@dataclass(frozen=True)
class Benefit:
    """One line: its shape says what is done with `parts`."""

    id: str
    shape: Shape
    benefit_class: str
    ramp: tuple[float, ...]
    parts: dict[str, Stated]


@dataclass(frozen=True)
class Running:
    """A running cost: an amount, or a share of another amount by a formula."""

    id: str
    amount: Stated
    share: Stated | None
    growth: float


@dataclass(frozen=True)
class TaxRule:
    """Profit tax."""

    rate: Stated
    depreciation: str
    life_years: int
    declining_factor: float
    salvage: float
    losses: str


@dataclass(frozen=True)
class Renewal:
    """Reinvestment at the end of life."""

    life_years: int
    share: float
    residual: str


@dataclass(frozen=True)
class Way:
    """How flows are counted: what the variants of a case change."""

    capital: str
    operations: str
    counted: tuple[str, ...]
    headline: str
    prices: str
    discount_basis: str | None


@dataclass(frozen=True)
class Option:
    """An alternative by its flows, or by yearly amounts; None of both: nothing stated."""

    id: str
    flows: Stated | None
    amounts: tuple[Stated, Stated, Stated] | None


@dataclass(frozen=True)
class Demand:
    """A condition of the decision rule."""

    figure: str
    operator: str
    value: float
    scenario: str


@dataclass(frozen=True)
class CaseNumbers:
    """A case in plain numbers. `contingency` is its ratio and whether the capital contains it."""

    seed: int
    currency: str
    display_unit: str
    rate: Stated
    start: date
    years: int
    monthly: bool
    way: Way
    inflation: Stated | None
    finance_rate: float | None
    reinvestment_rate: float | None
    tax: TaxRule | None
    renewal: Renewal | None
    bias: tuple[float, float, float] | None
    capital: tuple[Stated, ...]
    contingency: tuple[float, bool | None] | None
    phasing: tuple[float, ...]
    paid_on: tuple[date, ...]
    running: tuple[Running, ...]
    benefits: tuple[Benefit, ...]
    scenarios: dict[str, tuple[float, float]]
    options: tuple[Option, ...]
    rule: tuple[Demand, ...]

    @property
    def per_year(self) -> int:
        return 12 if self.monthly else 1

    @property
    def periods(self) -> int:
        return self.years * self.per_year

    def case(self) -> BusinessCase:
        """The case through the real schema."""
        return BusinessCase.model_validate(self.document())

    def document(self) -> dict[str, Any]:
        """What the schema reads."""
        assumptions: dict[str, Any] = {}
        calculations: dict[str, Any] = {}
        benefits = [_benefit(one, assumptions, calculations) for one in self.benefits]
        document: dict[str, Any] = {
            "id": f"random-{self.seed}",
            "name": {"ko": "무작위", "en": "Random"},
            "currency": self.currency,
            "display_unit": self.display_unit,
            "discount_rate": self.rate.document(),
            "start_date": self.start,
            "horizon_years": self.years,
            "conventions": self._conventions(),
            "capex": [
                {"id": f"capital-{number}", "name": {"ko": "투자", "en": "Capital"}, "amount": one.document()}
                for number, one in enumerate(self.capital)
            ],
            "opex_per_year": [_running(one, assumptions) for one in self.running],
            "benefits": benefits,
            "assumptions": assumptions,
            "calculations": calculations,
            "scenarios": {name: {"benefits": b, "costs": c} for name, (b, c) in self.scenarios.items()},
            "alternatives": [
                {"id": "own", "name": {"ko": "본안", "en": "This"}, "this": True, "source": "case"},
                *map(_option, self.options),
            ],
        }
        if self.phasing:
            document["capex_phasing"] = {"value": list(self.phasing), "unit": "ratio", "dates": self.paid_on, **_BY}
        if self.rule:
            document["decision_rule"] = {"conditions": [vars(one) for one in self.rule], "source": "board"}
        if self.contingency is not None:
            ratio, included = self.contingency
            document["contingency"] = {"ratio": {"value": ratio, "unit": "%", **_BY}, "included": included}
        return document

    def _conventions(self) -> dict[str, Any]:
        way, found = self.way, {"period": "month" if self.monthly else "year"}
        own: dict[str, Any] = found | {
            "capital": way.capital,
            "operations": way.operations,
            "counted": way.counted,
            "headline": way.headline,
            "prices": way.prices,
            "discount_basis": way.discount_basis,
            "finance_rate": self.finance_rate,
            "reinvestment_rate": self.reinvestment_rate,
        }
        if self.inflation is not None:
            own["inflation"] = self.inflation.document()
        if self.tax is not None:
            own["tax"] = {**vars(self.tax), "rate": self.tax.rate.document()}
        if self.renewal is not None:
            rule = self.renewal
            own["reinvestment"] = {
                "technology_life_years": rule.life_years,
                "share": rule.share,
                "residual": rule.residual,
            }
        if self.bias is not None:
            benefits, capex, opex = self.bias
            own["optimism_bias"] = {"benefits": benefits, "capex": capex, "opex": opex, "source": "drawn"}
        return own


def _benefit(one: Benefit, assumptions: dict[str, Any], calculations: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {
        "id": one.id,
        "name": {"ko": f"효과 {one.id}", "en": f"Benefit {one.id}"},
        "class": one.benefit_class,
        "axis": "cost",
        "ramp_up": list(one.ramp),
    }
    if one.shape in {"by_ratio", "by_quantity"}:
        worth = one.parts["worth"]
        line |= {
            "measure": "defects",
            "lines": ["press-1"],
            "unit_value": {
                "amount": worth.values[0],
                "per": "defect",
                "valid_from": date(2024, 1, 1),
                "valid_to": date(2060, 1, 1),
                **_BY,
            },
        }
        if one.shape == "by_ratio":
            line |= {
                "baseline_quantity_per_year": one.parts["baseline"].document(),
                "reduction_ratio": one.parts["ratio"].document(),
            }
        else:
            line["quantity_per_year"] = one.parts["quantity"].document()
        return line
    names = {part: f"{one.id}.{part}" for part in one.parts}
    assumptions.update({names[part]: stated.document() for part, stated in one.parts.items()})
    if one.shape == "drop":
        calculations[f"{one.id}.avoided"] = {
            "formula": "({before} - {after}) * {volume}".format(**names),
            "unit": "parts/year",
        }
        names["avoided"] = f"{one.id}.avoided"
    formulas = {
        "product": "{units} * {price}",
        "drop": "{avoided} * {price}",
        "floor": "max({gain} - {loss}, 0) + min({gain}, {loss}) / 2",
        "stock": "cumulative({units}) * {price}",
        "delayed": "lag({units}, 2) * {price} - -{base}",
        "squared": "{units} * {price} * {index} ** 2",
    }
    return line | {"kpi": "cost", "formula": formulas[one.shape].format(**names)}


def _running(one: Running, assumptions: dict[str, Any]) -> dict[str, Any]:
    line: dict[str, Any] = {"id": one.id, "name": {"ko": "운영", "en": "Running"}, "growth": one.growth}
    if one.share is None:
        return line | {"amount": one.amount.document()}
    base, share = f"{one.id}_base", f"{one.id}_share"
    assumptions.update({base: one.amount.document(), share: one.share.document()})
    return line | {"formula": f"{base} * {share}"}


def _option(one: Option) -> dict[str, Any]:
    found: dict[str, Any] = {"id": one.id, "name": {"ko": "대안", "en": "Option"}, "source": "offer"}
    if one.flows is not None:
        found |= {"flows": list(one.flows.values), "unit": one.flows.unit}
    if one.amounts is not None:
        keys = ("capex", "opex_per_year", "benefit_per_year")
        found |= {key: amount.document() for key, amount in zip(keys, one.amounts, strict=True)}
    return found

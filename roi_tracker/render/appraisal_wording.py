"""Figures of an appraisal as people of one language write them."""

from __future__ import annotations

import tomllib
from decimal import Decimal
from functools import cached_property, lru_cache
from importlib import resources
from typing import TYPE_CHECKING

from roi_tracker.appraisal.model import Model
from roi_tracker.money import UNIT_FACTORS, Money, fitting_unit, format_money, unit_label
from roi_tracker.render.catalogue import Catalogue

if TYPE_CHECKING:
    from roi_tracker.appraisal.rates import Irr
    from roi_tracker.business_case import BusinessCase
    from roi_tracker.case.section import Name
    from roi_tracker.money import Language, Unit

MINUS = "\N{MINUS SIGN}"
_LARGE = 1_000
_WHOLE_PERCENT = 1
_SIX_DIGITS = 1_000_000
_SLIGHT = 100
"""Money below a hundredth of the largest says nothing about the unit of a table."""
_TEN = 10
"""Units from which a figure with one decimal has three digits."""


@lru_cache(maxsize=2)
def appraisal_words(language: Language) -> Catalogue:
    """The catalogue of appraisals, read once a language."""
    text = resources.files("roi_tracker.render").joinpath("locale", f"appraisal.{language}.toml").read_text("utf-8")
    tree = tomllib.loads(text)
    return Catalogue(language, {f"{group}.{key}": word for group, words in tree.items() for key, word in words.items()})


class AppraisalWording:
    """Writes money, ratios, times and names of one case.

    Money comes as multiples of the case's display unit, as the appraisal's document holds it.
    """

    def __init__(self, case: BusinessCase, language: Language, unit: float) -> None:
        self.case = case
        self.language = language
        self.t = appraisal_words(language)
        self._unit = Decimal(repr(unit))
        self._names: dict[str, Name] = {f"benefits.{one.id}": one.name for one in case.benefits}
        self._names |= {f"capex.{one.id}": one.name for one in case.capex}
        self._names |= {f"opex.{one.id}": one.name for one in case.opex_per_year}
        self._names |= {one.id: one.name for one in case.alternatives}
        self._names |= {key: one.name for key, one in case.assumptions.items() if one.name is not None}
        self._names |= {key: one.name for key, one in case.calculations.items() if one.name is not None}

    @property
    def unit(self) -> str:
        """The display unit in words."""
        return unit_label(self.case.currency, self.shown_unit, self.language)

    @cached_property
    def shown_unit(self) -> Unit:
        """The display unit as these readers count: small enough that capital and yearly money keep three digits."""
        case, amounts = self.case, Model(self.case).exact()
        capital = sum((money[0] for money in amounts.capex.values()), Decimal(0))
        yearly = [
            sum((money.sum() for money in group.values()), Decimal(0)) / case.horizon_years
            for group in (amounts.benefits, amounts.opex)
        ]
        sizes = [abs(Decimal(one)) for one in (capital, *yearly)]
        weighty = [one for one in sizes if one and one * _SLIGHT >= max(sizes)]
        return fitting_unit(case.currency, case.display_unit, self.language, min(weighty, default=Decimal(0)) / _TEN)

    @property
    def factor(self) -> int:
        """What one shown unit is in the currency."""
        return UNIT_FACTORS[self.shown_unit]

    def name(self, name: Name) -> str:
        """A name in this language."""
        return name.ko if self.language == "ko" else name.en

    def variable(self, address: str) -> str:
        """A line's or assumption's name where it has one, else its id."""
        known = self._names.get(address)
        if known is not None:
            return self.name(known)
        special = {
            "discount_rate": "conv.discount",
            "capex": "cost.capex",
            "opex": "cost.opex",
            "contingency": "cost.contingency",
            "achievement": "address.overall_achievement",
        }
        if address in special:
            return self.t(special[address])
        return self.t("benefit.title") if address == "benefits" else address

    def axis(self, value: float) -> float:
        """Display-unit money in the unit this language's axes are labelled with."""
        return float(Decimal(repr(value)) * self._unit) / self.factor

    def money(self, value: float | Decimal | None) -> str:
        """An amount with its unit."""
        if value is None:
            return self.t("figure.none")
        amount = (Decimal(repr(value)) if isinstance(value, float) else Decimal(value)) * self._unit
        return format_money(Money(amount, self.case.currency), self.language, self.shown_unit)

    def plain(self, value: float) -> str:
        """An amount for a table whose head states the unit."""
        shown = self.axis(value)
        whole = abs(shown) >= _LARGE or (self.factor == 1 and self.case.currency == "KRW")
        text = f"{abs(shown):,.{0 if whole else 1}f}"
        return f"{MINUS}{text}" if shown < 0 and text.strip("0.,") else text

    def signed(self, value: float | None) -> str:
        """A change: its sign always stands before it."""
        if value is None:
            return self.t("figure.none")
        text = self.plain(value)
        return text if text.startswith(MINUS) else f"+{text}"

    def percent(self, ratio: float | Decimal | None) -> str:
        """A ratio as a percentage: whole from 100 %, else one decimal."""
        if ratio is None:
            return self.t("figure.none")
        value = float(ratio) * 100
        text = f"{abs(value):,.{0 if abs(float(ratio)) >= _WHOLE_PERCENT else 1}f} %"
        return f"{MINUS}{text}" if value < 0 and text.strip("0.% ") else text

    def years(self, value: float | Decimal | None, reason: str = "never") -> str:
        """A payback time; None is `never`, or `no_outlay` where nothing is to be paid back."""
        if value is None:
            return self.t("figure.no_outlay" if reason == "no_outlay" else "figure.never")
        return self.t("figure.years", value=f"{value:.2f}")

    def ratio(self, value: float | None) -> str:
        """A plain ratio."""
        return self.t("figure.none") if value is None else f"{value:,.2f}".replace("-", MINUS)

    @staticmethod
    def times(ratio: float) -> str:
        """How many times as much.

        >>> AppraisalWording.times(10.0), AppraisalWording.times(0.233577)
        ('\N{MULTIPLICATION SIGN}10', '\N{MULTIPLICATION SIGN}0.234')
        """
        return f"\N{MULTIPLICATION SIGN}{ratio:.3g}".replace("-", MINUS)

    def irr(self, found: Irr) -> str:
        """The rate, or that there is none."""
        return self.t("figure.no_irr") if found.value is None else self.percent(found.value)

    def irr_note(self, found: Irr) -> str:
        """Why there is not one rate; empty where there is."""
        return self.t(f"figure.{found.reason}", roots=", ".join(self.percent(root) for root in found.roots))

    def number(self, value: Decimal | float) -> str:
        """A number as the case states it, grouped."""
        text = f"{value:,f}" if isinstance(value, Decimal) or abs(value) >= _SIX_DIGITS else f"{value:,.6g}"
        text = text.removesuffix(".000000")
        return text.replace("-", MINUS)
